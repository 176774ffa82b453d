"""Which account of a platform an account's name stands for, and whether it still is the one that is remembered.

A name is a user's word and may be pointed elsewhere; the platform's own id may not. Pure: no I/O, no secret (`key` is a digest).

    known           seen                                    says
    an id           an id                                   equal id and scope: SAME, else CHANGED
    an id           none could be read                      equal key, place and scope: SAME, else UNPROVEN
    no id yet       whatever                                another place or scope: CHANGED; another key: UNPROVEN; else SAME
"""

from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A platform account as the platform itself knows it.

    `account` is the platform's own id, "" while it could not be read; `scope` is the part of that account that is meant
    (region and project), "" where accounts have no parts; `at` is where it answers, "" where that says nothing; `key` is a
    digest of the access key's id (never of the secret), "" where there is no key. A key rotates, so it proves nothing once
    an id is known.
    """

    platform: str
    account: str = ""
    scope: str = ""
    at: str = ""
    key: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Equal for two identities that are the same part of one platform account, as far as that can be told."""
        return self.platform, self.account or f"{self.at} {self.key}", self.scope

    @property
    def whole(self) -> tuple[str, str, str]:
        """Equal for two identities that are parts of one platform account, as far as that can be told. A scope is named from
        its outermost part in (region/project): what belongs to the account as a whole is shared by its last parts."""
        return self.platform, self.account or f"{self.at} {self.key}", self.scope.rpartition("/")[0]

    def __str__(self) -> str:
        """For people: what tells this account from another, without the digest of its key."""
        whose = self.account or "an account whose id could not be read"
        parts = [f"in {self.scope}" if self.scope else "", f"at {self.at}" if self.at and not self.account else ""]
        return " ".join(filter(None, [self.platform, whose, *parts]))


class Match(StrEnum):
    """What comparing a remembered identity with the present one says."""

    SAME = "same"
    CHANGED = "changed"
    UNPROVEN = "unproven"


def compare(known: Identity | None, seen: Identity | None) -> Match:
    """Whether the account that answers now is the remembered one. Nothing remembered, or nothing seen, contradicts nothing."""
    if known is None or seen is None:
        return Match.SAME
    if (known.platform, known.scope) != (seen.platform, seen.scope):
        return Match.CHANGED
    if known.account and seen.account:
        return Match.SAME if known.account == seen.account else Match.CHANGED
    if known.account:
        return Match.SAME if (known.at, known.key) == (seen.at, seen.key) else Match.UNPROVEN
    if known.at != seen.at:
        return Match.CHANGED
    return Match.SAME if known.key == seen.key else Match.UNPROVEN


def remembered(known: Identity | None, seen: Identity) -> Identity:
    """What to remember after `seen` proved to be the same: an id once read is kept while it cannot be read."""
    return replace(seen, account=seen.account or (known.account if known else ""))
