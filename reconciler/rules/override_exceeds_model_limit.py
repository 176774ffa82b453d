"""An override is above the model-level limit that all endpoints of the model share, so it can never take effect (S28, S30, D1).

Why: an endpoint runs at the lower of its override and what remains of the model's pool. Capacity of its own (a TPM guarantee
package, model units) lies outside the pool; where the platform does not show whether an endpoint has any, this is a warning.
What to do: lower the override, or ask for a higher model-level limit by ticket.
"""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import RATE_TICKET_URL, expired, live_overrides, seen
from reconciler.state import UNOBSERVABLE, Rate


def _check(context: Context) -> Iterator[Finding]:
    for override, endpoint in live_overrides(context):
        model = seen(context).models.get(endpoint.model)
        own_capacity = isinstance(endpoint.scale_tier, str) or isinstance(endpoint.model_units, str)
        if model is None or not isinstance(model.rate_limit, Rate) or own_capacity or expired(override, context.now):
            continue
        unsure = UNOBSERVABLE in (endpoint.scale_tier, endpoint.model_units)
        spec, pool = override.spec, model.rate_limit
        for half, wanted, allowed in (("rpm", spec.rpm, pool.rpm), ("tpm", spec.tpm, pool.tpm)):
            if wanted is not None and allowed is not None and wanted > allowed:
                found = RULE.finding(
                    f"{half} {wanted:,} exceeds the {allowed:,} that {model.name} allows, so it can never take effect on "
                    f"{endpoint.name} ({endpoint.id})"
                    + (" unless the endpoint has prepaid capacity, which cannot be seen" if unsure else ""),
                    override,
                    override.at("spec", half),
                    hint=f"Lower {half} to at most {allowed}, or ask for a higher model-level limit: {RATE_TICKET_URL}",
                )
                yield replace(found, severity=Severity.WARNING, reason=None) if unsure else found


RULE = Rule(
    id="override-exceeds-model-limit",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S28", "S30", "D1"),
    phrase="依赖同一个基础模型的所有模型推理接入点，共享同一个基础模型的模型级别限流",
    check=_check,
    needs_platform=True,
)
