"""What is done to a whole ledger, or to all that it remembers of an account or a set. Each is one transaction with its run.

It holds no lock: its callers do, of every account whose records change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.errors import LedgerError
from reconciler.identity import Identity
from reconciler.ledger import codec, rows
from reconciler.ledger.database import Access, Session
from reconciler.state import Record, Run, Target

FORGET = "forget"
FORGOTTEN = "forgotten"
PART = 2000  # runs at a time
_ENTRY = (
    "INSERT INTO modelpolicy_entries (run, sequence, account, at, address, kind, target, action, before, after, hoped, result, "
    "message, finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Renamed:
    """How much carried the old name of a set: records, and changes that are not settled."""

    records: int
    pending: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many runs went, the bytes before and after, and why the room could not be given back, "" where it could."""

    runs: int
    before: int
    after: int
    why: str = ""


def rebind(access: Access, run: Run, identity: Identity, *, forget: bool) -> int:
    """Bind the run's account to another account of the platform, or to the same with another key. `forget`: all that is remembered
    of the former one goes, each record with an entry of the run that says what it was. Returns how many records went."""
    at = codec.time_text(run.started_at)
    with access.writing() as session:
        session.run(rows.BEGIN, *rows.run_row(run))
        gone = _records(access, session, run.account) if forget else []
        for number, record in enumerate(gone, start=1):
            known = codec.fields_text(record.applied or record.baseline or {})
            session.run(
                _ENTRY, run.id, number, run.account, at, record.owner or f"{record.target.kind}/{record.target.name}",
                record.target.kind, record.target.name, FORGET, known, "{}", "{}", FORGOTTEN,
                "it was of another account of the platform", at,
            )  # fmt: skip
        if forget:
            for table in ("records", "statuses", "set_statuses"):
                session.run(f"DELETE FROM modelpolicy_{table} WHERE account = ?", run.account)  # noqa: S608  # constants
            session.run(
                "UPDATE modelpolicy_entries SET result = ?, message = ?, finished_at = ? WHERE account = ? AND result IS NULL",
                "skipped", "its run was killed, and the account is another one of the platform now", at, run.account,
            )  # fmt: skip
        session.run(
            "INSERT INTO modelpolicy_accounts (account, body) VALUES (?, ?) "
            "ON CONFLICT (account) DO UPDATE SET body = excluded.body", run.account, codec.identity_text(identity),
        )  # fmt: skip
    return len(gone)


def sets(access: Access) -> dict[str, tuple[str, ...]]:
    """The declaration sets that own something, each with the accounts where. Read-only."""
    found: dict[str, set[str]] = {}
    with access.reading() as session:
        known = session.rows("SELECT account, body FROM modelpolicy_records") if session else []
    with access.decoding():
        for account, body in known:
            name = codec.record_of(Target("", ""), body).set_name
            found.setdefault(name, set()).add(account)
    return {name: tuple(sorted(accounts)) for name, accounts in sorted(found.items()) if name}


def rename_set(access: Access, run: Run, old: str, new: str) -> Renamed:
    """Give all that a set owns to the name `new`: records, changes that are not settled, and statuses."""
    with access.writing() as session, access.decoding():
        records = session.rows("SELECT account, kind, name, body FROM modelpolicy_records")
        pending = session.rows(
            "SELECT run, sequence, kind, target, hoped FROM modelpolicy_entries WHERE result IS NULL"
        )
        changed = [(account, kind, name, text) for account, kind, name, body in records
                   if (text := _renamed(Target(kind, name), body, old, new))]  # fmt: skip
        hoped = [(text, run_id, sequence) for run_id, sequence, kind, name, body in pending
                 if (text := _renamed(Target(kind, name), body, old, new))]  # fmt: skip
        session.run(rows.BEGIN, *rows.run_row(run))
        session.run_many(rows.REMEMBER, changed)
        session.run_many("UPDATE modelpolicy_entries SET hoped = ? WHERE run = ? AND sequence = ?", hoped)
        session.run(
            "DELETE FROM modelpolicy_set_statuses WHERE set_name = ? AND EXISTS (SELECT 1 FROM modelpolicy_set_statuses AS other "
            "WHERE other.set_name = ? AND other.account = modelpolicy_set_statuses.account "
            "AND other.address = modelpolicy_set_statuses.address)", old, new,
        )  # fmt: skip
        session.run("UPDATE modelpolicy_set_statuses SET set_name = ? WHERE set_name = ?", new, old)
    return Renamed(len(changed), len(hoped))


def _renamed(target: Target, body: str, old: str, new: str) -> str:
    """The record's text under the new name, "" where it is not of the old one."""
    record = codec.record_of(target, body)
    return codec.record_text(replace(record, set_name=new)) if record.set_name == old else ""


def _records(access: Access, session: Session, account: str) -> Sequence[Record]:
    found = session.rows(
        "SELECT kind, name, body FROM modelpolicy_records WHERE account = ? ORDER BY kind, name", account
    )
    with access.decoding():
        return [codec.record_of(Target(kind, name), body) for kind, name, body in found]


def prune(access: Access, run: Run, before: datetime) -> Pruned:
    """Forget the finished runs that began before, with their changes: never a record, never a change that is not settled, and not
    the last run of an account. In parts, so that nobody waits long; each part is whole."""
    old = (
        "SELECT id FROM modelpolicy_runs WHERE started_at < ? AND finished_at IS NOT NULL AND id NOT IN (SELECT run FROM "
        "modelpolicy_entries WHERE result IS NULL) AND id NOT IN (SELECT max(id) FROM modelpolicy_runs AS last WHERE started_at = "
        "(SELECT max(started_at) FROM modelpolicy_runs AS same WHERE same.account = last.account) GROUP BY account) LIMIT ?"
    )
    with access.writing() as session:
        size = session.size()
    gone, moment = 0, codec.time_text(before)
    while True:
        with access.writing() as session:
            part = session.rows(old, moment, PART)
            session.run_many("DELETE FROM modelpolicy_entries WHERE run = ?", part)
            session.run_many("DELETE FROM modelpolicy_runs WHERE id = ?", part)
        gone += len(part)
        if len(part) < PART:
            break
    with access.writing() as session:
        session.run(rows.BEGIN, *rows.run_row(replace(run, reason=f"{run.reason}; {gone} runs")))
    session = access.session()
    try:
        session.shrink()
    except LedgerError as why:
        return Pruned(gone, size, session.size(), str(why))
    else:
        return Pruned(gone, size, session.size())
    finally:
        session.close()


def present(access: Access) -> None:
    """Raise where there is no ledger yet: what is done to one would make another, empty one."""
    with access.reading() as session:
        if session is None:
            raise LedgerError(f"there is no ledger at {access.database.name} yet")
