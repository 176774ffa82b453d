"""One run's pen: what is intended is on disk before its first write, and what became of it after."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reconciler.ledger import Intent, Settlement, codec, rows
from reconciler.ledger.database import Access, Session
from reconciler.state import Run, Target


class Pen:
    """`reconciler.ledger.Journal` of one run."""

    def __init__(self, access: Access, run: Run) -> None:
        self.run = run.id
        self._account = run.account
        self._access = access
        self._numbers = itertools.count(1)
        self._sequences: dict[Target, int] = {}

    def intend(self, intents: Sequence[Intent], now: datetime) -> None:
        with self._access.writing() as session:
            session.run_many(rows.INTEND, [self.row(intent, now) for intent in intents])

    def row(self, intent: Intent, now: datetime) -> tuple[Any, ...]:
        change = intent.change
        sequence = self._sequences[change.target] = next(self._numbers)
        after = {field.path: field.after for field in change.fields}
        return (
            self.run, sequence, self._account, codec.time_text(now), change.address, change.target.kind, change.target.name,
            change.action.value, codec.fields_text(intent.before), codec.fields_text(after), codec.record_text(intent.hoped),
        )  # fmt: skip

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        with self._access.writing() as session:
            self.settle_in(session, settlements, now)

    def settle_in(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        at = codec.time_text(now)
        results = [
            (each.outcome.result.value, rows.message(each), at, self.run, self._sequences[each.change.target])
            for each in settlements
        ]
        records = [rows.record_row(self._account, each.record) for each in settlements if each.record]
        session.run_many(rows.SETTLE, results)
        session.run_many(rows.REMEMBER, records)
