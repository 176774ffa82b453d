"""An override's expiresAt has passed: its endpoint inherits the model's rate again.

Why: the declaration has done its work and now only asks for what is the platform's default.
What to do: delete the document, or move expiresAt.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import expired, moment


def _check(context: Context) -> Iterator[Finding]:
    for override in context.declared.overrides:
        end = override.spec.expires_at
        if end is not None and expired(override, context.now):
            yield RULE.finding(
                f"the override expired at {moment(end)}; the endpoint inherits the model's rate again",
                override,
                override.at("spec", "expiresAt"),
                hint="Delete this document, or move expiresAt.",
            )


RULE = Rule(id="override-expired", severity=Severity.WARNING, reason=Reason.EXPIRED, check=_check)
