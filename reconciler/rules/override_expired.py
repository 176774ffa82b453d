"""An override's expiresAt has passed: what it declared is inherited from the model again.

Why: the declaration has done its work and now only asks for what is the platform's default. What it did not declare, and what
was never applied from here, is left as it is.
What to do: delete the document, or move expiresAt.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.endpoint_rate_override import EndpointRateOverrideSpec
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import expired, moment


def _what_then(context: Context, override: Resource[EndpointRateOverrideSpec]) -> str:
    """What becomes of the rate: of one that was never applied from here, nothing is given back."""
    snapshot = context.snapshot
    target = registry()[override.kind].target(override, snapshot) if snapshot is not None else None
    record = context.history.records.get(target) if target is not None else None
    if snapshot is not None and (record is None or not record.owner):
        return "it was never applied from here, so nothing is changed"
    return "what it declared is inherited from the model again"


def _check(context: Context) -> Iterator[Finding]:
    for override in context.declared.overrides:
        end = override.spec.expires_at
        if end is not None and expired(override, context.now):
            yield RULE.finding(
                f"the override expired at {moment(end)}; {_what_then(context, override)}",
                override,
                override.at("spec", "expiresAt"),
                hint="Delete this document, or move expiresAt.",
            )


RULE = Rule(id="override-expired", severity=Severity.WARNING, reason=Reason.EXPIRED, check=_check)
