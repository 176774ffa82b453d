"""Which platform account an account's name stands for."""

import pytest

from reconciler.identity import Identity, Match, compare, remembered

FILE = Identity(platform="embedded", account="f1")
READ = Identity(platform="ark", account="2100", scope="cn-beijing/default", at="cn-beijing", key="k1")
UNREAD = Identity(platform="ark", scope="cn-beijing/default", at="cn-beijing", key="k1")


def of(known: Identity, **other: str) -> Identity:
    facts = {
        "platform": known.platform,
        "account": known.account,
        "scope": known.scope,
        "at": known.at,
        "key": known.key,
    }
    return Identity(**{**facts, **other})


@pytest.mark.parametrize(
    ("known", "seen", "says"),
    [
        (None, FILE, Match.SAME),
        (FILE, None, Match.SAME),
        (FILE, FILE, Match.SAME),
        (FILE, of(FILE, account="f2"), Match.CHANGED),
        (FILE, READ, Match.CHANGED),
        (READ, of(READ, key="rotated"), Match.SAME),
        (READ, of(READ, at="another way in"), Match.SAME),
        (READ, of(READ, account="2200"), Match.CHANGED),
        (READ, of(READ, scope="cn-beijing/other"), Match.CHANGED),
        (READ, UNREAD, Match.SAME),
        (READ, of(UNREAD, key="rotated"), Match.UNPROVEN),
        (READ, of(UNREAD, at="elsewhere"), Match.UNPROVEN),
        (UNREAD, UNREAD, Match.SAME),
        (UNREAD, READ, Match.SAME),
        (UNREAD, of(UNREAD, key="rotated"), Match.UNPROVEN),
        (UNREAD, of(READ, key="rotated"), Match.UNPROVEN),
        (UNREAD, of(UNREAD, at="elsewhere"), Match.CHANGED),
        (UNREAD, of(UNREAD, scope="cn-beijing/other"), Match.CHANGED),
    ],
)
def test_an_account_is_the_remembered_one_only_as_far_as_that_is_proven(
    known: Identity | None, seen: Identity | None, says: Match
) -> None:
    assert compare(known, seen) is says


def test_an_id_once_read_is_not_forgotten_while_it_cannot_be_read() -> None:
    assert remembered(READ, UNREAD) == READ
    assert remembered(UNREAD, READ) == READ
    assert remembered(None, UNREAD) == UNREAD


def test_a_digest_of_a_key_is_never_shown() -> None:
    assert "k1" not in f"{READ} {UNREAD}"
