"""Each declared item of a model, field by field: what the policy wants beside what is true. Pure; asks the kinds."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.console.desk import Seen
from reconciler.kinds import Resource, normalised, registry
from reconciler.plan import Change
from reconciler.report.by_model import Account
from reconciler.report.model_row import Row, Standing
from reconciler.report.problems import Problem
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
    """One declaration: its fields, how it stands, what comes next, and its text. `edit` is the line to edit. `problem` is its own or, while the platform has
    paused the model, that one: what is as declared does not serve either."""

    resource: Resource[Any]
    endpoint: Endpoint | None
    pairs: tuple[Pair, ...]
    status: ResourceStatus | None
    standing: Standing | None
    change: Change | None
    problem: Problem | None
    edit: str
    lines: tuple[str, ...]


def compare(seen: Seen, row: Row) -> tuple[Comparison, ...]:
    """Every declaration about the model, in the order of the files."""
    account, wrong = seen.account, seen.by_model.get(row.name, ())
    own = {one.address: one for one in wrong if one.address}
    paused = paused_of(wrong)
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
                standing=row.standing_of(status) if status else None,
                change=changes.get(resource.address),
                problem=own.get(resource.address) or paused,
                edit=_edit(resource),
                lines=tuple(_lines(_said(normalised(resource)), 0)),
            )
        )
    return tuple(found)


_FIELDS: Final = ("state", "tokens", "rpm", "tpm")  # what is edited most, by which a reader finds the line


def _edit(resource: Resource[Any]) -> str:
    """The file and line of what the declaration is about."""
    where = next(
        (found for name in _FIELDS if (found := resource.at("spec", name)) != resource.at("spec")), resource.origin
    )
    return f"{where.file}:{where.line}" if where.line else where.file


def paused_of(wrong: Iterable[Problem]) -> Problem | None:
    """That the platform paused the model, where it did."""
    return next((one for one in wrong if one.fails and not one.address and not one.endpoint), None)


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
