"""An inference limit needs a model that is billed by token (S25).

Why: what is paid for by model units has no token bill that a limit could stop; the platform refuses it.
What to do: remove the limit.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import live_limits
from reconciler.state import Billing


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        if isinstance(model.billing, Billing) and model.billing is not Billing.PAY_BY_TOKEN:
            yield RULE.finding(
                f"{model.name} is billed as {model.billing.value}; limits exist for {Billing.PAY_BY_TOKEN.value} models only",
                limit,
                limit.at("spec", "model"),
                hint="Remove this limit.",
            )


RULE = Rule(
    id="limit-needs-postpaid",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S25",),
    phrase="仅支持为**已开通且按 token 后付费**的模型设置推理限额",
    check=_check,
    needs_platform=True,
)
