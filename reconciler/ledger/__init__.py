"""The durable record: the lock, the journal of runs, what we own and from which declaration, baselines, last-set times.

SQLite by default (`.modelpolicy/ledger.db`), PostgreSQL for a team (`postgresql://...`). One account's facts never mix with
another's. What is journaled is on disk before the call returns. No secret is ever passed in here.

    store.py      every statement of a run, once, for both databases; journal.py a run's pen; rows.py codec.py values <-> rows
    checking.py   whether it is whole
    moving.py     a whole ledger elsewhere; seal.py what makes one unusable
    upkeep.py     what is done to all that is remembered of an account or a set
    lease.py      the lock and its heartbeat; holders.py who has it and whether that one lives
    database.py   what a database must be able to do, and the way in; schema.py its tables
    sqlite.py     the only import of sqlite3 here          postgres.py   the only import of psycopg
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler import ledger_address
from reconciler.identity import Identity
from reconciler.ledger.holders import Held, Verdict
from reconciler.plan import Change
from reconciler.state import Entry, Fields, History, Outcome, Record, Run

if TYPE_CHECKING:
    from reconciler.ledger.database import Access

LEASE_S: Final = 30.0
WHOLE: Final = "*"  # the account of a run that was about the whole ledger


@dataclass(frozen=True, slots=True)
class Intent:
    """A change about to be written: the item before it, and the record that holds once its writes happened."""

    change: Change
    before: Fields
    hoped: Record


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a change: its outcome and, where it changed what is remembered of the item, the whole new record."""

    change: Change
    outcome: Outcome
    record: Record | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a later look found of an intent that was never settled: entry `sequence` of `run` ended with `result`."""

    run: str
    sequence: int
    result: str
    message: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class Lock:
    """Who holds an account's lock, and whether that holder lives, as seen from here."""

    account: str
    held: Held
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which runs are looked for; what is "" or None is not asked. `kind` and `name` are of a resource or of an item that a change
    of the run was about, `actor` is a part of who ran it, in any case."""

    kind: str = ""
    name: str = ""
    since: datetime | None = None
    actor: str = ""
    set_name: str = ""


EVERY: Final = Search()


class Lease(Protocol):
    """The account's lock while we hold it; a background heartbeat keeps it."""

    def held(self) -> bool:
        """Whether it is certain, by the monotonic clock, that nobody else can hold it: asked before each platform write."""
        ...


class Journal(Protocol):
    """One run's pen. Each method is one transaction, durable when it returns; safe from several threads."""

    run: str

    def intend(self, intents: Sequence[Intent], now: datetime) -> None:
        """Before the first write of any of them."""
        ...

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """After the changes: what was intended has now a result, and the records are replaced."""
        ...


class Ledger(Protocol):
    """The store. Raises `errors.LedgerError`; `lock` raises `errors.LockHeld` after waiting `wait_s` seconds in vain, and for as
    long as a lease more where it cannot tell whether the holder lives; not so `at_once`, for a caller that asks again."""

    def history(self, account: str) -> History:
        """What is remembered of the account. Read-only; never creates the store."""
        ...

    def lock(
        self, account: str, operation: str, *, wait_s: float = 0.0, at_once: bool = False
    ) -> AbstractContextManager[Lease]:
        """Hold the account's lease for the length of the context."""
        ...

    def begin(self, run: Run) -> Journal:
        """Open a run, and close as interrupted what killed runs of the account left open: under the account's lock nobody else
        runs. Their entries stay without a result until `recover`."""
        ...

    def finish(self, run: str, result: str, now: datetime) -> None:
        """Close a run with its result word ("converged", "waiting" for a person or a later time, "partial",
        "failed", "interrupted"; "attested" and "released" are `note`'s)."""
        ...

    def remember(self, account: str, records: Iterable[Record]) -> None:
        """Replace what is remembered of these items, in one transaction (adoption, equality seen, release, attestation)."""
        ...

    def note(self, run: Run, intent: Intent, word: Settlement) -> None:
        """Journal a run that is over and wrote nothing to the platform, and replace the record that it changed, in one
        transaction. It needs no lock, and leaves open runs alone: a person's word is taken while a watcher leads."""
        ...

    def recover(self, account: str, found: Iterable[Found], now: datetime) -> None:
        """Settle what earlier runs left open and close those runs as interrupted; call it only while holding the lock."""
        ...

    def runs(self, account: str | None = None, limit: int = 50, search: Search = EVERY) -> tuple[Run, ...]:
        """The latest runs that are looked for, newest first; with an account also those of the whole ledger. Read-only."""
        ...

    def accounts(self) -> tuple[str, ...]:
        """Every account that something is remembered of, sorted. Read-only."""
        ...

    def locks(self) -> tuple[Lock, ...]:
        """Which accounts are locked, and by whom, sorted by account. Read-only."""
        ...

    def entries(self, run: str) -> tuple[Entry, ...]:
        """A run's entries in order. Read-only."""
        ...

    def spent(self, plan: str) -> Run | None:
        """The run that carried out the saved plan with this content digest, None while it is unused: a plan works once."""
        ...

    def statuses(self, account: str, set_name: str = "") -> Mapping[str, Any]:
        """The statuses that the set last published, as JSON values by address; {} where there are none. Read-only."""
        ...

    def publish(self, account: str, statuses: Mapping[str, Any], set_name: str = "") -> None:
        """Replace the set's published statuses of the account; writes only those that differ, and no other set's."""
        ...

    def bind(self, account: str, identity: Identity) -> None:
        """Remember which account of the platform the account's records are of (`History.identity`)."""
        ...

    def sets(self) -> frozenset[str]:
        """The names of the declaration sets that own something, on any account. Read-only."""
        ...

    def fact(self, name: str) -> str | None:
        """What is kept under a name for the whole ledger, None where nothing is. Read-only."""
        ...

    def keep_fact(self, name: str, body: str) -> str:
        """Keep a fact unless one is there already by that name; returns what is kept from now on."""
        ...

    def unlock(self, lock: Lock, run: Run) -> bool:
        """Break this lock and journal the run that does, which is over; False where the lock is no longer that holder's."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


WAY_BACK: Final = "move it aside, restore a backup or name another with --ledger"


def open_ledger(url_or_path: str, *, lease_s: float = LEASE_S) -> Ledger:
    """The ledger at an SQLite file or at a `postgresql://` URL. Nothing is created or connected before it is needed. Raises
    `NoLedgerAddress` where what is given is neither."""
    from reconciler.ledger.store import Store  # only a verb that needs the ledger pays for it

    return Store(open_access(url_or_path), lease_s)


def open_access(url_or_path: str) -> "Access":
    """The way into the same ledger for what is done to a whole ledger: moving, checking, keeping it small."""
    from reconciler.ledger.database import Access

    where = ledger_address.checked(url_or_path)
    if ledger_address.is_url(where):
        from reconciler.ledger.postgres import Postgres  # an extra, and slow to import

        return Access(Postgres(where))
    from reconciler.ledger.sqlite import Sqlite

    return Access(Sqlite(where))
