"""Which PlatformAccounts are one platform account, and which are parts of one that share what belongs to all of it.

No rule lives here. Told by what is declared, else by what the platforms said; where neither tells, two accounts are two.
"""

from collections.abc import Hashable, Iterator

from reconciler.identity import Identity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec, PlatformName
from reconciler.rules import Context

Account = Resource[PlatformAccountSpec]


def whole(account: Account) -> Hashable:
    """Equal for two accounts that are visibly parts of one platform account. With other credentials it cannot be told offline."""
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
    return spec.platform, (spec.ark.endpoint or "").rstrip("/"), spec.ark.region, spec.ark.account_id or key


def place(account: Account) -> Hashable:
    """Equal for two accounts that are visibly one and the same part of one platform account."""
    return whole(account), account.spec.ark.project if account.spec.platform is PlatformName.ARK else ""


def siblings(context: Context) -> Iterator[str]:
    """The keys of the other accounts that are another part of this one's platform account, sorted: what is declared there of
    the account as a whole holds here too."""
    mine, key = context.account, context.account.account
    seen = context.identities.get(key)
    for other, account in sorted(context.everything.accounts.items()):
        if other == key or place(account) == place(mine):
            continue
        if whole(account) == whole(mine) or _parts_of_one(seen, context.identities.get(other)):
            yield other


def _parts_of_one(one: Identity | None, other: Identity | None) -> bool:
    return one is not None and other is not None and one.whole == other.whole and one.place != other.place


def declared_by_siblings(context: Context) -> tuple[Declared, ...]:
    """What is declared for each of `siblings`."""
    return tuple(context.everything.for_account(key) for key in siblings(context))
