"""Whether a ledger is whole and what in it wants a look: every row is read back, and nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.errors import LedgerError
from reconciler.ledger import codec, holders, lease, rows
from reconciler.ledger.database import Access, Session
from reconciler.ledger.holders import Life
from reconciler.ledger.schema import additions_of
from reconciler.state import Target

CLOCKS: Final = timedelta(minutes=1)  # by how much two clocks may differ
_RECORD_TIMES: Final = ("equal_at", "set_at", "removed_at")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know: `damaged` where it cannot be used, else something that a run or a person mends."""

    account: str
    item: str
    message: str
    damaged: bool = False


def check(access: Access, now: datetime) -> tuple[Remark, ...]:
    """All there is to remark. Raises `LedgerError` where the ledger cannot be read at all. Read-only."""
    with access.reading() as session:
        if session is None:
            raise LedgerError(f"there is no ledger at {access.database.name}")
        found = [Remark("", "", each, damaged=True) for each in session.damage()]
        found += _runs(session, now)
        found += _records(session, now)
        found += _entries(session, now)
        found += _locks(access, session)
    return tuple(found)


def _runs(session: Session, now: datetime) -> Iterator[Remark]:
    table = "modelpolicy_runs" if additions_of(session) else rows.FIRST_RUNS
    for row in session.rows(f"SELECT {rows.RUN_COLUMNS} FROM {table}"):  # noqa: S608  # constants
        try:
            run = rows.run(row)
        except (ValueError, TypeError):
            yield Remark(str(row[1]), f"run {row[0]}", "cannot be read back", damaged=True)
            continue
        if run.started_at > now + CLOCKS:
            yield Remark(run.account, f"run {run.id}", f"began in the future, at {run.started_at.isoformat()}")


def _records(session: Session, now: datetime) -> Iterator[Remark]:
    for account, kind, name, body in session.rows("SELECT account, kind, name, body FROM modelpolicy_records"):
        try:
            record = codec.record_of(Target(kind, name), body)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            yield Remark(account, f"{kind}/{name}", "its record cannot be read back", damaged=True)
            continue
        for word in _RECORD_TIMES:
            moment = getattr(record, word)
            if moment is not None and moment > now + CLOCKS:
                yield Remark(
                    account,
                    f"{kind}/{name}",
                    f"{word} is in the future, at {moment.isoformat()}: the next run mends it",
                )


def _entries(session: Session, now: datetime) -> Iterator[Remark]:
    for row in session.rows(
        "SELECT run, sequence, at, kind, target, hoped, before, account FROM modelpolicy_entries WHERE result IS NULL"
    ):
        try:
            pending = rows.pending(row[:-1])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            yield Remark(row[-1], f"run {row[0]}", f"its change {row[1]} cannot be read back", damaged=True)
            continue
        ahead = ", in the future" if pending.at > now + CLOCKS else ""
        yield Remark(row[-1], f"{row[3]}/{row[4]}", f"run {pending.run} began to change it at {pending.at.isoformat()}{ahead}, and is "
                     "not known to have ended: the next run finds out")  # fmt: skip
    lost = "SELECT DISTINCT run, account FROM modelpolicy_entries WHERE run NOT IN (SELECT id FROM modelpolicy_runs)"
    for run, account in session.rows(lost):
        yield Remark(account, f"run {run}", "has changes in the journal, but is not in it itself", damaged=True)


def _locks(access: Access, session: Session) -> Iterator[Remark]:
    held: Any
    for account, held in sorted(
        lease.locks(session, access.database, first_version=additions_of(session) < lease.ADDED).items()
    ):
        verdict = holders.judge(held, shared_clock=access.database.shared_clock)
        if verdict.life is not Life.LIVES:
            yield Remark(
                account,
                "",
                f"is locked by {held.holder}, which seems to be dead: {verdict.why}; the next run takes over",
            )
