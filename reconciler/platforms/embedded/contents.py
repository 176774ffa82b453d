"""What a database is filled with: values ready to be put into rows, from the catalogue or from a seed file. No I/O of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.platforms.embedded.calls import Billed
from reconciler.platforms.embedded.store import Transaction

HOUR_S: Final = 3600
# Use that a seed file says was made before the record began is kept under this hour, long before any that is shown.
BEFORE_THE_RECORD: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model's columns that are said; those that are not keep what they are. `used_*` None: not said.

    `if_new` are columns for a model that was not there before.
    """

    name: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    if_new: Mapping[str, Any] = field(default_factory=dict)
    used_online: int | None = None
    used_batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointEntry:
    """An endpoint's columns that are said."""

    id: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    if_new: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Models, endpoints and the account's own columns."""

    models: tuple[ModelEntry, ...] = ()
    endpoints: tuple[EndpointEntry, ...] = ()
    account: Mapping[str, Any] = field(default_factory=dict)


def put(tx: Transaction, contents: Contents, now: int) -> None:
    """Merge `contents` over what is there, by name and id. Doing it twice is doing it once."""
    automatic = tx.one("SELECT 1 FROM account WHERE auto_activation") is not None
    for entry in contents.models:
        activates = automatic and not entry.columns.get("invite_only")
        _merge(
            tx,
            "models",
            ("name", entry.name),
            entry.columns,
            {**({"activated": 1} if activates else {}), **entry.if_new},
        )
        _use_before(tx, entry, now)
    tx.run("UPDATE models SET free_out_at = NULL WHERE free_out_at IS NOT NULL AND free_used < coalesce(free_total, 0)")
    for endpoint in contents.endpoints:
        _merge(
            tx,
            "endpoints",
            ("id", endpoint.id),
            {"updated_at": now, **endpoint.columns},
            {"created_at": now, **endpoint.if_new},
        )
    for column, value in contents.account.items():
        tx.run(f"UPDATE account SET {column} = ?", value)  # noqa: S608  # column names are ours
    tx.run("UPDATE account SET ever_activated = 1 WHERE EXISTS (SELECT 1 FROM models WHERE activated)")


def _merge(
    tx: Transaction, table: str, key: tuple[str, str], said: Mapping[str, Any], created: Mapping[str, Any]
) -> None:
    """Insert or update one row; the names of table and columns are ours, only values are not."""
    columns = {key[0]: key[1], **created, **said}
    updates = ", ".join(f"{column} = excluded.{column}" for column in said)
    action = f"DO UPDATE SET {updates}" if updates else "DO NOTHING"
    marks = ", ".join("?" * len(columns))
    tx.run(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({key[0]}) {action}",  # noqa: S608
        *columns.values(),
    )


def _use_before(tx: Transaction, entry: ModelEntry, now: int) -> None:
    """Free quota that was used up before the record began, by the platform's own arithmetic, and displayed already."""
    for kind, tokens in (("online", entry.used_online), ("batch", entry.used_batch)):
        if tokens is not None:
            tx.run(
                "INSERT OR REPLACE INTO uses (model, hour, kind, status, tokens) VALUES (?, ?, ?, ?, ?)",
                entry.name,
                BEFORE_THE_RECORD,
                kind,
                Billed.FREE_QUOTA.value,
                tokens,
            )
    if entry.used_online is None:
        return
    tx.run(
        "UPDATE models SET free_used = CASE WHEN activated THEN min(?, coalesce(free_total, 0)) ELSE ? END WHERE name = ?",
        entry.used_online,
        entry.used_online,
        entry.name,
    )
    tx.run(
        "UPDATE models SET free_shown = free_used, free_shown_at = ?, "
        "free_out_at = CASE WHEN free_total > 0 AND free_used >= free_total THEN ? END WHERE name = ?",
        now - now % HOUR_S,
        now,
        entry.name,
    )
