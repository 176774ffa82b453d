"""Remembered moments that lie ahead of the clock: written while a clock was wrong, they would freeze what they are about. Pure.

Such a moment counts as now, and is replaced in the ledger once, so that the two hours of a limit end two hours later.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.kinds.inference_limit import SET_INTERVAL
from reconciler.state import History, Pending, Record

SKEW: Final = timedelta(minutes=1)  # how far the clocks of two machines may differ without a word
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


def ahead(history: History, now: datetime) -> tuple[Record, ...]:
    """The records with a moment ahead of the clock, as they are remembered, by target."""
    return tuple(record for _, record in sorted(history.records.items()) if counted(record, now) != record)


def counting(history: History, now: datetime) -> History:
    """The history as it counts: nothing in it lies ahead of the clock."""
    wrong = {record.target: counted(record, now) for record in ahead(history, now)}
    pending = tuple(_pending(each, now) for each in history.pending)
    if not wrong and pending == history.pending:
        return history
    return replace(history, records={**history.records, **wrong}, pending=pending)


def counted(record: Record, now: datetime) -> Record:
    """The record with now in place of what lies ahead. A wait that the platform asked for may lie ahead, by two hours at most."""
    said = record.attestation
    return replace(
        record,
        equal_at=_at_most(record.equal_at, now),
        set_at=_at_most(record.set_at, now),
        removed_at=_at_most(record.removed_at, now),
        refused_until=_at_most(record.refused_until, now + SET_INTERVAL),
        corrections=tuple(now if _is_ahead(moment, now) else moment for moment in record.corrections),
        attestation=replace(said, at=now) if said is not None and _is_ahead(said.at, now) else said,
    )


def _at_most(moment: datetime | None, most: datetime) -> datetime | None:
    return most if _is_ahead(moment, most) else moment


def _pending(pending: Pending, now: datetime) -> Pending:
    """An intent from ahead of the clock may have begun at any time before now."""
    if not _is_ahead(pending.at, now):
        return pending
    return replace(pending, at=_LONG_AGO, hoped=counted(pending.hoped, now))


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now + SKEW
