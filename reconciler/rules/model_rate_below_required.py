"""The model-level rate limit, which is the platform's own, is below what `requires` asserts (S31).

Why: all endpoints of the model share that limit; raising it takes a ticket, never a write. The activation itself goes ahead.
What to do: submit a ticket for a higher model-level limit, or lower `requires`.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import RATE_TICKET_URL, seen
from reconciler.state import Rate


def _check(context: Context) -> Iterator[Finding]:
    for resource in context.declared.activations:
        required = resource.spec.requires
        model = seen(context).models.get(resource.spec.model)
        if required is None or model is None or not isinstance(model.rate_limit, Rate):
            continue
        given = model.rate_limit
        for half, wanted, allowed in (("rpm", required.rpm, given.rpm), ("tpm", required.tpm, given.tpm)):
            if wanted is not None and allowed is not None and allowed < wanted:
                yield RULE.finding(
                    f"{half} {wanted:,} is required but the platform allows {allowed:,} for {model.name}",
                    resource,
                    resource.at("spec", "requires", half),
                    hint=f"Ask for a higher model-level limit by ticket: {RATE_TICKET_URL}",
                )


RULE = Rule(
    id="model-rate-below-required",
    severity=Severity.WARNING,
    reason=Reason.TICKET_REQUIRED,
    source=("S31",),
    phrase="如需提升模型级别限流，可[提交工单]",
    check=_check,
    needs_platform=True,
)
