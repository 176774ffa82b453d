"""Live against declared and against what was last applied: what differs, and which side moved. Pure; plans nothing.

         applied == declared   applied != declared   applied not known
    live != applied:  platform       both                 unknown
    live == applied:  (no drift)     config               -

What cannot be seen never drifts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.common import Spec
from reconciler.kinds.declared import Declared
from reconciler.plan.items import differing
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, Fields, History, Record, Snapshot, Target, Value

_NOT_COMPARED: Final = (Reason.TARGET_NOT_FOUND, Reason.CONFLICTED, Reason.ACCOUNT_CHANGED)


class Moved(StrEnum):
    """Which side left what was last applied. unknown: it was never applied from here, so nobody can tell."""

    CONFIG = "config"
    PLATFORM = "platform"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """One field that differs. `applied` is UNOBSERVABLE where nothing is remembered of it."""

    path: str
    declared: Value
    applied: Value
    live: Value
    moved: Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One item that is not as declared. `equal_at` is when it was last seen equal, None where it never was."""

    address: str
    target: Target
    target_name: str = ""
    model: str = ""
    origin: Location | None = None
    equal_at: datetime | None = None
    fields: tuple[FieldDrift, ...]

    @property
    def moved(self) -> Moved:
        """The one word for the item: both where its fields do not agree."""
        words = {field.moved for field in self.fields}
        return words.pop() if len(words) == 1 else Moved.BOTH


def drifts(declared: Declared, snapshot: Snapshot, history: History, now: datetime) -> tuple[Drift, ...]:
    """Every declared item that is seen not to be as declared, by address."""
    found = [
        drift
        for resource in declared.resources
        if registry()[resource.kind].governs
        for drift in _of(resource, snapshot, history, now)
    ]
    return tuple(sorted(found, key=lambda one: (one.address, one.target)))


def uncompared(findings: Iterable[Finding], declared: Declared) -> tuple[Finding, ...]:
    """The errors that kept something from being compared: of what could not be loaded, of what names an item that is not there,
    and of an account in doubt. A broken rule does not: what it stops is compared all the same."""
    known = {resource.address for resource in declared.resources}
    errors = (found for found in findings if found.severity is Severity.ERROR)
    return tuple(found for found in errors if found.resource not in known or found.reason in _NOT_COMPARED)


def _of(resource: Resource[Spec], snapshot: Snapshot, history: History, now: datetime) -> Iterator[Drift]:
    kind = registry()[resource.kind]
    target = kind.target(resource, snapshot)
    if target is None:  # a finding says so
        return
    record = history.records.get(target)
    if kind.expired(resource, now) and (record is None or not record.owner):
        return  # it ended before it was ever carried out: nothing of the item is ours
    wanted, live = kind.desired(resource, now), kind.live(snapshot, target)
    fields = tuple(
        FieldDrift(one.path, one.after, _applied(record, one.path), one.before, _moved(record, one.path, wanted, live))
        for one in differing(target, live, wanted)
    )
    if fields:
        endpoint = snapshot.endpoints.get(target.name) if resource.kind == "EndpointRateOverride" else None
        yield Drift(
            address=resource.address,
            target=target,
            target_name=endpoint.name if endpoint else "",
            model=endpoint.model if endpoint else target.name if target.name in snapshot.models else "",
            origin=resource.origin,
            equal_at=record.equal_at if record else None,
            fields=fields,
        )


def _applied(record: Record | None, path: str) -> Value:
    applied: Fields = (record.applied if record else None) or {}
    return applied.get(path, UNOBSERVABLE)


def _moved(record: Record | None, path: str, wanted: Fields, live: Fields) -> Moved:
    applied = _applied(record, path)
    if applied is UNOBSERVABLE:
        return Moved.UNKNOWN
    if applied == wanted[path]:
        return Moved.PLATFORM
    return Moved.CONFIG if applied == live[path] else Moved.BOTH
