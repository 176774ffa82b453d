"""Each declared item of a model, field by field: what the policy wants beside what is true. Pure; asks the kinds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kinds import Resource, normalised, registry
from reconciler.plan import Change
from reconciler.report.by_model import Account
from reconciler.report.model_row import Row, Standing, standing_of
from reconciler.state import UNOBSERVABLE, Endpoint, Value
from reconciler.status import ResourceStatus


@dataclass(frozen=True, slots=True)
class Pair:
    """One field, as wanted and as it is."""

    path: str
    wanted: Value
    live: Value

    @property
    def same(self) -> bool:
        return self.wanted == self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One declaration: its fields, how it stands, what comes next, and its text."""

    resource: Resource[Any]
    endpoint: Endpoint | None
    pairs: tuple[Pair, ...]
    status: ResourceStatus | None
    standing: Standing | None
    change: Change | None
    lines: tuple[str, ...]


def compare(account: Account, row: Row) -> tuple[Comparison, ...]:
    """Every declaration about the model, in the order of the files."""
    statuses = {status.address: status for status in row.statuses}
    changes = {change.address: change for change in row.changes}
    found = []
    for resource in row.resources:
        status = statuses.get(resource.address)
        target = status.target if status else None
        snapshot = account.snapshot
        found.append(
            Comparison(
                resource=resource,
                endpoint=snapshot.endpoints.get(target.name) if snapshot and target else None,
                pairs=tuple(_pairs(account, resource)),
                status=status,
                standing=standing_of(status) if status else None,
                change=changes.get(resource.address),
                lines=tuple(_lines(_said(normalised(resource)), 0)),
            )
        )
    return tuple(found)


def _pairs(account: Account, resource: Resource[Any]) -> Iterator[Pair]:
    kind = registry()[resource.kind]
    wanted = kind.desired(resource, account.now)
    target = kind.target(resource, account.snapshot) if account.snapshot else None
    live: Mapping[str, Value] = kind.live(account.snapshot, target) if account.snapshot and target else {}
    for path, value in wanted.items():
        yield Pair(path, value, live.get(path, UNOBSERVABLE))


def _said(document: Any) -> Any:
    """The document without what was left out of it."""
    if isinstance(document, dict):
        return {key: _said(value) for key, value in document.items() if value is not None and value not in ({}, [])}
    return document


def _lines(document: Mapping[str, Any], depth: int) -> Iterator[str]:
    """The document as YAML; text that could be read as anything else is quoted."""
    pad = "  " * depth
    for key, value in document.items():
        if isinstance(value, dict):
            yield f"{pad}{key}:"
            yield from _lines(value, depth + 1)
        else:
            yield f"{pad}{key}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and value and value.replace("-", "").replace(".", "").replace("/", "").isalnum():
        return value if not value[0].isdigit() and not value.startswith("-") else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
