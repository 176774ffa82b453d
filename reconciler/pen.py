"""The pen that apply writes with: turns changes and outcomes into what the ledger keeps of a run and of its items.

It stands between two strangers, `apply` and `ledger`, and must not decide anything for either.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from reconciler import kinds, ledger, records
from reconciler.plan import Change, Question
from reconciler.report import Report
from reconciler.state import Outcome, Record, Result


def run_id(now: datetime) -> str:
    """A new run's id: its time, which sorts, and some chance."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


class NoPen:
    """Nothing is due, so nothing is journaled."""

    def intend(self, changes: Sequence[Change], now: datetime) -> None:
        """Never called."""

    def settle(self, done: Sequence[tuple[Change, Outcome]], now: datetime) -> None:
        """Never called."""


class Pen:
    """Apply's journal: turns changes and outcomes into what the ledger remembers of their items."""

    def __init__(self, journal: ledger.Journal, question: Question) -> None:
        self._journal, self._question = journal, question
        self._records = dict(question.history.records)
        self._hopes: dict[Change, Record] = {}
        self._resources = {resource.address: resource for resource in question.governing}

    def intend(self, changes: Sequence[Change], now: datetime) -> None:
        self._journal.intend([self._intent(change, now) for change in changes], now)

    def _intent(self, change: Change, now: datetime) -> ledger.Intent:
        resource, snapshot = self._resources.get(change.address), self._question.snapshot
        owner = Record(target=change.target)
        if resource is not None:
            owner = records.claimed(resource, change.target, self._question.declaration_set)
        kind = kinds.registry()[change.target.kind]
        live = kind.live(snapshot, change.target) if snapshot and kind.exists(snapshot, change.target) else {}
        hope = records.hoped(change, self._records.get(change.target), live, owner, now)
        self._hopes[change] = hope
        return ledger.Intent(change, live, hope)

    def settle(self, done: Sequence[tuple[Change, Outcome]], now: datetime) -> None:
        settlements = []
        for change, outcome in done:
            record = records.settled(self._hopes[change], self._records.get(change.target), outcome)
            if record is not None:
                self._records[change.target] = record
            settlements.append(ledger.Settlement(change, outcome, record))
        self._journal.settle(settlements, now)


def recovered(found: records.Found) -> ledger.Found:
    pending = found.pending
    if found.happened:
        result, message = Result.APPLIED.value, "its run was killed; the platform shows that it happened"
    else:
        result, message = Result.SKIPPED.value, "its run was killed; the platform does not show that it happened"
    return ledger.Found(pending.run, pending.sequence, result, message, found.record)


def result_word(report: Report) -> str:
    """What the run is closed with."""
    results = {outcome.result for outcome in report.outcomes}
    if report.interrupted:
        return "interrupted"
    doubted = any(not (one.confirmed or one.accepted) for one in report.outcomes if one.result is Result.APPLIED)
    if not doubted and not results & {Result.FAILED, Result.SKIPPED}:
        return "waiting" if results & {Result.MANUAL, Result.DEFERRED} else "converged"
    return "partial" if Result.APPLIED in results else "failed"
