"""The tables of the ledger and their history: each migration runs once, in order, and is never edited after a release.

The words are the ones that SQLite and PostgreSQL share. No statement here reads or writes a fact.
"""

from typing import TYPE_CHECKING, Final

from reconciler.errors import LedgerError
from reconciler.ledger import WAY_BACK, seal

if TYPE_CHECKING:
    from reconciler.ledger.database import Session

MIGRATIONS: Final = (
    (  # 1
        (
            "CREATE TABLE modelpolicy_runs (id text PRIMARY KEY, account text NOT NULL, operation text NOT NULL, "
            "actor text NOT NULL, revision text NOT NULL, reason text NOT NULL, plan text NOT NULL, started_at text NOT NULL, "
            "finished_at text, result text NOT NULL)"
        ),
        "CREATE INDEX modelpolicy_runs_by_time ON modelpolicy_runs (started_at)",
        (
            "CREATE TABLE modelpolicy_entries (run text NOT NULL, sequence integer NOT NULL, account text NOT NULL, "
            "at text NOT NULL, address text NOT NULL, kind text NOT NULL, target text NOT NULL, action text NOT NULL, "
            "before text NOT NULL, after text NOT NULL, hoped text NOT NULL, result text, message text NOT NULL DEFAULT '', "
            "finished_at text, PRIMARY KEY (run, sequence))"
        ),
        "CREATE INDEX modelpolicy_entries_open ON modelpolicy_entries (account) WHERE result IS NULL",
        (
            "CREATE TABLE modelpolicy_records (account text NOT NULL, kind text NOT NULL, name text NOT NULL, "
            "body text NOT NULL, PRIMARY KEY (account, kind, name))"
        ),
        (
            "CREATE TABLE modelpolicy_statuses (account text NOT NULL, address text NOT NULL, body text NOT NULL, "
            "PRIMARY KEY (account, address))"
        ),
        (
            "CREATE TABLE modelpolicy_locks (account text PRIMARY KEY, token text NOT NULL, holder text NOT NULL, "
            "machine text NOT NULL, pid integer NOT NULL, expires double precision NOT NULL)"
        ),
    ),
)
# What may be added while processes of an earlier version use the same ledger: they neither need nor notice it. The tables
# above are what every version reads, and a change of those is a migration, which an earlier version refuses.
ADDITIONS: Final = (
    (  # 1: declaration sets, the platform's own identity of an account
        "CREATE TABLE modelpolicy_facts (name text PRIMARY KEY, body text NOT NULL)",
        "CREATE TABLE modelpolicy_accounts (account text PRIMARY KEY, body text NOT NULL)",
        (
            "CREATE TABLE modelpolicy_set_statuses (account text NOT NULL, set_name text NOT NULL, address text NOT NULL, "
            "body text NOT NULL, PRIMARY KEY (account, set_name, address))"
        ),
        "ALTER TABLE modelpolicy_runs ADD COLUMN set_name text NOT NULL DEFAULT ''",
        "ALTER TABLE modelpolicy_runs ADD COLUMN link text NOT NULL DEFAULT ''",
    ),
    (  # 2: what proves that the holder of a lock lives, beside a wall clock
        "ALTER TABLE modelpolicy_locks ADD COLUMN started text NOT NULL DEFAULT ''",
        "ALTER TABLE modelpolicy_locks ADD COLUMN clock text NOT NULL DEFAULT ''",
        "ALTER TABLE modelpolicy_locks ADD COLUMN ends_s double precision NOT NULL DEFAULT 0",
        "ALTER TABLE modelpolicy_locks ADD COLUMN lease_s double precision NOT NULL DEFAULT 30",
    ),
)
_TABLE: Final = "modelpolicy_schema"
_FACTS: Final = "modelpolicy_facts"
_ADDED: Final = "additions"


def version_of(session: "Session", name: str, *, write: bool = False) -> int:
    """How many migrations the ledger has seen, 0 where it has no tables; a newer one than ours raises `LedgerError`, and so does a
    sealed one, unless it is a backup that is only read."""
    if not session.has_table(_TABLE):
        return 0
    version = session.rows(f"SELECT max(version) FROM {_TABLE}")[0][0]  # noqa: S608  # a constant
    if not isinstance(version, int):
        raise LedgerError(f"the ledger {name} is damaged: it does not say its schema version; {WAY_BACK}")
    if version == seal.VERSION and (found := seal.of(session)) is not None:
        if found.why == seal.BACKUP and not write:
            return len(MIGRATIONS)
        raise LedgerError(f"the ledger {name} {found.sentence}")
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"the ledger {name} has schema version {version}, and this modelpolicy knows up to {len(MIGRATIONS)}: "
            "use the newer modelpolicy that wrote it"
        )
    return version


def refuse_sealed(session: "Session", name: str) -> None:
    """Raise where the ledger is none to write to, by one statement."""
    if session.rows(f"SELECT max(version) FROM {_TABLE}")[0][0] != len(MIGRATIONS):  # noqa: S608  # a constant
        version_of(session, name, write=True)


def additions_of(session: "Session") -> int:
    """How many additions the ledger has; 0 where the first version wrote it."""
    if not session.has_table(_FACTS):
        return 0
    rows = session.rows(f"SELECT body FROM {_FACTS} WHERE name = ?", _ADDED)  # noqa: S608  # a constant
    return int(rows[0][0]) if rows else 0


def migrate(session: "Session", name: str) -> None:
    """Bring the tables up to date, all or nothing; where they are, nothing is written."""
    with session.transaction(write=False):
        if version_of(session, name, write=True) == len(MIGRATIONS) and additions_of(session) >= len(ADDITIONS):
            return
    with session.transaction(write=True):
        session.alone()
        make(session, version_of(session, name, write=True))


def make(session: "Session", seen: int = 0) -> None:
    """Make the tables of a ledger that has seen so many migrations, within a transaction."""
    if not seen and not session.has_table(_TABLE):
        session.run(f"CREATE TABLE {_TABLE} (version integer NOT NULL)")
    for number, statements in enumerate(MIGRATIONS[seen:], start=seen + 1):
        for statement in statements:
            session.run(statement)
        session.run(f"INSERT INTO {_TABLE} (version) VALUES (?)", number)  # noqa: S608  # a constant
    _add(session)


def _add(session: "Session") -> None:
    """Make what is missing of the additions, within the transaction of `migrate`."""
    seen = additions_of(session)
    for statements in ADDITIONS[seen:]:
        for statement in statements:
            session.run(statement)
    if seen < len(ADDITIONS):
        session.run(f"DELETE FROM {_FACTS} WHERE name = ?", _ADDED)  # noqa: S608  # constants
        session.run(f"INSERT INTO {_FACTS} (name, body) VALUES (?, ?)", _ADDED, str(len(ADDITIONS)))  # noqa: S608  # constants
