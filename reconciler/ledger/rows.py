"""The rows of the ledger's tables as our values, and back. No statement is carried out here."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from reconciler.ledger import Search, Settlement, codec
from reconciler.state import Entry, Pending, Record, Run, Target

RUN_COLUMNS: Final = (
    "id, account, operation, actor, revision, reason, plan, started_at, finished_at, result, set_name, link"
)
FIRST_RUNS: Final = (
    "(SELECT *, '' AS set_name, '' AS link FROM modelpolicy_runs) AS first"  # as the first version has them
)
ENTRY_COLUMNS: Final = "run, sequence, at, address, target, action, before, after, result, message, finished_at"
BEGIN: Final = f"INSERT INTO modelpolicy_runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants
REMEMBER: Final = (
    "INSERT INTO modelpolicy_records (account, kind, name, body) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account, kind, name) DO UPDATE SET body = excluded.body"
)
INTEND: Final = (
    "INSERT INTO modelpolicy_entries (run, sequence, account, at, address, kind, target, action, before, after, hoped) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SETTLE: Final = (  # what was hoped is in the record by then, and was half of the journal
    "UPDATE modelpolicy_entries SET hoped = '{}', result = ?, message = ?, finished_at = ? WHERE run = ? AND sequence = ?"
)


def searched(search: Search) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The conditions on runs that a search makes, each with its values."""
    about = "id IN (SELECT run FROM modelpolicy_entries WHERE "
    if search.kind and search.name:
        named = f"{search.kind}/{search.name}", search.kind, search.name
        yield f"{about}address = ? OR (kind = ? AND target = ?))", named
    elif search.kind:
        yield f"{about}kind = ?)", (search.kind,)
    if search.since is not None:
        yield "started_at >= ?", (codec.time_text(search.since),)
    if search.actor:
        part = search.actor.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        yield "lower(actor) LIKE ? ESCAPE '!'", (f"%{part}%",)
    if search.set_name:
        yield "set_name = ?", (search.set_name,)


def message(settlement: Settlement) -> str:
    outcome = settlement.outcome
    return f"{outcome.message} ({outcome.code})" if outcome.code else outcome.message


def run_row(run: Run) -> tuple[Any, ...]:
    finished_at = codec.time_text(run.finished_at) if run.finished_at else None
    return (
        run.id, run.account, run.operation, run.actor, run.revision, run.reason, run.plan,
        codec.time_text(run.started_at), finished_at, run.result, run.set_name, run.link,
    )  # fmt: skip


def record_row(account: str, record: Record) -> tuple[str, str, str, str]:
    return account, record.target.kind, record.target.name, codec.record_text(record)


def pending(row: tuple[Any, ...]) -> Pending:
    run, sequence, at, kind, target, hoped, before = row
    record = codec.record_of(Target(kind, target), hoped)
    return Pending(
        run=run, sequence=sequence, at=datetime.fromisoformat(at), hoped=record, before=codec.fields_of(before)
    )


def run(row: tuple[Any, ...]) -> Run:
    *words, started_at, finished_at, result, set_name, link = row
    id_, account, operation, actor, revision, reason, plan = words
    return Run(
        id=id_, account=account, operation=operation, actor=actor, revision=revision, reason=reason, plan=plan,
        started_at=datetime.fromisoformat(started_at), finished_at=codec.time_of(finished_at), result=result,
        set_name=set_name, link=link,
    )  # fmt: skip


def entry(row: tuple[Any, ...]) -> Entry:
    run, sequence, at, address, target, action, before, after, result, message, finished_at = row
    return Entry(
        run=run, sequence=sequence, at=datetime.fromisoformat(at), address=address, target=target, action=action,
        before=codec.fields_of(before), after=codec.fields_of(after), result=result, message=message,
        finished_at=codec.time_of(finished_at),
    )  # fmt: skip
