"""The durable record: the lock, the journal of runs, what we own and from which declaration, baselines, last-set times.

SQLite by default (`.modelpolicy/ledger.db`), PostgreSQL for a team (`postgresql://...`). One account's facts never mix with
another's. What is journaled is on disk before the call returns. No secret is ever passed in here.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from reconciler.plan import Change
from reconciler.state import Entry, History, Outcome, Record, Run


class Lease(Protocol):
    """The account's lock while we hold it; a background heartbeat keeps it."""

    def held(self) -> bool:
        """Whether it is certain, by the monotonic clock, that nobody else can hold it: asked before each platform write."""
        ...


class Journal(Protocol):
    """One run's pen. Each method is durable when it returns."""

    run: str

    def intend(self, change: Change, now: datetime) -> None:
        """Before the change's first write."""
        ...

    def settle(self, change: Change, outcome: Outcome, record: Record | None, now: datetime) -> None:
        """After the change: its outcome and, where it changed what is remembered of the item, the whole new record."""
        ...


class Ledger(Protocol):
    """The store. Raises `errors.LedgerError`; `lock` raises `errors.LockHeld` after waiting `wait_s` seconds in vain."""

    def history(self, account: str) -> History:
        """What is remembered of the account. Read-only; never creates the store."""
        ...

    def lock(self, account: str, operation: str, *, wait_s: float = 0.0) -> AbstractContextManager[Lease]:
        """Hold the account's lease for the length of the context."""
        ...

    def begin(self, run: Run) -> Journal:
        """Open a run; entries of a run that was killed stay without a result and are visible in `runs`."""
        ...

    def finish(self, run: str, result: str, now: datetime) -> None:
        """Close a run with its result word ("converged", "partial", "failed", "interrupted")."""
        ...

    def remember(self, account: str, records: Iterable[Record]) -> None:
        """Replace what is remembered of these items, in one transaction (adoption, equality seen, release, attestation)."""
        ...

    def runs(self, account: str | None = None, limit: int = 50) -> tuple[Run, ...]:
        """The latest runs, newest first."""
        ...

    def entries(self, run: str) -> tuple[Entry, ...]:
        """A run's entries in order."""
        ...

    def spent(self, plan: str) -> Run | None:
        """The run that carried out the saved plan with this content digest, None while it is unused: a plan works once."""
        ...

    def statuses(self, account: str) -> Mapping[str, Any]:
        """The statuses last published, as JSON values by address; {} where there are none."""
        ...

    def publish(self, account: str, statuses: Mapping[str, Any]) -> None:
        """Replace the published statuses of the account."""
        ...

    def unlock(self, account: str) -> str | None:
        """Break the account's lease, whoever holds it; returns the former holder, None where there was none."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
