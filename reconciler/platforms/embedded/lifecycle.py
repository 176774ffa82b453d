"""Inference endpoints come and go: what Ark's endpoint actions change, beside their rate. No clock of its own.

Works inside the caller's transaction and raises `Refusal` before it changes anything.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.platforms.embedded.control import endpoint_row, model_row
from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.platforms.embedded.store import Row, Transaction

RUNNING: Final = "Running"
STOPPED: Final = "Stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An endpoint to be made."""

    name: str
    model: str
    model_version: str = ""
    description: str = ""
    project: str = "default"
    tags: tuple[tuple[str, str], ...] = ()
    rpm: int | None = None
    tpm: int | None = None


def create(tx: Transaction, new: New, now: int) -> str:
    """Make the endpoint, running; its id."""
    model = model_row(tx, new.model)
    versions = [version for version in model["versions"].split(",") if version]
    if new.model_version and new.model_version not in versions:
        known = ", ".join(versions) or "none"
        raise Refusal(Code.NOT_FOUND, f"model {new.model} has no version {new.model_version}; there are: {known}")
    id_ = f"ep-{datetime.fromtimestamp(now, UTC):%Y%m%d%H%M%S}-{secrets.token_hex(4)}"
    tx.run(
        "INSERT INTO endpoints (id, name, model, model_version, description, project, tags, rpm, tpm, created_at, "
        "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id_,
        new.name,
        new.model,
        new.model_version or (versions[0] if versions else ""),
        new.description,
        new.project,
        json.dumps(new.tags),
        new.rpm,
        new.tpm,
        now,
        now,
    )
    return id_


def preset(identity: str, model: str) -> str:
    """The id of the preset endpoint by which calls go that name the model itself: always the same on one account."""
    return f"ep-m-{hashlib.sha256(f'{identity} {model}'.encode()).hexdigest()[:20]}"


def describe(tx: Transaction, endpoint: str, fields: Mapping[str, str], now: int) -> None:
    """Change the name, the description or both."""
    row = endpoint_row(tx, endpoint)
    after = {**{key: row[key] for key in ("name", "description")}, **fields}
    tx.run(
        "UPDATE endpoints SET name = ?, description = ?, updated_at = ? WHERE id = ?",
        after["name"],
        after["description"],
        now,
        endpoint,
    )


def switch(tx: Transaction, endpoint: str, wanted: str, now: int) -> None:
    """Start or stop; an endpoint that is so already is in the wrong state for it."""
    row = endpoint_row(tx, endpoint)
    if row["status"] == wanted:
        raise Refusal(Code.ENDPOINT_STATUS, f"endpoint {endpoint} is {wanted} already")
    tx.run("UPDATE endpoints SET status = ?, updated_at = ? WHERE id = ?", wanted, now, endpoint)


def delete(tx: Transaction, endpoint: str) -> None:
    """Delete the endpoint, which must be stopped first (D4)."""
    if endpoint_row(tx, endpoint)["status"] == RUNNING:
        raise Refusal(Code.ENDPOINT_STATUS, f"endpoint {endpoint} is {RUNNING}; stop it first")
    tx.run("DELETE FROM endpoints WHERE id = ?", endpoint)


def tags_of(row: Row) -> list[dict[str, Any]]:
    """The row's tags as the wire has them."""
    return [{"Key": key, "Value": value} for key, value in json.loads(row["tags"])]
