"""What a ledger needs of a database, and the way in: one connection for reading and writing, opened when first used.

It must not know which database it is, nor what is written there.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final, Protocol

from reconciler.errors import LedgerError
from reconciler.ledger import WAY_BACK
from reconciler.ledger.schema import migrate, refuse_sealed, version_of

PATIENCE_S: Final = 10.0  # for a server that is being restarted, well within a lease
POLL_S: Final = 0.2


class Session(Protocol):
    """One connection: statements use ? for values, and every error inside `transaction` is a LedgerError."""

    def transaction(self, *, write: bool) -> AbstractContextManager["Session"]: ...
    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]: ...
    def run(self, sql: str, *values: Any) -> int: ...
    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...
    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, one after the other: as many as there are."""
        ...

    def still(self, tables: Sequence[str]) -> None:
        """Until the transaction ends, no other session writes to these tables."""

    def freeze(self, tables: Sequence[str], why: str) -> None:
        """From the end of the transaction on, nobody writes to these tables, until `thaw`."""

    def thaw(self, tables: Sequence[str]) -> None: ...
    def has_table(self, name: str) -> bool: ...
    def alone(self) -> None:
        """Until the transaction ends, no other session gets past this call."""

    def damage(self) -> Sequence[str]:
        """What the database itself finds wrong with what it keeps."""
        ...

    def shrink(self) -> None:
        """Give back the room of what was deleted, outside any transaction. Raises LedgerError where that is not possible now."""

    def size(self) -> int:
        """The bytes that the ledger takes."""
        ...

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


class Access:
    """The one connection to a ledger, guarded by a lock: reading never creates anything, writing brings the tables up to date."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._session: Session | None = None
        self._writable = False
        self._lock = threading.RLock()

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session, self._writable = None, False

    @contextmanager
    def reading(self) -> Iterator[Session | None]:
        """A consistent view; None where nothing was ever written."""
        with self._lock:
            if self._session is None:
                self._session = self.database.session(write=False)
            if self._session is None:
                yield None
                return
            with self._dropped_on_error(), self._begun(write=False) as session:
                yield session if version_of(session, self.database.name) else None

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction, durable on return."""
        with self._lock:
            if self._session is None or not self._writable:
                self.close()
                self._open_to_write()
            with self._dropped_on_error(), self._begun(write=True) as session:
                refuse_sealed(session, self.database.name)  # since it was opened, too
                yield session

    def _open_to_write(self) -> None:
        self._session = self.session()
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
    def _dropped_on_error(self) -> Iterator[None]:
        """A session that failed is not used again: the server may be back by the next call."""
        try:
            yield
        except LedgerError:
            self.close()
            raise

    def session(self) -> Session:
        """A connection of its own, to a ledger that is up to date."""
        session = self.database.session(write=True)
        if session is None:  # only a session for reading may be absent
            raise LedgerError(f"the ledger {self.database.name} cannot be created")
        try:
            migrate(session, self.database.name)
        except LedgerError:
            session.close()
            raise
        return session

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """What was stored is read back; what cannot have been stored so is damage, which no database notices by itself."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise LedgerError(
                f"the ledger {self.database.name} is damaged: an entry cannot be read back ({type(error).__name__}); {WAY_BACK}"
            ) from error
