"""An endpoint of the model has a TPM guarantee package or model units, which excludes an inference limit (S26).

Why: capacity that is paid in advance cannot be paused by a limit, so the platform refuses to set one.
What to do: remove the limit, or let the package or the units of the endpoints named run out first.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed, live_limits, seen
from reconciler.state import Endpoint


def _capacity(endpoint: Endpoint) -> str:
    if isinstance(endpoint.scale_tier, str):
        return "a TPM guarantee package"
    return "model units" if isinstance(endpoint.model_units, str) else ""


def _check(context: Context) -> Iterator[Finding]:
    by_model = seen(context).endpoints_by_model
    blocked: dict[str, list[str]] = {}
    for limit, model in live_limits(context):
        if model.name not in blocked:  # once for a model, however many limits name it
            endpoints = ((one, _capacity(one)) for one in by_model.get(model.name, ()))
            blocked[model.name] = [f"{one.name} ({one.id}) has {what}" for one, what in endpoints if what]
        if blocked[model.name]:
            yield RULE.finding(
                f"{model.name} cannot have a limit: endpoint {listed(blocked[model.name])}",
                limit,
                limit.at("spec", "model"),
                hint="Remove this limit, or end the prepaid capacity of these endpoints first.",
            )


RULE = Rule(
    id="limit-blocked-by-capacity",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S26",),
    phrase="若模型的推理接入点已购买 TPM 保障包或模型单元，暂不支持设置推理限额",
    check=_check,
    needs_platform=True,
)
