"""Something does not go with free-tokens-only (安心体验模式), declared or live (S10, D6).

Why: the mode can be switched on only by an account that never activated a model without it and never had it before; switching it
off is for ever. Activating while it is on is fine, so it has to be on first. Capacity paid for in advance and the inference cache
exclude it.
What to do: let the mode be switched on before the first activation, and say so with `modelpolicy attest` where the platform cannot
show it; or leave freeTokensOnly out, and keep models within their free quota by limits with freeQuotaOnly.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.model_activation import DesiredState, SubService
from reconciler.kinds.platform_account import FREE_TOKENS_ONLY
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed
from reconciler.state import (
    NATIVE,
    UNOBSERVABLE,
    ActivationState,
    Capability,
    Endpoint,
    Model,
    Operation,
    Snapshot,
    Target,
)

_INSTEAD = "Leave freeTokensOnly out, and keep models within their free quota by limits with freeQuotaOnly."


def _check(context: Context) -> Iterator[Finding]:
    declared, snapshot = context.account.spec.free_tokens_only, context.snapshot
    on = snapshot is not None and snapshot.switches.free_tokens_only is True
    if declared or (on and declared is None):
        yield from _cached(context)
    if declared and not on and snapshot is not None:
        yield from _account(context, snapshot)
        if not _switched_on_first(context):
            yield from _too_early(context, snapshot)


def _cached(context: Context) -> Iterator[Finding]:
    """Declared inference caches, which need the mode to be off first."""
    for resource in context.declared.activations:
        if SubService.CONTEXT_CACHE in (resource.spec.sub_services or ()):
            yield RULE.finding(
                f"the inference cache of {resource.spec.model} and free-tokens-only exclude each other",
                resource,
                resource.at("spec", "subServices"),
                hint="Leave context-cache out: switching free-tokens-only off for it is for ever.",
            )


def _account(context: Context, snapshot: Snapshot) -> Iterator[Finding]:
    """Why the account cannot switch the mode on, where that is seen."""
    if snapshot.switches.free_tokens_only is UNOBSERVABLE:
        return  # it may be on, so nothing speaks against it
    why = _not_eligible(snapshot)
    if why:
        yield RULE.finding(
            f"free-tokens-only cannot be switched on: {why}",
            context.account,
            context.account.at("spec", "freeTokensOnly"),
            hint=_INSTEAD,
        )


def _not_eligible(snapshot: Snapshot) -> str:
    activated = [model.name for model in snapshot.models.values() if model.state is ActivationState.ACTIVATED]
    if snapshot.switches.free_tokens_only_ended is True:
        return "it was switched off before, which is for ever"
    if activated:
        return f"{listed(activated)} {'is' if len(activated) == 1 else 'are'} activated without it"
    if snapshot.switches.ever_activated is True:
        return "the account activated a model without it"
    bought = [f"{one.name} ({one.id})" for one in snapshot.endpoints.values() if _is_bought(one)]
    if bought:
        return f"endpoint {listed(bought)} has a TPM guarantee package or model units"
    cached = [model.name for model in snapshot.models.values() if "context-cache" in _services(model)]
    return f"the inference cache of {listed(cached)} is on" if cached else ""


def _switched_on_first(context: Context) -> bool:
    """Whether the mode is on before anything is activated: this run switches it on first, or somebody said that they did."""
    support = context.capabilities.get(Operation.SET_FREE_TOKENS_ONLY, NATIVE)
    record = context.history.records.get(Target("PlatformAccount", context.account.account))
    said = record.attestation.fields if record is not None and record.attestation is not None else {}
    return support.capability is Capability.NATIVE or said.get(FREE_TOKENS_ONLY) is True


def _too_early(context: Context, snapshot: Snapshot) -> Iterator[Finding]:
    """Activations that would come before the mode is on, which an eligible account loses by them."""
    if snapshot.switches.free_tokens_only is not UNOBSERVABLE and _not_eligible(snapshot):
        return
    for resource in context.declared.activations:
        model = snapshot.models.get(resource.spec.model)
        activated = model is not None and model.state is ActivationState.ACTIVATED
        if resource.spec.state is DesiredState.ACTIVATED and not activated:
            yield RULE.finding(
                f"{resource.spec.model} must not be activated before free-tokens-only is on: the account could then never have it",
                resource,
                resource.at("spec", "state"),
                hint=f"Switch the mode on by hand, then run: modelpolicy attest {context.account.address}",
            )


def _is_bought(endpoint: Endpoint) -> bool:
    return isinstance(endpoint.scale_tier, str) or isinstance(endpoint.model_units, str)


def _services(model: Model) -> tuple[str, ...]:
    return () if model.sub_services is UNOBSERVABLE else model.sub_services


RULE = Rule(
    id="activation-in-free-tokens-only",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S10", "D6"),
    phrase="安心体验模式是针对**未开通过模型服务的新用户**更方便体验免费额度设计的",
    check=_check,
)
