"""An inference limit needs an activated model (S25): neither the declared nor the live state of this one is Activated.

Why: the platform takes limits only for models that are activated and billed by token.
What to do: declare a ModelActivation for the model beside the limit, and let it be managed; it is carried out first.
"""

from collections.abc import Iterator, Sequence

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.declared import observes
from reconciler.kinds.model_activation import DesiredState, ModelActivationSpec
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import TICKET_URL, live_limits
from reconciler.state import ActivationState


def _so_it_stays(declared: Sequence[Resource[ModelActivationSpec]]) -> str:
    """Why the declarations that there are do not bring it about."""
    if any(one.spec.state is DesiredState.ACTIVATED for one in declared):
        return " and its activation is only observed"
    return " and is declared NotActivated" if declared else ""


def _check(context: Context) -> Iterator[Finding]:
    unread = {held.target: held.location for held in context.declared.held if held.kind == "ModelActivation"}
    for limit, model in live_limits(context):
        declared = context.declared.activations_by_model.get(model.name, ())
        will_be = any(
            one.spec.state is DesiredState.ACTIVATED and not observes(context.account, one) for one in declared
        )
        if model.state is ActivationState.INVITE_ONLY:
            message, hint = "is invite-only", f"Submit a ticket first: {TICKET_URL}"
        elif model.state is ActivationState.NOT_ACTIVATED and not will_be:
            message = f"is not activated{_so_it_stays(declared)}"
            hint = f"Declare a ModelActivation with state Activated and management Manage for {model.name}."
        else:
            continue
        yield RULE.finding(
            f"{model.name} {message}; limits exist for activated models only",
            limit,
            limit.at("spec", "model"),
            hint=hint,
            follows=unread.get(model.name),  # it may be what would activate the model
        )


RULE = Rule(
    id="limit-needs-activation",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S25",),
    phrase="仅支持为**已开通且按 token 后付费**的模型设置推理限额",
    check=_check,
    needs_platform=True,
)
