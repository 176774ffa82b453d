"""The account's lock: a lease that its holder renews, so that a dead holder's lock frees itself.

    holder   |--beat--beat--beat--x (killed)
    lease         |------------lease_s------------| free
    held()   true until lease_s less a margin after the last beat that the database answered

`held` is judged by this machine's monotonic clock, whether another lives by `holders`. Where that is doubtful, the lock is taken
only after it was seen without a beat for the length of a lease, by the monotonic clock of who looks: then its holder's own
`held` has ended, whatever any wall clock says. It must not know what the lock protects.
"""

import getpass
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.errors import LedgerError, LockHeld
from reconciler.ledger import holders
from reconciler.ledger.holders import Held, Life, Process

if TYPE_CHECKING:
    from reconciler.ledger.database import Database, Session

MARGIN: Final = 0.25  # of the lease: what a slow write may still take after `held` said yes
BEATS: Final = 4  # in one lease
POLL_S: Final = 0.2
ADDED: Final = 2  # with which addition to the tables the rows are whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants the lock of which account: for how long a lease is good, how long another holder is waited for. `at_once`: a
    doubtful holder is not watched within the call, for the caller asks again."""

    account: str
    operation: str
    lease_s: float
    wait_s: float = 0.0
    at_once: bool = False


@dataclass(slots=True)
class Doubts:
    """Since when the lock of each account was seen without a beat; kept from one call to the next. Knows no database."""

    seen: dict[str, tuple[tuple[str, float, float], float]] = field(default_factory=dict)

    def silent_s(self, account: str, held: Held | None) -> float:
        """For how long by now; a lock that is gone or was renewed begins anew."""
        now_s = holders.boot_s()
        if held is None:
            self.seen.pop(account, None)
            return 0.0
        beat, since_s = self.seen.get(account, (None, now_s))
        if beat != held.beat:
            since_s = now_s
        self.seen[account] = (held.beat, since_s)
        return now_s - since_s


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who wants the lock, as its row says it."""

    account: str
    token: str
    holder: str
    process: Process


@contextmanager
def hold(database: "Database", connect: "Callable[[], Session]", wish: Wish, doubts: Doubts) -> Iterator["Hold"]:
    """Hold the lease for the length of the context. `connect` opens a connection for the heartbeat alone."""
    claim = _Claim(wish.account, uuid.uuid4().hex, _describe(wish.operation), holders.here())
    session = connect()
    try:
        asked_s = _acquire(session, database, claim, wish, doubts)
    finally:
        session.close()
    held = Hold(connect, database.now_sql, claim, (wish.lease_s, asked_s))
    try:
        yield held
    finally:
        held.release()


class Hold:
    """A held lease; its thread renews it until `release`, on a connection of its own that is opened anew after a failure."""

    def __init__(
        self, connect: "Callable[[], Session]", now_sql: str, claim: _Claim, lease: tuple[float, float]
    ) -> None:
        self._connect, self._now_sql, self._claim = connect, now_sql, claim
        self._lease_s, self._beaten_s = lease
        self._session: Session | None = None
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._beat, name="ledger-lease", daemon=True)
        self._thread.start()

    def held(self) -> bool:
        """Whether it is certain that nobody else can hold the lock now."""
        return not self._lost and holders.boot_s() < self._beaten_s + self._lease_s * (1 - MARGIN)

    def _beat(self) -> None:
        wait_s = self._lease_s / BEATS
        while not self._over.wait(wait_s):
            asked_s = holders.boot_s()
            kept = self._write(
                f"UPDATE modelpolicy_locks SET expires = {self._now_sql} + ?, ends_s = ? WHERE account = ? AND token = ?",  # noqa: S608  # a constant
                self._lease_s, asked_s + self._lease_s, self._claim.account, self._claim.token,
            )  # fmt: skip
            if kept:
                self._beaten_s = asked_s
            elif kept == 0:
                self._lost = True
                return

    def _write(self, sql: str, *values: object) -> int | None:
        """How many rows a statement touched; None where the database did not answer: `held` turns False by itself then,
        unless a later beat gets through."""
        try:
            if self._session is None:
                self._session = self._connect()
            with self._session.transaction(write=True) as session:
                return session.run(sql, *values)
        except LedgerError:
            if self._session is not None:
                self._session.close()
            self._session = None
            return None

    def release(self) -> None:
        """Stop renewing and free the lock where it is still ours; where that fails, it frees itself."""
        self._over.set()
        self._thread.join()
        self._lost = True
        self._write(
            "DELETE FROM modelpolicy_locks WHERE account = ? AND token = ?", self._claim.account, self._claim.token
        )
        if self._session is not None:
            self._session.close()


def locks(session: "Session", database: "Database", *, first_version: bool = False) -> dict[str, Held]:
    """Every lock as its row says, by account. Read-only."""
    columns = holders.FIRST_COLUMNS if first_version else holders.COLUMNS
    found = session.rows(f"SELECT account, {columns}, expires, expires - {database.now_sql} FROM modelpolicy_locks")  # noqa: S608  # constants
    return {account: holders.held_of(row) for account, *row in found}


def _acquire(session: "Session", database: "Database", claim: _Claim, wish: Wish, doubts: Doubts) -> float:
    """Take the lock, waiting for it at most as long as asked, for a doubtful holder at most a lease more; returns the
    monotonic second in which it was asked for."""
    until_s = time.monotonic() + wish.wait_s
    first: Held | None = None
    while True:
        asked_s = holders.boot_s()
        taken, held = _take(session, database, claim, wish, doubts)
        if taken:
            return asked_s
        assert held is not None  # or it would have been taken
        first = first or held
        life = holders.judge(held, shared_clock=database.shared_clock).life
        watched = life is Life.DOUBTFUL and held.beat == first.beat and not wish.at_once  # a renewal ends every doubt
        if not watched and time.monotonic() >= until_s:
            raise LockHeld(
                f"account {claim.account} is locked; wait for the other run, or break its lock with "
                f"`modelpolicy unlock --account {claim.account}` if you know that it is dead",
                holder=held.holder,
            )
        time.sleep(POLL_S if watched else min(POLL_S, max(0.0, until_s - time.monotonic())))


def _take(
    session: "Session", database: "Database", claim: _Claim, wish: Wish, doubts: Doubts
) -> tuple[bool, Held | None]:
    """One try: whether the lock is ours now, and else who has it."""
    with session.transaction(write=True):
        session.alone()
        held = locks(session, database).get(claim.account)
        silent_s = doubts.silent_s(claim.account, held)
        if held is not None:
            life = holders.judge(held, shared_clock=database.shared_clock).life
            if life is Life.LIVES or (life is Life.DOUBTFUL and silent_s < held.lease_s):
                return False, held
            session.run("DELETE FROM modelpolicy_locks WHERE account = ?", claim.account)
        session.run(
            "INSERT INTO modelpolicy_locks (account, token, holder, machine, pid, expires, started, clock, lease_s, ends_s) "  # noqa: S608  # a constant
            f"VALUES (?, ?, ?, ?, ?, {database.now_sql} + ?, ?, ?, ?, ?)",
            claim.account, claim.token, claim.holder, claim.process.machine, claim.process.pid, wish.lease_s,
            claim.process.started, claim.process.clock, wish.lease_s, holders.boot_s() + wish.lease_s,
        )  # fmt: skip
    doubts.silent_s(claim.account, None)
    return True, None


def _describe(operation: str) -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{user}@{socket.gethostname()} pid {os.getpid()}, {operation}, since {since}"
