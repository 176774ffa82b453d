"""The ledger in an SQLite file: opening it, and making its errors speak. The only import of sqlite3 in this room.

WAL with synchronous=FULL: a committed transaction survives a power cut. It knows no statement of the ledger's own.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import LedgerError
from reconciler.wal import write_ahead

BUSY_S: Final = 10.0
_HALF_WRITTEN: Final = (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY)
ROOM: Final = 256 * 1024  # with less, SQLite cannot make the files beside the ledger and calls it an I/O error


_WHOSE: Final = (
    "SELECT count(*), total(name LIKE 'modelpolicy%') FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)


class Sqlite:
    """The database of `database.Access` in one file."""

    now_sql: Final = "((julianday('now') - 2440587.5) * 86400.0)"
    shared_clock: Final = False  # it is the wall clock of each process

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self.name = path

    def session(self, *, write: bool) -> "Session | None":
        """A connection of its own; None where only reading is wanted and there is no file."""
        with self.explained():
            if write:
                self._path.parent.mkdir(exist_ok=True)
                return Session(self, self._ours(sqlite3.connect(self._path, **_OPTIONS)))
            if not self._path.exists():
                return None
            try:
                connection = self._ours(sqlite3.connect(self._read_only_uri(), uri=True, **_OPTIONS))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _HALF_WRITTEN or not os.access(self._path, os.W_OK):
                    raise
                self._roll_back()
                connection = self._ours(sqlite3.connect(self._read_only_uri(), uri=True, **_OPTIONS))
            return Session(self, connection, write=False)

    def _roll_back(self) -> None:
        """Let SQLite take back what a killed process left half written, which a reader may not."""
        with closing(sqlite3.connect(self._path, **_OPTIONS)) as connection:
            connection.execute(_WHOSE).fetchone()

    def _ours(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """The connection, where the file is empty or a ledger: a database of another program is left as it is."""
        try:
            others, ours = connection.execute(_WHOSE).fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        if others and not ours:
            connection.close()
            raise LedgerError(f"{self.name} is a database of another program and no ledger; name another with --ledger")
        return connection

    def _read_only_uri(self) -> str:
        """Where the folder is not ours to write, SQLite cannot make its shared memory: then the file is read as it lies."""
        frozen = not os.access(self._path.parent, os.W_OK) and not Path(f"{self._path}-wal").exists()
        return f"file:{quote(str(self._path))}?{'immutable=1' if frozen else 'mode=ro'}"

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Every error of SQLite as a LedgerError that says what to do."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise LedgerError(f"the ledger {self.name} {_explain(error, self._path)}") from error


_OPTIONS: Final[dict[str, Any]] = {"timeout": BUSY_S, "isolation_level": None, "check_same_thread": False}


class Session:
    """One connection. Statements use ? for values; a transaction that writes takes the file's write lock at once."""

    def __init__(self, database: Sqlite, connection: sqlite3.Connection, *, write: bool = True) -> None:
        self._database = database
        self._connection = connection
        if not write:
            return
        try:
            write_ahead(connection, BUSY_S)
        except sqlite3.Error:
            connection.close()
            raise

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator["Session"]:
        """All or nothing; durable on return where it wrote."""
        with self._database.explained():
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield self
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, also of one that writes and returns."""
        with closing(self._connection.execute(sql, values)) as cursor:
            return cursor.fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """One statement; how many rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each row of values."""
        self._connection.executemany(sql, rows)

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, one after the other."""
        with closing(self._connection.execute(sql)) as cursor:
            yield from cursor

    def still(self, tables: Sequence[str]) -> None:
        """A transaction that writes is alone from its beginning."""

    def freeze(self, tables: Sequence[str], why: str) -> None:
        """Refuse every change of these tables, also of processes that have them open."""
        said = why.replace("'", "''")
        for table in tables:
            for word in ("INSERT", "UPDATE", "DELETE"):
                self._connection.execute(
                    f"CREATE TRIGGER {table}_no_{word.lower()} BEFORE {word} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'this ledger {said}'); END"
                )

    def thaw(self, tables: Sequence[str]) -> None:
        """The opposite."""
        for table in tables:
            for word in ("insert", "update", "delete"):
                self._connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{word}")

    def has_table(self, name: str) -> bool:
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name))

    def alone(self) -> None:
        """A transaction that writes is alone from its beginning."""

    def damage(self) -> Sequence[str]:
        """What SQLite finds wrong with the file."""
        said = [str(line) for (line,) in self.rows("PRAGMA integrity_check(20)")]
        return [] if said == ["ok"] else said

    def shrink(self) -> None:
        """Write the file anew without what was deleted."""
        with self._database.explained():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def size(self) -> int:
        """The bytes of the file's pages."""
        return int(self.rows("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")[0][0])

    def lost(self) -> bool:
        return False  # a file does not let go

    def close(self) -> None:
        self._connection.close()


def _room(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return ROOM


def _explain(error: Exception, path: Path) -> str:
    """What SQLite's or the system's error means here, and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT) or isinstance(error, UnicodeDecodeError):
        return "is damaged or no ledger; move it aside, restore a backup or name another with --ledger"
    frozen = primary == sqlite3.SQLITE_CANTOPEN and path.parent.is_dir() and not os.access(path.parent, os.W_OK)
    if frozen or primary == sqlite3.SQLITE_READONLY or isinstance(error, PermissionError):
        return "cannot be written (read-only); give this user write access to the file and its folder"
    full = primary == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC
    if full or (primary == sqlite3.SQLITE_IOERR and _room(path) < ROOM):
        return "cannot be written: the disk is full; free some space and run the same command again"
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"is busy: another process has been writing to it for {BUSY_S:.0f} s; try again"
    if primary == sqlite3.SQLITE_CANTOPEN or isinstance(error, OSError):
        return f"cannot be opened ({error}); check that the folder exists and is readable"
    return f"answered: {error}"
