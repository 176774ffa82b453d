"""The ledger over any SQL database: every statement once, in the SQL that SQLite and PostgreSQL share.

Opened when first used; reading never creates anything. One connection for the store, guarded by a lock, and one of its own for
each lease's heartbeat. It must not know which database it talks to.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

from reconciler.errors import LedgerError
from reconciler.identity import Identity
from reconciler.ledger import (
    EVERY,
    WHOLE,
    Found,
    Intent,
    Journal,
    Lease,
    Lock,
    Search,
    Settlement,
    codec,
    holders,
    lease,
    rows,
)
from reconciler.ledger.database import Access, Session
from reconciler.ledger.journal import Pen
from reconciler.ledger.schema import additions_of
from reconciler.state import Entry, History, Record, Run, Target

INTERRUPTED: Final = "interrupted"
FIRST_TABLES: Final = ("modelpolicy_runs", "modelpolicy_records", "modelpolicy_statuses", "modelpolicy_locks")
ADDED_TABLES: Final = ("modelpolicy_accounts", "modelpolicy_set_statuses")


class Store:
    """`reconciler.ledger.Ledger` in an SQL database."""

    def __init__(self, access: Access, lease_s: float) -> None:
        self._access = access
        self._lease_s = lease_s
        self._doubts = lease.Doubts()

    def history(self, account: str) -> History:
        with self._access.reading() as session:
            if session is None:
                return History()
            records = session.rows("SELECT kind, name, body FROM modelpolicy_records WHERE account = ?", account)
            pending = session.rows(
                "SELECT run, sequence, at, kind, target, hoped, before FROM modelpolicy_entries "
                "WHERE account = ? AND result IS NULL ORDER BY at, run, sequence", account,
            )  # fmt: skip
            bound = (
                session.rows("SELECT body FROM modelpolicy_accounts WHERE account = ?", account)
                if additions_of(session)
                else []
            )
        with self._access.decoding():
            remembered = (codec.record_of(Target(kind, name), body) for kind, name, body in records)
            return History(
                {record.target: record for record in remembered}, exists=True, pending=tuple(map(rows.pending, pending)),
                identity=codec.identity_of(bound[0][0]) if bound else None,
            )  # fmt: skip

    def bind(self, account: str, identity: Identity) -> None:
        with self._access.writing() as session:
            session.run(
                "INSERT INTO modelpolicy_accounts (account, body) VALUES (?, ?) "
                "ON CONFLICT (account) DO UPDATE SET body = excluded.body",
                account, codec.identity_text(identity),
            )  # fmt: skip

    def sets(self) -> frozenset[str]:
        with self._access.reading() as session:
            bodies = [] if session is None else session.rows("SELECT kind, name, body FROM modelpolicy_records")
        with self._access.decoding():
            found = [codec.record_of(Target(kind, name), body) for kind, name, body in bodies]
        return frozenset(record.set_name for record in found if record.owner and record.set_name)

    def fact(self, name: str) -> str | None:
        with self._access.reading() as session:
            if session is None or not additions_of(session):
                return None
            kept = session.rows("SELECT body FROM modelpolicy_facts WHERE name = ?", name)
        return str(kept[0][0]) if kept else None

    def keep_fact(self, name: str, body: str) -> str:
        with self._access.writing() as session:
            session.run(
                "INSERT INTO modelpolicy_facts (name, body) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, body
            )
            return str(session.rows("SELECT body FROM modelpolicy_facts WHERE name = ?", name)[0][0])

    def lock(
        self, account: str, operation: str, *, wait_s: float = 0.0, at_once: bool = False
    ) -> AbstractContextManager[Lease]:
        wish = lease.Wish(
            account=account, operation=operation, lease_s=self._lease_s, wait_s=wait_s, at_once=at_once
        )  # fmt: skip
        return lease.hold(self._access.database, self._access.session, wish, self._doubts)

    def begin(self, run: Run) -> Journal:
        with self._access.writing() as session:
            if run.plan and session.rows(
                "SELECT 1 FROM modelpolicy_runs WHERE plan = ? AND account = ?", run.plan, run.account
            ):
                raise LedgerError("this saved plan was applied already, and a plan works once: plan again")
            session.run(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE account = ? AND finished_at IS NULL",
                INTERRUPTED, codec.time_text(run.started_at), run.account,
            )  # fmt: skip
            session.run(rows.BEGIN, *rows.run_row(run))
        return Pen(self._access, run)

    def note(self, run: Run, intent: Intent, word: Settlement) -> None:
        pen = Pen(self._access, run)
        with self._access.writing() as session:
            session.run(rows.BEGIN, *rows.run_row(run))
            session.run_many(rows.INTEND, [pen.row(intent, run.started_at)])
            pen.settle_in(session, [word], run.started_at)

    def finish(self, run: str, result: str, now: datetime) -> None:
        with self._access.writing() as session:
            session.run(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE id = ?",
                result,
                codec.time_text(now),
                run,
            )

    def remember(self, account: str, records: Iterable[Record]) -> None:
        remembered = [rows.record_row(account, record) for record in records]
        if remembered:
            with self._access.writing() as session:
                session.run_many(rows.REMEMBER, remembered)

    def recover(self, account: str, found: Iterable[Found], now: datetime) -> None:
        entries = tuple(found)
        if not entries:
            return
        at = codec.time_text(now)
        with self._access.writing() as session:
            session.run_many(
                rows.SETTLE, [(each.result, each.message, at, each.run, each.sequence) for each in entries]
            )
            session.run_many(rows.REMEMBER, [rows.record_row(account, each.record) for each in entries if each.record])
            session.run_many(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE id = ? AND finished_at IS NULL",
                [(INTERRUPTED, at, run) for run in sorted({each.run for each in entries})],
            )

    def runs(self, account: str | None = None, limit: int = 50, search: Search = EVERY) -> tuple[Run, ...]:
        asked = list(rows.searched(search))
        if account is not None:
            asked.append(("account IN (?, ?)", (account, WHOLE)))
        where = f"WHERE {' AND '.join(sql for sql, _ in asked)} " if asked else ""
        values = [value for _, given in asked for value in given]
        return self._runs(f"{where}ORDER BY started_at DESC, id DESC LIMIT ?", *values, limit)

    def spent(self, plan: str) -> Run | None:
        return next(iter(self._runs("WHERE plan = ? ORDER BY started_at LIMIT 1", plan)), None)

    def _runs(self, which: str, *values: Any) -> tuple[Run, ...]:
        with self._access.reading() as session:
            if session is None:
                return ()
            table = "modelpolicy_runs" if additions_of(session) else rows.FIRST_RUNS
            found = session.rows(f"SELECT {rows.RUN_COLUMNS} FROM {table} {which}", *values)  # noqa: S608  # constants
        with self._access.decoding():
            return tuple(map(rows.run, found))

    def accounts(self) -> tuple[str, ...]:
        with self._access.reading() as session:
            if session is None:
                return ()
            tables = [*FIRST_TABLES, *(ADDED_TABLES if additions_of(session) else ())]
            union = " UNION ".join(f"SELECT account FROM {table}" for table in tables)  # noqa: S608  # constants
            found = session.rows(union)
        return tuple(sorted({str(account) for (account,) in found} - {WHOLE}))

    def locks(self) -> tuple[Lock, ...]:
        with self._access.reading() as session:
            if session is None:
                return ()
            database = self._access.database
            known = lease.locks(session, database, first_version=additions_of(session) < lease.ADDED)
        return tuple(
            Lock(account, held, holders.judge(held, shared_clock=database.shared_clock))
            for account, held in sorted(known.items())
        )

    def entries(self, run: str) -> tuple[Entry, ...]:
        with self._access.reading() as session:
            if session is None:
                return ()
            found = session.rows(
                f"SELECT {rows.ENTRY_COLUMNS} FROM modelpolicy_entries WHERE run = ? ORDER BY sequence", run  # noqa: S608  # constants
            )  # fmt: skip
        with self._access.decoding():
            return tuple(map(rows.entry, found))

    def statuses(self, account: str, set_name: str = "") -> Mapping[str, Any]:
        with self._access.reading() as session:
            kept = _statuses(session, account, set_name) or _statuses(session, account, "")
        with self._access.decoding():
            return {address: json.loads(body) for address, body in kept.items()}

    def publish(self, account: str, statuses: Mapping[str, Any], set_name: str = "") -> None:
        wanted = {address: codec.text(status) for address, status in statuses.items()}
        with self._access.reading() as reading:
            kept = _statuses(reading, account, set_name)
        changed = [(account, set_name, address, body) for address, body in wanted.items() if kept.get(address) != body]
        gone = [(account, set_name, address) for address in kept.keys() - wanted.keys()]
        if not changed and not gone:
            return
        with self._access.writing() as session:
            session.run_many(
                "INSERT INTO modelpolicy_set_statuses (account, set_name, address, body) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (account, set_name, address) DO UPDATE SET body = excluded.body",
                changed,
            )
            session.run_many(
                "DELETE FROM modelpolicy_set_statuses WHERE account = ? AND set_name = ? AND address = ?", gone
            )

    def unlock(self, lock: Lock, run: Run) -> bool:
        with self._access.writing() as session:
            broken = session.run(
                "DELETE FROM modelpolicy_locks WHERE account = ? AND token = ?", lock.account, lock.held.token
            )
            if broken:
                session.run(rows.BEGIN, *rows.run_row(run))
        return bool(broken)

    def close(self) -> None:
        self._access.close()


def _statuses(session: Session | None, account: str, set_name: str) -> dict[str, str]:
    """What a set published; the set "" also has what the first version published, which knew no sets."""
    if session is None:
        return {}
    first = session.rows("SELECT address, body FROM modelpolicy_statuses WHERE account = ?", account)
    if not additions_of(session):
        return {} if set_name else dict(first)
    own = session.rows(
        "SELECT address, body FROM modelpolicy_set_statuses WHERE account = ? AND set_name = ?", account, set_name
    )
    return dict(own) if set_name else {**dict(first), **dict(own)}
