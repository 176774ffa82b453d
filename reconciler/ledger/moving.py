"""A whole ledger elsewhere: copied as a backup, restored from one, or moved. Nothing of it is lost, and there are never two.

    copy       one moment of the source, while others write, into a sealed ledger
    restore    into a new ledger, where every renewal is unknown: a later one may have been set since the backup
    move       source held still -> target written and sealed as arriving -> source sealed as moved -> target unsealed

Interrupted before the source is sealed, the source stays the ledger and the same command begins anew; after, it ends the move.
"""

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, Final

from reconciler import ledger_address
from reconciler.errors import LedgerError, LockHeld
from reconciler.ledger import codec, holders, lease, rows, seal
from reconciler.ledger.database import Access, Session
from reconciler.ledger.holders import Life
from reconciler.ledger.schema import additions_of, make, version_of
from reconciler.ledger.seal import Seal
from reconciler.state import Run, Target

BATCH: Final = 500
MOVES: Final = "moves"  # the fact with the ids of all moves that led to a ledger
_OURS: Final = ("additions", "sealed", MOVES)  # facts of one ledger alone
FIRST: Final = {
    "modelpolicy_runs": "id, account, operation, actor, revision, reason, plan, started_at, finished_at, result",
    "modelpolicy_entries": "run, sequence, account, at, address, kind, target, action, before, after, hoped, result, message, "
    "finished_at",
    "modelpolicy_records": "account, kind, name, body",
    "modelpolicy_statuses": "account, address, body",
}
WHOLE: Final = {
    **FIRST,
    "modelpolicy_runs": rows.RUN_COLUMNS,
    "modelpolicy_facts": "name, body",
    "modelpolicy_accounts": "account, body",
    "modelpolicy_set_statuses": "account, set_name, address, body",
}
FROZEN: Final = (*(name for name in WHOLE if name != "modelpolicy_facts"), "modelpolicy_locks")
Change = Callable[[str, tuple[Any, ...]], tuple[Any, ...]]


def copy(source: Access, target: Access, now: str) -> int:
    """Make `target` a backup of one moment of the source; returns how many rows it has."""
    with _still(source, write=False) as old, _fresh(target) as new:
        poured = _pour(old, new, _as_it_is)
        seal.put(new, Seal(seal.BACKUP, where(source), "", now), FROZEN)
    return poured


def restore(backup: Access, target: Access, run: Run) -> int:
    """Make `target` a ledger of a backup, and journal that; returns how many rows it has."""
    with _still(backup, write=False, sealed=True) as old, _fresh(target) as new:
        poured = _pour(old, new, _renewals_unknown)
        new.run(rows.BEGIN, *rows.run_row(run))
    return poured


def move(source: Access, target: Access, run: Run) -> int:
    """Move the source to `target`; returns how many rows went, 0 where an interrupted move was only to be ended."""
    if _ended(source, target):
        return 0
    _must_be(source)
    with _still(source, write=True) as old:
        _nobody_works(source, old)
        moves = [*_moves(old), run.id]
        with _fresh(target, arriving_from=where(source), moves=moves[:-1]) as new:
            poured = _pour(old, new, _as_it_is)
            new.run(rows.BEGIN, *rows.run_row(run))
            new.run("INSERT INTO modelpolicy_facts (name, body) VALUES (?, ?)", MOVES, json.dumps(moves))
            seal.put(new, Seal(seal.ARRIVING, where(source), run.id, codec.time_text(run.started_at)), FROZEN)
        seal.put(old, Seal(seal.MOVED, where(target), run.id, codec.time_text(run.started_at)), FROZEN)
    _unseal(target)
    return poured


def where(access: Access) -> str:
    """The place of a ledger for people, whole and without a secret."""
    name = access.database.name
    return name if ledger_address.is_url(name) else os.path.abspath(name)  # noqa: PTH100  # text, not looked at


def _ended(source: Access, target: Access) -> bool:
    """Whether the source is moved to the target already; where only the last step is missing, it is done."""
    with _peeked(source) as old, _peeked(target) as new:
        gone, come = old and seal.of(old), new and seal.of(new)
        moves = _moves(new) if new and not come and new.has_table("modelpolicy_facts") else []
        taken = bool(new and not come and new.has_table("modelpolicy_schema"))
    if not gone or gone.why != seal.MOVED or gone.other != where(target):
        if taken:  # told before the source is held: it may be the very same
            raise _taken(target)
        return False
    if come and come.why == seal.ARRIVING and come.move == gone.move:
        _unseal(target)
        return True
    return gone.move in moves


def _taken(access: Access) -> LedgerError:
    return LedgerError(
        f"there is a ledger at {access.database.name} already, which is not overwritten; name another place"
    )


