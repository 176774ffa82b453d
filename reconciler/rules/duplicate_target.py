"""Two resources declare the same item, or two PlatformAccounts are one platform account.

Why: whichever is carried out last would win, so each pass would undo the other's wish. In files neither is carried out; in a
cluster the older one keeps the item, and is told of the other.
Two PlatformAccounts on two projects of one Ark account share its activations, limits and switches, not its endpoints (D17).
What to do: delete one of the two, or let them name different items. An endpoint named once by id and once by name is one endpoint.
Two keys of one account look like two accounts until the platform says whose they are: `modelpolicy doctor` says whether it does.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.common import PolicySpec
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed, others
from reconciler.rules.same_account import declared_by_siblings, place, siblings

K = TypeVar("K", bound=Hashable)


def _item(context: Context, resource: Resource[Any]) -> Hashable:
    """What the resource claims: the item itself where the platform was seen, else what the declaration calls it."""
    if resource.kind != "EndpointRateOverride":
        return resource.kind, resource.spec.model
    if context.snapshot is not None:
        target = registry()[resource.kind].target(resource, context.snapshot)
        if target is not None:
            return resource.kind, target.name
    ref = resource.spec.endpoint
    return resource.kind, ("id", ref.id) if ref.id is not None else ("name", ref.name)


def _winner(claimants: list[Resource[Any]]) -> Resource[Any] | None:
    """Who keeps the item: nobody in files; the oldest in a cluster, where creation times tell."""
    if any(each.created is None for each in claimants):
        return None
    return min(claimants, key=lambda each: (each.created, each.namespace or "", each.name))


@dataclass(frozen=True, slots=True)
class _Conflict:
    """A resource that claims an item which `rivals` claim too; it loses its claim, or keeps the item."""

    resource: Resource[Any]
    rivals: list[Resource[Any]]
    loses: bool

    def told(self, finding: Finding) -> Finding:
        """The finding that the loser gets; a warning for the one that keeps the item."""
        return finding if self.loses else replace(finding, severity=Severity.WARNING)


def _conflicts(claims: Iterable[tuple[Hashable, Resource[Any]]]) -> Iterator[_Conflict]:
    """Every resource whose claim another makes too."""
    return (conflict for _, conflict in _by_item(claims))


def _by_item(claims: Iterable[tuple[K, Resource[Any]]]) -> Iterator[tuple[K, _Conflict]]:
    """The same, with what is claimed."""
    claimants: dict[K, list[Resource[Any]]] = {}
    for item, resource in claims:
        if not resource.deleting:
            claimants.setdefault(item, []).append(resource)
    for item, found in claimants.items():
        if len(found) > 1:
            winner = _winner(found)
            for one in found:
                rivals = list(islice((each for each in found if each is not one), 50))
                yield item, _Conflict(one, rivals, loses=one is not winner)


def _check(context: Context) -> Iterator[Finding]:
    declared = context.declared
    mine = (*declared.activations, *declared.limits, *declared.overrides)
    for found in _conflicts((_item(context, each), each) for each in (*mine, *_shared(context))):
        resource = found.resource
        if resource.account != context.account.account:
            continue  # told with its own account
        named = ("spec", "endpoint") if resource.kind == "EndpointRateOverride" else ("spec", "model")
        end = "each would undo the other" if found.loses else "being the oldest, it keeps the item"
        parts = sorted({each.account for each in found.rivals} - {resource.account})
        why = f", for {resource.account} and {listed(parts)} are parts of one platform account" if parts else ""
        finding = RULE.finding(
            f"{resource.address} declares the same item as {others(found.rivals)}{why}; {end}",
            resource,
            resource.at(*named),
            hint="Keep one of them, or let them name different items.",
        )
        yield found.told(finding)
    yield from _switches(context)
    yield from _same_accounts(context)


def _shared(context: Context) -> Iterator[Resource[Any]]:
    """What other parts of this platform account declare of the account as a whole."""
    kinds = registry()
    for declared in declared_by_siblings(context):
        for each in declared.resources:
            if isinstance(each.spec, PolicySpec) and kinds[each.kind].governs and kinds[each.kind].account_wide:
                yield each


def _switches(context: Context) -> Iterator[Finding]:
    """Switches of the whole account that two of its parts declare. Nothing else of either part is held by it."""
    kind = registry()["PlatformAccount"]
    accounts = [context.account, *(context.everything.accounts[key] for key in siblings(context))]
    claims = ((path, each) for each in accounts for path in kind.desired(each, context.now))
    for path, found in _by_item(claims):
        if found.resource.address != context.account.address:
            continue
        end = "each would undo the other" if found.loses else "being the oldest, it keeps it"
        finding = RULE.finding(
            f"{path} is a switch of the whole platform account, and {others(found.rivals)} declares it too; {end}",
            context.account,
            context.account.at("spec", path),
            hint="Declare the switch on one of them.",
        )
        yield replace(found.told(finding), reason=Reason.RULE_VIOLATION)


def _same_accounts(context: Context) -> Iterator[Finding]:
    """This account, where another turns out to be the same platform account: by what is declared, else by what was seen."""
    accounts = context.everything.accounts
    declared = ((place(account), account) for account in accounts.values())
    seen = ((identity.place, accounts[key]) for key, identity in sorted(context.identities.items()) if key in accounts)
    for claims in (declared, seen):
        found = next((each for each in _conflicts(claims) if each.resource.address == context.account.address), None)
        if found:
            account = found.resource
            end = "their resources would undo each other" if found.loses else "being the oldest, it keeps it"
            finding = RULE.finding(
                f"{account.address} is the same platform account as {others(found.rivals)}; {end}",
                account,
                account.at("spec", account.spec.platform.value),
                hint="Keep one PlatformAccount and let every resource refer to it by accountRef.",
            )
            yield found.told(finding)
            return


RULE = Rule(id="duplicate-target", severity=Severity.ERROR, reason=Reason.CONFLICTED, check=_check)
