"""The ledger in PostgreSQL, for a team whose runners come and go. The only import of psycopg (extra `postgres`).

It never shows the URL's password. It knows no statement of the ledger's own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from reconciler.errors import LedgerError, NoLedgerAddress
from reconciler.ledger import WAY_BACK

try:
    import psycopg
except ImportError as error:  # pragma: no cover  # the test environment has the extra
    raise LedgerError("a PostgreSQL ledger needs the extra package: pip install 'modelpolicy[postgres]'") from error

CONNECT_S: Final = 10
_MISTYPED: Final = (
    "its URL (postgresql://USER:PASSWORD@HOST/DATABASE) cannot be read; in the user and the password write each of @ : / ? # % [ ] "
    "as %XX"
)
_ADVISORY_KEY: Final = 0x6D706C6367  # any number that others are unlikely to use


class Postgres:
    """The database of `database.Access` behind a URL."""

    now_sql: Final = "extract(epoch from clock_timestamp())::float8"
    shared_clock: Final = True

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = f"postgresql://{_place(url)}"

    def session(self, *, write: bool) -> "Session":  # noqa: ARG002  # a server exists or it is an error
        """A connection of its own."""
        with self.explained():
            return Session(self, psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_S))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Every error of PostgreSQL as a LedgerError that says what to do."""
        try:
            yield
        except psycopg.Error as error:
            raise LedgerError(f"the ledger {self.name} {_explain(error)}") from error


def _place(url: str) -> str:
    """The host and the database, as libpq reads them. A URL of which a part of the password could be taken for another part is
    refused, and nothing of it is repeated."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise NoLedgerAddress(_MISTYPED) from None  # its text repeats what it could not read
    host, port, name = (str(parts.get(part, "")) for part in ("host", "port", "dbname"))
    if "@" in host + name or not (port or "0").replace(",", "").isdecimal():
        raise NoLedgerAddress(_MISTYPED)
    return f"{'' if host.startswith('/') else host}/{name}"


class Session:
    """One connection. Statements use ? for values and contain no other question mark or percent sign."""

    def __init__(self, database: Postgres, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._database = database
        self._connection = connection

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator["Session"]:
        """All or nothing, durable on return where it wrote; one that only reads sees one moment throughout."""
        with self._database.explained():
            self._connection.isolation_level = None if write else psycopg.IsolationLevel.REPEATABLE_READ
            with self._connection.transaction():
                yield self

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, also of one that writes and returns."""
        return self._connection.execute(_dialect(sql), values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """One statement; how many rows it touched."""
        return self._connection.execute(_dialect(sql), values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each row of values."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_dialect(sql), rows)

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, one after the other, kept on the server until then."""
        with self._connection.cursor(name="modelpolicy_each") as cursor:
            cursor.execute(_dialect(sql))
            yield from cursor

    def still(self, tables: Sequence[str]) -> None:
        """Nobody else writes to the tables until the transaction ends."""
        self.run(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")

    def freeze(self, tables: Sequence[str], why: str) -> None:  # noqa: ARG002  # an earlier version shows no text of the server
        """Refuse every change of these tables, also of processes that have them open; where this user may not, what is read of
        the schema's version at their next look has to do."""
        try:
            with self._connection.transaction():
                self.run(
                    "CREATE OR REPLACE FUNCTION modelpolicy_sealed() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION 'this ledger is sealed'; END $$"
                )
                for table in tables:
                    self.run(
                        f"CREATE TRIGGER modelpolicy_sealed BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                        "FOR EACH STATEMENT EXECUTE FUNCTION modelpolicy_sealed()"
                    )
        except psycopg.errors.InsufficientPrivilege:
            return

    def thaw(self, tables: Sequence[str]) -> None:
        """The opposite."""
        for table in tables:
            self.run(f"DROP TRIGGER IF EXISTS modelpolicy_sealed ON {table}")

    def has_table(self, name: str) -> bool:
        # Read from the catalog, for to_regclass may answer from what this connection knew before it waited to be alone.
        known = "SELECT 1 FROM pg_tables WHERE tablename = ? AND schemaname = ANY (current_schemas(false))"
        return bool(self.rows(known, name))

    def alone(self) -> None:
        """An advisory lock of the ledger's own, let go of when the transaction ends."""
        self.run("SELECT pg_advisory_xact_lock(?)", _ADVISORY_KEY)

    def damage(self) -> Sequence[str]:
        """Nothing: a server with checksums says so by itself when a page is read."""
        return ()

    def shrink(self) -> None:
        """Make the room of what was deleted free for what comes."""
        with self._database.explained():
            self._connection.execute("VACUUM modelpolicy_entries, modelpolicy_runs")

    def size(self) -> int:
        """The bytes of our tables and their indexes."""
        like = "tablename LIKE 'modelpolicy!_' || chr(37) ESCAPE '!' AND schemaname = ANY (current_schemas(false))"
        total = (
            "SELECT coalesce(sum(pg_total_relation_size(quote_ident(schemaname) || '.' || quote_ident(tablename))), 0)"
        )
        return int(self.rows(f"{total} FROM pg_tables WHERE {like}")[0][0])

    def lost(self) -> bool:
        return self._connection.closed

    def close(self) -> None:
        self._connection.close()


def _dialect(sql: str) -> Any:
    """psycopg wants literal text for its own protection; ours is literal, with the placeholder exchanged."""
    return sql.replace("?", "%s")


def _explain(error: psycopg.Error) -> str:
    """What the server's error means here, and what to do."""
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "is read-only (a standby?); name the primary server"
    if state.startswith("28"):
        return "refused the user or password of --ledger"
    if state == "3D000":
        return "does not exist on its server; create the database first"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return (
            "denies this user a permission; grant it CREATE on the schema, or once the tables are there SELECT, INSERT, UPDATE, DELETE "
            "on each modelpolicy_* table"
        )
    if state.startswith("XX"):
        return f"is damaged (the server answered {state}); {WAY_BACK}"
    if state.startswith("53"):
        return "has no room left (disk, memory or connections); free some and run the same command again"
    if isinstance(error, psycopg.OperationalError):
        return "cannot be reached; check its host, port and that it runs"
    return f"answered {state or type(error).__name__}"
