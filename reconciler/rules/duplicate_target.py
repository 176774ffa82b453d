"""Two resources declare the same item, or two PlatformAccounts are one platform account.

Why: whichever is carried out last would win, so each pass would undo the other's wish. In files neither is carried out; in a
cluster the older one keeps the item, and is told of the other.
What to do: delete one of the two, or let them name different items. An endpoint named once by id and once by name is one endpoint.
Ark's API does not say whose account a key belongs to, so two keys of one account look like two accounts: declare that account once.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.platform_account import PlatformAccountSpec, PlatformName
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import others


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


def platform_account(account: Resource[PlatformAccountSpec]) -> Hashable:
    """Equal for two accounts that are visibly one platform account. With other credentials it cannot be told offline."""
    spec = account.spec
    if spec.platform is PlatformName.EMBEDDED:
        path = "/".join(part for part in spec.embedded.path.split("/") if part not in ("", "."))
        return spec.platform, spec.embedded.path.startswith("/"), path
    credentials = spec.ark.credentials
    # A Secret is its namespace's own; without any, both take the environment's.
    key = (
        (credentials.file, credentials.secret_name and (account.namespace, credentials.secret_name))
        if credentials
        else None
    )
    return spec.platform, (spec.ark.endpoint or "").rstrip("/"), spec.ark.region, key


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
    claimants: dict[Hashable, list[Resource[Any]]] = {}
    for item, resource in claims:
        if not resource.deleting:
            claimants.setdefault(item, []).append(resource)
    for found in claimants.values():
        if len(found) > 1:
            winner = _winner(found)
            for one in found:
                rivals = list(islice((each for each in found if each is not one), 50))
                yield _Conflict(one, rivals, loses=one is not winner)


def _check(context: Context) -> Iterator[Finding]:
    declared = context.declared
    claims = ((_item(context, r), r) for r in (*declared.activations, *declared.limits, *declared.overrides))
    for found in _conflicts(claims):
        resource = found.resource
        place = ("spec", "endpoint") if resource.kind == "EndpointRateOverride" else ("spec", "model")
        end = "each would undo the other" if found.loses else "being the oldest, it keeps the item"
        finding = RULE.finding(
            f"{resource.address} declares the same item as {others(found.rivals)}; {end}",
            resource,
            resource.at(*place),
            hint="Keep one of them, or let them name different items.",
        )
        yield found.told(finding)
    yield from _same_accounts(context)


def _same_accounts(context: Context) -> Iterator[Finding]:
    """This account, where another turns out to be the same platform account: by what is declared, else by what was seen."""
    accounts = context.everything.accounts
    declared = ((platform_account(account), account) for account in accounts.values())
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
