"""An invite-only model (邀测中) cannot be activated by oneself (S8).

Why: the platform opens such a model for an account by hand; every attempt would be refused.
What to do: submit a ticket; once the platform shows the model as not activated, or activated, this mends itself.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.model_activation import DesiredState
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import TICKET_URL, seen
from reconciler.state import ActivationState


def _check(context: Context) -> Iterator[Finding]:
    for resource in context.declared.activations:
        model = seen(context).models.get(resource.spec.model)
        if resource.spec.state is DesiredState.ACTIVATED and model and model.state is ActivationState.INVITE_ONLY:
            yield RULE.finding(
                f"{model.name} is invite-only: it cannot be activated by oneself",
                resource,
                resource.at("spec", "state"),
                hint=f"Submit a ticket: {TICKET_URL}",
            )


RULE = Rule(
    id="activation-invite-only",
    severity=Severity.ERROR,
    reason=Reason.TICKET_REQUIRED,
    source=("S8",),
    phrase="当前模型为邀测阶段，暂无法支持自助开通使用，如需正式开通使用的，请[提交工单]",
    check=_check,
    needs_platform=True,
)
