"""A model is declared NotActivated beside an inference limit (S25).

Why: limits exist for activated models only, so the two cannot both come true; and a limit left behind would be in the way.
What to do: remove the InferenceLimit, or keep the model Activated.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.common import DeletionPolicy
from reconciler.kinds.model_activation import DesiredState
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import limit_record, others
from reconciler.state import Limit


def _live(context: Context, model: str) -> Limit | None:
    """A live limit that nothing will take away before the deactivation: pruning reverts an owned one first."""
    live = context.snapshot.models.get(model) if context.snapshot else None
    record = limit_record(context, model)
    goes = record is not None and bool(record.owner) and record.deletion_policy == DeletionPolicy.REVERT.value
    return live.limit if live and isinstance(live.limit, Limit) and not goes else None


def _check(context: Context) -> Iterator[Finding]:
    for activation in context.declared.activations:
        name = activation.spec.model
        if activation.spec.state is not DesiredState.NOT_ACTIVATED:
            continue
        limits = context.declared.limits_by_model.get(name, ())
        live = None if limits else _live(context, name)
        if limits or live:
            what = (
                f"{others(limits)} limits it" if limits else f"it has a limit of {live.tokens:,} tokens" if live else ""
            )
            yield RULE.finding(
                f"{name} is declared NotActivated but {what}; limits exist for activated models only",
                activation,
                activation.at("spec", "state"),
                hint="Remove the limit first, or declare state Activated.",
            )
        for limit in limits:
            yield RULE.finding(
                f"{name} has a limit but {others([activation])} declares it NotActivated; limits exist for activated models only",
                limit,
                limit.at("spec", "model"),
                hint="Remove this limit, or declare state Activated.",
            )


RULE = Rule(
    id="deactivation-with-limit",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S25",),
    phrase="仅支持为**已开通且按 token 后付费**的模型设置推理限额",
    check=_check,
)