def _must_be(access: Access) -> None:
    """Raise where there is no ledger: opening one to write would make it."""
    with _peeked(access) as session:
        if session is None or not session.has_table("modelpolicy_schema"):
            raise LedgerError(f"there is no ledger at {access.database.name}")


def _unseal(target: Access) -> None:
    session = target.database.session(write=True)
    assert session is not None  # it was written just now
    with closing(session), session.transaction(write=True):
        session.alone()
        seal.take_off(session, FROZEN)


@contextmanager
def _peeked(access: Access) -> Iterator[Session | None]:
    """To look into a ledger whatever its state; None where there is none."""
    session = access.database.session(write=False)
    if session is None:
        yield None
        return
    with closing(session), session.transaction(write=False):
        yield session


@contextmanager
def _still(access: Access, *, write: bool, sealed: bool = False) -> Iterator[Session]:
    """One moment of a ledger; `write`: nobody else writes until the end. `sealed`: a sealed one is read all the same."""
    session = access.session() if write else access.database.session(write=False)
    if session is None:
        raise LedgerError(f"there is no ledger at {access.database.name}")
    with closing(session), session.transaction(write=write):
        if write:
            session.alone()
            session.still(FROZEN)
        if not (sealed and seal.of(session)) and not version_of(session, access.database.name, write=write):
            raise LedgerError(f"there is no ledger at {access.database.name}")
        yield session


@contextmanager
def _fresh(access: Access, arriving_from: str = "", moves: Iterable[str] = ()) -> Iterator[Session]:
    """A new ledger, all or nothing. What an interrupted move from that place left is taken away, and so is a ledger that was moved
    away by one of those moves and now comes back."""
    session = access.database.session(write=True)
    if session is None:  # only a session for reading may be absent
        raise LedgerError(f"the ledger {access.database.name} cannot be created")
    with closing(session), session.transaction(write=True):
        session.alone()
        found = seal.of(session)
        if session.has_table("modelpolicy_schema"):
            again = found and found.why == seal.ARRIVING and found.other == arriving_from
            back = found and found.why == seal.MOVED and found.move in moves
            if not again and not back:
                raise _taken(access)
            seal.take_off(session, FROZEN)
            for table in (*WHOLE, "modelpolicy_locks"):
                session.run(
                    f"DELETE FROM {table}{' WHERE name <> ?' if table == 'modelpolicy_facts' else ''}",  # noqa: S608  # constants
                    *(["additions"] if table == "modelpolicy_facts" else []),
                )
        else:
            make(session)
        yield session


def _nobody_works(access: Access, session: Session) -> None:
    """Raise LockHeld where an account is locked by somebody who may be alive."""
    for account, held in sorted(lease.locks(session, access.database).items()):
        if holders.judge(held, shared_clock=access.database.shared_clock).life is not Life.GONE:
            raise LockHeld(
                f"account {account} is locked, and a ledger is moved only while nobody works on it; stop the run first",
                holder=held.holder,
            )


def _moves(session: Session) -> list[str]:
    if not session.has_table("modelpolicy_facts"):
        return []
    body = session.rows("SELECT body FROM modelpolicy_facts WHERE name = ?", MOVES)
    return list(json.loads(body[0][0])) if body else []


def _pour(old: Session, new: Session, change: Change) -> int:
    """Every row of the one into the other, but locks and what is about the one ledger alone."""
    poured = 0
    for table, columns in (WHOLE if additions_of(old) else FIRST).items():
        marks = ", ".join("?" * len(columns.split(", ")))
        insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  # constants
        found = old.each(f"SELECT {columns} FROM {table}")  # noqa: S608  # constants
        kept = (row for row in found if table != "modelpolicy_facts" or row[0] not in _OURS)
        while batch := [change(table, row) for row in itertools.islice(kept, BATCH)]:
            new.run_many(insert, batch)
            poured += len(batch)
    return poured


def _as_it_is(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ARG001  # the shape of a change
    """Without NUL characters, which PostgreSQL cannot keep."""
    return tuple(value.replace("\x00", "\ufffd") if isinstance(value, str) else value for value in row)


def _renewals_unknown(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a backup cannot know is marked so, also of a change that was not settled when it was made."""
    row = _as_it_is(table, row)
    if table == "modelpolicy_records":
        account, kind, name, body = row
        return account, kind, name, _unknown(Target(kind, name), body)
    if table == "modelpolicy_entries" and row[11] is None:  # its result
        return (*row[:10], _unknown(Target(row[5], row[6]), row[10]), *row[11:])
    return row


def _unknown(target: Target, body: str) -> str:
    return codec.record_text(replace(codec.record_of(target, body), renewal=None, renewal_unknown=True))
