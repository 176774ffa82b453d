"""The ledger over any SQL database: every statement once, in the SQL that SQLite and PostgreSQL share.

Opened when first used; reading never creates anything. One connection for the store, guarded by a lock, and one of its own for
each lease's heartbeat. It must not know which database it talks to.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

from reconciler.errors import LedgerError
from reconciler.identity import Identity
from reconciler.ledger import WAY_BACK, Found, Intent, Journal, Lease, Settlement, codec, lease
from reconciler.ledger.schema import additions_of, migrate, version_of
from reconciler.state import Entry, History, Pending, Record, Run, Target

INTERRUPTED: Final = "interrupted"
PATIENCE_S: Final = 10.0  # for a server that is being restarted, well within a lease
POLL_S: Final = 0.2
_FIRST_RUN_COLUMNS: Final = "id, account, operation, actor, revision, reason, plan, started_at, finished_at, result"
_RUN_COLUMNS: Final = f"{_FIRST_RUN_COLUMNS}, set_name, link"
_ENTRY_COLUMNS: Final = "run, sequence, at, address, target, action, before, after, result, message, finished_at"
_BEGIN: Final = f"INSERT INTO modelpolicy_runs ({_RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants
_REMEMBER: Final = (
    "INSERT INTO modelpolicy_records (account, kind, name, body) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account, kind, name) DO UPDATE SET body = excluded.body"
)
_INTEND: Final = (
    "INSERT INTO modelpolicy_entries (run, sequence, account, at, address, kind, target, action, before, after, hoped) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SETTLE: Final = (
    "UPDATE modelpolicy_entries SET result = ?, message = ?, finished_at = ? WHERE run = ? AND sequence = ?"
)


class Session(Protocol):
    """One connection: statements use ? for values, and every error inside `transaction` is a LedgerError."""

    def transaction(self, *, write: bool) -> AbstractContextManager["Session"]: ...
    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]: ...
    def run(self, sql: str, *values: Any) -> int: ...
    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...
    def has_table(self, name: str) -> bool: ...
    def alone(self) -> None:
        """Until the transaction ends, no other session gets past this call."""

    def lost(self) -> bool:
        """Whether the server has let go of the connection, so that only a new one can answer."""

    def close(self) -> None: ...


class Database(Protocol):
    """Where sessions come from. `now_sql` is the expression for the database's own seconds since 1970, `shared_clock` whether
    that clock is one for all who look; `name` has no secret."""

    name: str

    @property
    def shared_clock(self) -> bool: ...

    @property
    def now_sql(self) -> str: ...
    def session(self, *, write: bool) -> Session | None: ...


class Store:
    """`reconciler.ledger.Ledger` in an SQL database."""

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self._session: Session | None = None
        self._writable = False
        self._doubts = lease.Doubts()
        self._lock = threading.RLock()

    def history(self, account: str) -> History:
        with self._reading() as session:
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
        with self._decoding():
            remembered = (codec.record_of(Target(kind, name), body) for kind, name, body in records)
            return History(
                {record.target: record for record in remembered}, exists=True, pending=tuple(map(_pending, pending)),
                identity=codec.identity_of(bound[0][0]) if bound else None,
            )  # fmt: skip

    def bind(self, account: str, identity: Identity) -> None:
        with self._writing() as session:
            session.run(
                "INSERT INTO modelpolicy_accounts (account, body) VALUES (?, ?) "
                "ON CONFLICT (account) DO UPDATE SET body = excluded.body",
                account, codec.identity_text(identity),
            )  # fmt: skip

    def sets(self) -> frozenset[str]:
        with self._reading() as session:
            bodies = [] if session is None else session.rows("SELECT kind, name, body FROM modelpolicy_records")
        with self._decoding():
            found = [codec.record_of(Target(kind, name), body) for kind, name, body in bodies]
        return frozenset(record.set_name for record in found if record.owner and record.set_name)

    def fact(self, name: str) -> str | None:
        with self._reading() as session:
            if session is None or not additions_of(session):
                return None
            rows = session.rows("SELECT body FROM modelpolicy_facts WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def keep_fact(self, name: str, body: str) -> str:
        with self._writing() as session:
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
        return lease.hold(self._database, self._migrated_session, wish, self._doubts)

    def begin(self, run: Run) -> Journal:
        with self._writing() as session:
            if run.plan and session.rows(
                "SELECT 1 FROM modelpolicy_runs WHERE plan = ? AND account = ?", run.plan, run.account
            ):
                raise LedgerError("this saved plan was applied already, and a plan works once: plan again")
            session.run(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE account = ? AND finished_at IS NULL",
                INTERRUPTED, codec.time_text(run.started_at), run.account,
            )  # fmt: skip
            session.run(_BEGIN, *_run_row(run))
        return _Pen(self, run)

    def note(self, run: Run, intent: Intent, word: Settlement) -> None:
        pen = _Pen(self, run)
        with self._writing() as session:
            session.run(_BEGIN, *_run_row(run))
            session.run_many(_INTEND, [pen.row(intent, run.started_at)])
            pen.settle_in(session, [word], run.started_at)

    def finish(self, run: str, result: str, now: datetime) -> None:
        with self._writing() as session:
            session.run(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE id = ?",
                result,
                codec.time_text(now),
                run,
            )

    def remember(self, account: str, records: Iterable[Record]) -> None:
        rows = [_record_row(account, record) for record in records]
        if rows:
            with self._writing() as session:
                session.run_many(_REMEMBER, rows)

    def recover(self, account: str, found: Iterable[Found], now: datetime) -> None:
        entries = tuple(found)
        if not entries:
            return
        at = codec.time_text(now)
        with self._writing() as session:
            session.run_many(_SETTLE, [(each.result, each.message, at, each.run, each.sequence) for each in entries])
            session.run_many(_REMEMBER, [_record_row(account, each.record) for each in entries if each.record])
            session.run_many(
                "UPDATE modelpolicy_runs SET result = ?, finished_at = ? WHERE id = ? AND finished_at IS NULL",
                [(INTERRUPTED, at, run) for run in sorted({each.run for each in entries})],
            )

    def runs(self, account: str | None = None, limit: int = 50) -> tuple[Run, ...]:
        if account is None:
            return self._runs("ORDER BY started_at DESC, id DESC LIMIT ?", limit)
        return self._runs("WHERE account = ? ORDER BY started_at DESC, id DESC LIMIT ?", account, limit)

    def spent(self, plan: str) -> Run | None:
        return next(iter(self._runs("WHERE plan = ? ORDER BY started_at LIMIT 1", plan)), None)

    def _runs(self, which: str, *values: Any) -> tuple[Run, ...]:
        with self._reading() as session:
            if session is None:
                return ()
            columns = _RUN_COLUMNS if additions_of(session) else f"{_FIRST_RUN_COLUMNS}, '', ''"
            rows = session.rows(f"SELECT {columns} FROM modelpolicy_runs {which}", *values)  # noqa: S608  # constants
        with self._decoding():
            return tuple(map(_run, rows))

    def entries(self, run: str) -> tuple[Entry, ...]:
        with self._reading() as session:
            if session is None:
                return ()
            rows = session.rows(
                f"SELECT {_ENTRY_COLUMNS} FROM modelpolicy_entries WHERE run = ? ORDER BY sequence", run  # noqa: S608  # constants
            )  # fmt: skip
        with self._decoding():
            return tuple(map(_entry, rows))

    def statuses(self, account: str, set_name: str = "") -> Mapping[str, Any]:
        with self._reading() as session:
            kept = _statuses(session, account, set_name) or _statuses(session, account, "")
        with self._decoding():
            return {address: json.loads(body) for address, body in kept.items()}

    def publish(self, account: str, statuses: Mapping[str, Any], set_name: str = "") -> None:
        wanted = {address: codec.text(status) for address, status in statuses.items()}
        with self._reading() as reading:
            kept = _statuses(reading, account, set_name)
        changed = [(account, set_name, address, body) for address, body in wanted.items() if kept.get(address) != body]
        gone = [(account, set_name, address) for address in kept.keys() - wanted.keys()]
        if not changed and not gone:
            return
        with self._writing() as session:
            session.run_many(
                "INSERT INTO modelpolicy_set_statuses (account, set_name, address, body) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (account, set_name, address) DO UPDATE SET body = excluded.body",
                changed,
            )
            session.run_many(
                "DELETE FROM modelpolicy_set_statuses WHERE account = ? AND set_name = ? AND address = ?", gone
            )

    def unlock(self, account: str) -> str | None:
        with self._reading() as reading:
            if reading is None:
                return None
        with self._writing() as session:
            gone = session.rows("DELETE FROM modelpolicy_locks WHERE account = ? RETURNING holder", account)
        return gone[0][0] if gone else None

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session, self._writable = None, False

    @contextmanager
    def _reading(self) -> Iterator[Session | None]:
        """A consistent view; None where nothing was ever written."""
        with self._lock:
            if self._session is None:
                self._session = self._database.session(write=False)
            if self._session is None:
                yield None
                return
            with self._dropped_on_error(), self._begun(write=False) as session:
                yield session if version_of(session, self._database.name) else None

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A transaction, durable on return."""
        with self._lock:
            if self._session is None or not self._writable:
                self.close()
                self._open_to_write()
            with self._dropped_on_error(), self._begun(write=True) as session:
                yield session

    def _open_to_write(self) -> None:
        self._session = self._migrated_session()
        self._writable = True

    @contextmanager
    def _begun(self, *, write: bool) -> Iterator[Session]:
        """A transaction of the present session; of a new one where the server let go of it since it was last used, for nothing
        was done in this transaction yet. A server that is being restarted is given some seconds to be back."""
        assert self._session is not None  # both callers opened it
        with ExitStack() as stack:
            try:
                session = stack.enter_context(self._session.transaction(write=write))
            except LedgerError:
                if not self._session.lost():
                    raise
                self._reconnect()
                session = stack.enter_context(self._session.transaction(write=write))
            yield session

    def _reconnect(self) -> None:
        until_s = time.monotonic() + PATIENCE_S
        self.close()
        while True:
            try:
                return self._open_to_write()
            except LedgerError:
                if time.monotonic() >= until_s:
                    raise
            time.sleep(POLL_S)

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """What was stored is read back; what cannot have been stored so is damage, which no database notices by itself."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise LedgerError(
                f"the ledger {self._database.name} is damaged: an entry cannot be read back ({type(error).__name__}); {WAY_BACK}"
            ) from error

    @contextmanager
    def _dropped_on_error(self) -> Iterator[None]:
        """A session that failed is not used again: the server may be back by the next call."""
        try:
            yield
        except LedgerError:
            self.close()
            raise

    def _migrated_session(self) -> Session:
        session = self._database.session(write=True)
        if session is None:  # only a session for reading may be absent
            raise LedgerError(f"the ledger {self._database.name} cannot be created")
        try:
            migrate(session, self._database.name)
        except LedgerError:
            session.close()
            raise
        return session


class _Pen:
    """`reconciler.ledger.Journal` of one run."""

    def __init__(self, store: Store, run: Run) -> None:
        self.run = run.id
        self._account = run.account
        self._store = store
        self._numbers = itertools.count(1)
        self._sequences: dict[Target, int] = {}

    def intend(self, intents: Sequence[Intent], now: datetime) -> None:
        with self._store._writing() as session:  # a journal is the store's own hand
            session.run_many(_INTEND, [self.row(intent, now) for intent in intents])

    def row(self, intent: Intent, now: datetime) -> tuple[Any, ...]:
        change = intent.change
        sequence = self._sequences[change.target] = next(self._numbers)
        after = {field.path: field.after for field in change.fields}
        return (
            self.run, sequence, self._account, codec.time_text(now), change.address, change.target.kind, change.target.name,
            change.action.value, codec.fields_text(intent.before), codec.fields_text(after), codec.record_text(intent.hoped),
        )  # fmt: skip

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        with self._store._writing() as session:
            self.settle_in(session, settlements, now)

    def settle_in(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        at = codec.time_text(now)
        results = [
            (each.outcome.result.value, _message(each), at, self.run, self._sequences[each.change.target])
            for each in settlements
        ]
        records = [_record_row(self._account, each.record) for each in settlements if each.record]
        session.run_many(_SETTLE, results)
        session.run_many(_REMEMBER, records)


def _message(settlement: Settlement) -> str:
    outcome = settlement.outcome
    return f"{outcome.message} ({outcome.code})" if outcome.code else outcome.message


def _run_row(run: Run) -> tuple[Any, ...]:
    finished_at = codec.time_text(run.finished_at) if run.finished_at else None
    return (
        run.id, run.account, run.operation, run.actor, run.revision, run.reason, run.plan,
        codec.time_text(run.started_at), finished_at, run.result, run.set_name, run.link,
    )  # fmt: skip


def _record_row(account: str, record: Record) -> tuple[str, str, str, str]:
    return account, record.target.kind, record.target.name, codec.record_text(record)


def _statuses(session: Session | None, account: str, set_name: str) -> dict[str, str]:
    """What a set published; the set "" also has what the first version published, which knew no sets."""
    if session is None:
        return {}
    first = session.rows("SELECT address, body FROM modelpolicy_statuses WHERE account = ?", account)
    if not additions_of(session):
        return {} if set_name else dict(first)
    rows = session.rows(
        "SELECT address, body FROM modelpolicy_set_statuses WHERE account = ? AND set_name = ?", account, set_name
    )
    return dict(rows) if set_name else {**dict(first), **dict(rows)}


def _pending(row: tuple[Any, ...]) -> Pending:
    run, sequence, at, kind, target, hoped, before = row
    record = codec.record_of(Target(kind, target), hoped)
    return Pending(
        run=run, sequence=sequence, at=datetime.fromisoformat(at), hoped=record, before=codec.fields_of(before)
    )


def _run(row: tuple[Any, ...]) -> Run:
    *words, started_at, finished_at, result, set_name, link = row
    id_, account, operation, actor, revision, reason, plan = words
    return Run(
        id=id_, account=account, operation=operation, actor=actor, revision=revision, reason=reason, plan=plan,
        started_at=datetime.fromisoformat(started_at), finished_at=codec.time_of(finished_at), result=result,
        set_name=set_name, link=link,
    )  # fmt: skip


def _entry(row: tuple[Any, ...]) -> Entry:
    run, sequence, at, address, target, action, before, after, result, message, finished_at = row
    return Entry(
        run=run, sequence=sequence, at=datetime.fromisoformat(at), address=address, target=target, action=action,
        before=codec.fields_of(before), after=codec.fields_of(after), result=result, message=message,
        finished_at=codec.time_of(finished_at),
    )  # fmt: skip
