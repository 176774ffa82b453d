"""Free-tokens-only (安心体验模式), live or declared, does not go with an activation (S10).

Why: the mode is for accounts that have never activated anything. While it is on, activating is refused; once anything was ever
activated, it cannot be switched on.
What to do: declare `freeTokensOnly: false` on the PlatformAccount to activate models, or declare no activation.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.model_activation import DesiredState
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed
from reconciler.state import ActivationState


def _activations(context: Context) -> Iterator[Finding]:
    declared, snapshot = context.account.spec.free_tokens_only, context.snapshot
    live = snapshot is not None and snapshot.switches.free_tokens_only is True
    if not declared and not (live and declared is None):
        return
    where = f"declared on {context.account.address}" if declared else "on, on the platform"
    for resource in context.declared.activations:
        model = snapshot.models.get(resource.spec.model) if snapshot else None
        activated = model is not None and model.state is ActivationState.ACTIVATED
        if resource.spec.state is DesiredState.ACTIVATED and (declared or not activated):
            yield RULE.finding(
                f"{resource.spec.model} cannot be activated while free-tokens-only is {where}",
                resource,
                resource.at("spec", "state"),
                hint=f"Declare freeTokensOnly: false on {context.account.address} to activate models, "
                "or remove this activation.",
            )


def _account(context: Context) -> Iterator[Finding]:
    snapshot = context.snapshot
    if snapshot is None or not context.account.spec.free_tokens_only or snapshot.switches.free_tokens_only is True:
        return
    activated = [model.name for model in snapshot.models.values() if model.state is ActivationState.ACTIVATED]
    if activated or snapshot.switches.ever_activated is True:
        which = listed(activated) + (" is" if len(activated) == 1 else " are") if activated else "something was already"
        yield RULE.finding(
            f"free-tokens-only cannot be switched on: {which} activated, and it is for accounts that never activated anything",
            context.account,
            context.account.at("spec", "freeTokensOnly"),
            hint="Leave freeTokensOnly out, and keep models within their free quota by limits with freeQuotaOnly.",
        )


def _check(context: Context) -> Iterator[Finding]:
    yield from _activations(context)
    yield from _account(context)


RULE = Rule(
    id="activation-in-free-tokens-only",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S10",),
    phrase="安心体验模式是针对**未开通过模型服务的新用户**更方便体验免费额度设计的",
    check=_check,
)
