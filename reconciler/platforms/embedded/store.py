"""The embedded platform's SQLite file, and the only place here that knows SQLite: schema, transactions, bad files.

It knows no rule of the platform. Every write transaction is immediate and durable when it returns; a database belongs to
several processes and threads at once. Times are whole seconds since 1970 in UTC.
"""

import contextlib
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from reconciler.errors import Permanent, PlatformError, Transient
from reconciler.platforms.embedded.tables import MIGRATIONS, SCHEMA
from reconciler.reasons import Reason
from reconciler.wal import write_ahead

APPLICATION_ID: Final = 0x4D504F4C  # "MPOL": tells our file from any other program's
VERSION: Final = 1 + len(MIGRATIONS)
BUSY_S: Final = 30.0

Row: TypeAlias = sqlite3.Row


class Transaction:
    """A transaction in progress: what the rest of the embedded platform sees of SQLite."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement and return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self._connection.execute(sql, values).fetchall()


class Store:
    """An open database."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self.path = path

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is on disk when the context ends well, and never was when it raises."""
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction in which every read sees one moment."""
        with self._transaction("BEGIN") as transaction, _legible(self.path):
            yield transaction

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        with self._lock, translated(self.path):
            self._connection.execute(begin)
            try:
                yield Transaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def copy(self) -> "Store":
        """All of it in memory, for reading, as it is now."""
        found = _memory()
        with self._lock, translated(self.path):
            self._connection.backup(found)
        return Store(found, self.path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """SQLite's errors in the words that every platform shares."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as exc:  # SQLite repeats in its message what it found in the file
        raise _error(exc, path) from exc


@contextlib.contextmanager
def _legible(path: str) -> Iterator[None]:
    """What was stored is read back; what cannot have been stored so is damage, which SQLite does not notice by itself."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise Permanent(
            f"{path}: the database is damaged, a value cannot be read back ({type(exc).__name__}); restore a backup, or "
            "move it away and seed it again",
            reason=Reason.PLATFORM_UNAVAILABLE,
        ) from exc


def _error(exc: Exception, path: str) -> PlatformError:
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Transient(f"{path}: the database was busy for {BUSY_S:.0f} s; another process holds it")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return Transient(f"{path}: {exc}; the write did not happen")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Permanent(f"{path}: the database may not be written to ({exc})", reason=Reason.PERMISSION_DENIED)
    if code == sqlite3.SQLITE_CANTOPEN:
        return Permanent(f"{path}: the database cannot be opened ({exc})", reason=Reason.PLATFORM_UNAVAILABLE)
    return Permanent(
        f"{path}: this is not a readable database of the embedded platform ({exc}); move it away, or name another path",
        reason=Reason.PLATFORM_UNAVAILABLE,
    )


def open_store(path: Path, *, create: bool) -> tuple[Store, bool]:
    """The database at `path`, and whether its tables are still to be made.

    With `create` False the file is never written to; where there is none, an empty one in memory stands in for it, and for
    one of an earlier version a copy in memory that is brought up to date.
    """
    name = str(path)
    with translated(name):
        try:
            missing = not path.exists() or path.stat().st_size == 0
            if missing and not create:
                return Store(_memory(), name), True
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise Permanent(
                f"{name}: the database cannot be reached: {exc.strerror}", reason=Reason.PLATFORM_UNAVAILABLE
            ) from exc
        connection = _connect(path, create=create)
        try:
            fresh = _recognise(connection, name)
            if create:
                write_ahead(connection, BUSY_S)
            elif not fresh and _version(connection) < VERSION:
                connection = _copied(connection)
            if not fresh:
                _migrate(connection)
            if not create:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return Store(connection, name), fresh


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    copy = _memory()
    with contextlib.closing(connection):
        connection.backup(copy)
    return copy


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of an earlier version up to date, all or nothing, whoever of several processes comes first."""
    if _version(connection) >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[_version(connection) - 1 :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _recognise(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the database is empty; raises where it is not ours."""
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner == APPLICATION_ID and version > VERSION:
        raise Permanent(
            f"{name}: the database has format {version} and this version of modelpolicy knows up to {VERSION}; "
            "upgrade modelpolicy",
            reason=Reason.PLATFORM_UNAVAILABLE,
        )
    if owner != APPLICATION_ID and (tables or owner):
        raise Permanent(
            f"{name}: this database belongs to another program; name another path in spec.embedded.path",
            reason=Reason.PLATFORM_UNAVAILABLE,
        )
    return not tables


def create_tables(transaction: Transaction) -> bool:
    """Make the tables, unless another process was first; returns whether it did."""
    if transaction.one("SELECT 1 FROM sqlite_master WHERE name = 'account'"):
        return False
    for statement in SCHEMA:
        transaction.run(statement)
    transaction.run("INSERT INTO account (one, identity) VALUES (1, ?)", uuid.uuid4().hex)
    transaction.run(f"PRAGMA application_id = {APPLICATION_ID}")
    transaction.run(f"PRAGMA user_version = {VERSION}")
    return True
