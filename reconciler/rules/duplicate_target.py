"""Two resources declare the same item, or two PlatformAccounts are one platform account.

Why: whichever is carried out last would win, so each pass would undo the other's wish. In files neither is carried out; in a
cluster the older one keeps the item.
What to do: delete one of the two, or let them name different items. An endpoint named once by id and once by name is one endpoint.
"""

from collections.abc import Hashable, Iterable, Iterator
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


def _older_wins(claimants: list[Resource[Any]]) -> list[Resource[Any]]:
    """Those in conflict: all of them in files; all but the oldest in a cluster, where creation times tell."""
    if any(each.created is None for each in claimants):
        return claimants
    return sorted(claimants, key=lambda each: (each.created, each.namespace or "", each.name))[1:]


def _conflicts(
    claims: Iterable[tuple[Hashable, Resource[Any]]],
) -> Iterator[tuple[Resource[Any], list[Resource[Any]]]]:
    """Each resource that loses its claim, with the others that make it."""
    claimants: dict[Hashable, list[Resource[Any]]] = {}
    for item, resource in claims:
        if not resource.deleting:
            claimants.setdefault(item, []).append(resource)
    for found in claimants.values():
        if len(found) > 1:
            for loser in _older_wins(found):
                yield loser, [each for each in found if each is not loser][:50]


def _check(context: Context) -> Iterator[Finding]:
    declared = context.declared
    claims = ((_item(context, r), r) for r in (*declared.activations, *declared.limits, *declared.overrides))
    for resource, rivals in _conflicts(claims):
        place = ("spec", "endpoint") if resource.kind == "EndpointRateOverride" else ("spec", "model")
        yield RULE.finding(
            f"{resource.address} declares the same item as {others(rivals)}; each would undo the other",
            resource,
            resource.at(*place),
            hint="Keep one of them, or let them name different items.",
        )
    yield from _same_accounts(context)


def _same_accounts(context: Context) -> Iterator[Finding]:
    """This account, where another turns out to be the same platform account: by what is declared, else by what was seen."""
    accounts = context.everything.accounts
    declared = ((platform_account(account), account) for account in accounts.values())
    seen = ((identity, accounts[key]) for key, identity in sorted(context.identities.items()) if key in accounts)
    for claims in (declared, seen):
        found = next((each for each in _conflicts(claims) if each[0].address == context.account.address), None)
        if found:
            account, rivals = found
            yield RULE.finding(
                f"{account.address} is the same platform account as {others(rivals)}; their resources would undo each other",
                account,
                account.at("spec", account.spec.platform.value),
                hint="Keep one PlatformAccount and let every resource refer to it by accountRef.",
            )
            return


RULE = Rule(id="duplicate-target", severity=Severity.ERROR, reason=Reason.CONFLICTED, check=_check)
