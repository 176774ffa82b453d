"""The account's lock: a lease that its holder renews, so that a dead holder's lock frees itself.

    holder   |--beat--beat--beat--x (killed)
    lease         |------------lease_s------------| free
    held()   true until lease_s less a margin after the last beat that the database answered

Expiry is judged by the database's clock, `held` by this machine's monotonic one, so neither trusts the other's wall clock. A
holder on this machine whose process is gone is taken over at once. It must not know what the lock protects.
"""

import getpass
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import LedgerError, LockHeld

if TYPE_CHECKING:
    from reconciler.ledger.store import Database, Session

MARGIN: Final = 0.25  # of the lease: what a slow write may still take after `held` said yes
BEATS: Final = 4  # in one lease
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who wants the lock."""

    account: str
    token: str
    holder: str
    machine: str
    pid: int


@contextmanager
def hold(
    database: "Database", connect: "Callable[[], Session]", wanted: tuple[str, str], times_s: tuple[float, float]
) -> Iterator["Hold"]:
    """Hold the lease for the length of the context. `wanted` is the account and the operation that wants it, `times_s` the
    length of the lease and how long to wait for another holder. `connect` opens a connection for the heartbeat alone."""
    account, operation = wanted
    claim = _Claim(account, uuid.uuid4().hex, _describe(operation), _machine(), os.getpid())
    session = connect()
    try:
        asked_s = _acquire(session, database.now_sql, claim, times_s)
    finally:
        session.close()
    held = Hold(connect, database.now_sql, claim, (times_s[0], asked_s))
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
        return not self._lost and _monotonic_s() < self._beaten_s + self._lease_s * (1 - MARGIN)

    def _beat(self) -> None:
        wait_s = self._lease_s / BEATS
        while not self._over.wait(wait_s):
            asked_s = _monotonic_s()
            kept = self._write(
                f"UPDATE modelpolicy_locks SET expires = {self._now_sql} + ? WHERE account = ? AND token = ?",  # noqa: S608  # a constant
                self._lease_s, self._claim.account, self._claim.token,
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


def _acquire(session: "Session", now_sql: str, claim: _Claim, times_s: tuple[float, float]) -> float:
    """Take the lock, waiting for it at most as long as asked; returns the monotonic second in which it was asked for."""
    lease_s, wait_s = times_s
    until_s = time.monotonic() + wait_s
    while True:
        asked_s = _monotonic_s()
        holder = _take(session, now_sql, claim, lease_s)
        if holder is None:
            return asked_s
        if time.monotonic() >= until_s:
            raise LockHeld(
                f"account {claim.account} is locked; wait for the other run, or break its lock with "
                f"`modelpolicy unlock --account {claim.account}` if you know that it is dead",
                holder=holder,
            )
        time.sleep(min(POLL_S, max(0.0, until_s - time.monotonic())))


def _take(session: "Session", now_sql: str, claim: _Claim, lease_s: float) -> str | None:
    """One try; the present holder where there is a living one."""
    with session.transaction(write=True):
        session.alone()
        rows = session.rows(
            f"SELECT holder, machine, pid, expires > {now_sql} FROM modelpolicy_locks WHERE account = ?",  # noqa: S608  # a constant
            claim.account,
        )
        if rows:
            holder, machine, pid, alive = rows[0]
            if alive and not (machine == claim.machine and not _lives(pid)):
                return str(holder)
            session.run("DELETE FROM modelpolicy_locks WHERE account = ?", claim.account)
        session.run(
            "INSERT INTO modelpolicy_locks (account, token, holder, machine, pid, expires) "  # noqa: S608  # a constant
            f"VALUES (?, ?, ?, ?, ?, {now_sql} + ?)",
            claim.account, claim.token, claim.holder, claim.machine, claim.pid, lease_s,
        )  # fmt: skip
    return None


def _describe(operation: str) -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{user}@{socket.gethostname()} pid {os.getpid()}, {operation}, since {since}"


def _machine() -> str:
    """What tells whether another's process id means anything here: the host and, in containers, the pid namespace."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        space = boot = ""
    return f"{socket.gethostname()} {boot} {space}".strip()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _monotonic_s() -> float:
    """Seconds that also pass while the machine sleeps, where the system has such a clock."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)
