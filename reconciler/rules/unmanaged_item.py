"""Something is live on the platform that no declaration names: an activation, a limit, an override or a switch of the account.

Why: what nobody declares, nobody reviews. It is left as it is. Silent for what an unreadable declaration may have meant, for
all while a source could not be read, for what a declaration owns that is not part of this run, and for what another project of
the same platform account declares.
What to do: `modelpolicy import` writes it as a declaration, or switch it off by hand. `drift --unmanaged` exits 2 on it.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.kinds import registry
from reconciler.kinds.declared import Declared
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen
from reconciler.rules.same_account import declared_by_siblings, siblings
from reconciler.state import ActivationState, Limit, Rate, Snapshot, Target

_HINT: Final = "`modelpolicy import` writes it as a declaration."


def _found(address: str, message: str) -> Finding:
    return Finding(RULE.id, RULE.severity, message, hint=_HINT, resource=address)


def _unreadable(declared: Declared) -> bool:
    """Whether some declaration, or what it names, could not be read: then nothing is known to be declared nowhere."""
    governing = [held for held in declared.held if held.kind not in ("PolicyConstraint", "PlatformAccount")]
    return not declared.complete or any(not held.kind or not held.target for held in governing)


def _models(context: Context, snapshot: Snapshot) -> Iterator[Finding]:
    declared, shared = context.declared, declared_by_siblings(context)
    held = {(one.kind, one.target) for each in (declared, *shared) for one in each.held}
    held |= {("ModelActivation", each.spec.model) for one in shared for each in one.activations}
    held |= {("InferenceLimit", each.spec.model) for one in shared for each in one.limits}
    for name, model in sorted(snapshot.models.items()):
        activation, limit = ("ModelActivation", name), ("InferenceLimit", name)
        activated = model.state is ActivationState.ACTIVATED
        if activated and name not in declared.activations_by_model and activation not in held:
            yield _found("/".join(activation), f"{name} is activated, and no declaration says so")
        if isinstance(model.limit, Limit) and name not in declared.limits_by_model and limit not in held:
            tokens = f"{model.limit.tokens:,}"
            yield _found("/".join(limit), f"{name} has a limit of {tokens} tokens, and no declaration says so")


def _overrides(declared: Declared, snapshot: Snapshot) -> Iterator[Finding]:
    named = {override.spec.endpoint.id or override.spec.endpoint.name for override in declared.overrides}
    named |= {held.target for held in declared.held if held.kind == "EndpointRateOverride"}
    for endpoint_id, endpoint in sorted(snapshot.endpoints.items()):
        rate = endpoint.override
        if not isinstance(rate, Rate) or endpoint_id in named or endpoint.name in named:
            continue
        halves = ", ".join(f"{half} {each:,}" for half, each in (("rpm", rate.rpm), ("tpm", rate.tpm)) if each)
        if halves:
            yield _found(
                f"EndpointRateOverride/{endpoint_id}",
                f"{endpoint.name} ({endpoint_id}) has an override of {halves}, and no declaration says so",
            )


def _switches(context: Context, snapshot: Snapshot) -> Iterator[Finding]:
    """The account's switches that are on. A PlatformAccount that cannot be read may declare them."""
    kind, account = registry()["PlatformAccount"], context.account
    if any(held.kind == "PlatformAccount" for held in context.declared.held):
        return
    live = kind.live(snapshot, Target(account.kind, account.account))
    parts = (account, *(context.everything.accounts[key] for key in siblings(context)))
    wanted = {path for each in parts for path in kind.desired(each, context.now)}
    for path, value in sorted(live.items()):
        if value is True and path not in wanted:
            said = f"{path} is on for account {account.account}, and no declaration says so"
            yield Finding(
                RULE.id, RULE.severity, said, hint="Say so in the PlatformAccount's spec.", resource=account.address
            )


def _check(context: Context) -> Iterator[Finding]:
    if _unreadable(context.declared):
        return
    owned = {f"{target.kind}/{target.name}" for target, record in context.history.records.items() if record.owner}
    items = (*_models(context, seen(context)), *_overrides(context.declared, seen(context)))
    yield from (found for found in items if found.resource not in owned)  # a declaration elsewhere answers for it
    yield from _switches(context, seen(context))


RULE = Rule(id="unmanaged-item", severity=Severity.INFO, check=_check, needs_platform=True, routine=True)
