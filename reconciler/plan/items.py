"""One item: which fields are not as wanted, what calls that takes, and in which steps they are done. Knows no kind by name."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from reconciler.kinds import registry
from reconciler.plan.values import Change, FieldChange
from reconciler.state import UNOBSERVABLE, Capability, Fields, Operation, Record, Target, Write

#   0 the account's switches                        then what others build on
#   1 activate, sub-services                          |
#   2 set limit                                       |
#   3 set override                                    v
#   4 clear override                                what builds on others goes first on the way back
#   5 remove limit                                    |
#   6 deactivate                                      v
_LEVELS: Final[Mapping[Operation, int]] = MappingProxyType(
    {
        Operation.SET_FREE_TOKENS_ONLY: 0,  # on: activating without it would lose it; off: what it excludes comes after
        Operation.SET_AUTO_ACTIVATION: 0,
        Operation.ACTIVATE: 1,
        Operation.ADD_SUB_SERVICE: 1,
        Operation.DROP_SUB_SERVICE: 1,
        Operation.SET_LIMIT: 2,
        Operation.SET_OVERRIDE: 3,
        Operation.CLEAR_OVERRIDE: 4,
        Operation.REMOVE_LIMIT: 5,
        Operation.DEACTIVATE: 6,
    }
)
CONTEST: Final = timedelta(days=7)  # how long a change back is remembered: long enough for two nightly runs to meet


def level(write: Write) -> int:
    """When a write comes: all of one level may run before any of the next."""
    return _LEVELS[write.operation]


def fingerprint(fields: Fields) -> str:
    """One word for all the values of an item: equal fields, equal word. It is a change's precondition."""
    plain = {path: {"unobservable": True} if value is UNOBSERVABLE else value for path, value in fields.items()}
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def recorded(record: Record) -> str:
    """One word for what is remembered of an item and decides what is due: equal words, nobody else wrote to it since."""
    plain = (
        record.owner, record.set_name, _known(record.applied), record.renewal, record.renewal_unknown, record.reverting,
        *(moment and moment.isoformat() for moment in (record.set_at, record.removed_at, record.refused_until)),
    )  # fmt: skip
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def _known(fields: Fields | None) -> str:
    return "" if fields is None else fingerprint(fields)


def writes_of(change: Change, live: Fields) -> tuple[Write, ...]:
    """The calls that take the item of `change` from `live` to what the change wants, in order; () where it is so already."""
    wanted = {field.path: field.after for field in change.fields}
    return registry()[change.target.kind].writes(change.target, live, wanted)


def differing(target: Target, live: Fields, wanted: Fields) -> tuple[FieldChange, ...]:
    """The fields that are seen not to be as wanted, by path. What cannot be seen does not differ, nor does what no call
    could change (an invite-only model where NotActivated is wanted)."""
    return tuple(
        FieldChange(path, live[path], wanted[path])
        for path in sorted(wanted)
        if live[path] is not UNOBSERVABLE and live[path] != wanted[path] and calls(target, live, wanted, path)
    )


def calls(target: Target, live: Fields, wanted: Fields, path: str) -> tuple[Write, ...]:
    """The calls that the field at `path` alone takes, once the item's other fields are as wanted."""
    others = {**live, **wanted, path: live[path]}
    return registry()[target.kind].writes(target, others, {path: wanted[path]})


@dataclass(frozen=True, slots=True)
class Step:
    """Fields of one item that are changed at once: one capability, one level. `writes` are the calls from `before` on."""

    level: int
    capability: Capability
    fields: tuple[FieldChange, ...]
    writes: tuple[Write, ...]
    before: Fields


def steps(
    target: Target, live: Fields, fields: tuple[FieldChange, ...], capability: Callable[[Operation], Capability]
) -> tuple[Step, ...]:
    """The fields grouped into steps, in the order they are done."""
    wanted: Fields = {**live, **{field.path: field.after for field in fields}}
    groups: dict[tuple[int, Capability], list[FieldChange]] = {}
    for field in fields:
        for part, write in _parts(target, {**wanted, field.path: field.before}, field, capability):
            groups.setdefault((level(write), capability(write.operation)), []).append(part)
    found: list[Step] = []
    state = live
    for (height, how), parts in sorted(groups.items(), key=lambda group: (group[0][0], group[0][1].value)):
        writes = _writes(target, state if how is Capability.NATIVE else _just_before(wanted, parts), parts)
        if not writes:
            continue  # it only becomes possible once a person did another part
        found.append(Step(height, how, tuple(parts), writes, state))
        if how is Capability.NATIVE:
            state = {**state, **{part.path: part.after for part in parts}}
    return tuple(found)


def _just_before(wanted: Fields, parts: list[FieldChange]) -> Fields:
    return {**wanted, **{part.path: part.before for part in parts}}


def _writes(target: Target, live: Fields, parts: list[FieldChange]) -> tuple[Write, ...]:
    return registry()[target.kind].writes(target, live, {part.path: part.after for part in parts})


def _parts(
    target: Target, others: Fields, field: FieldChange, capability: Callable[[Operation], Capability]
) -> tuple[tuple[FieldChange, Write], ...]:
    """The field with the write it takes; in two where a set of words grows one way and shrinks another."""
    writes = registry()[target.kind].writes(target, others, {field.path: field.after})
    if not writes:
        return ()
    if len({(capability(write.operation), level(write)) for write in writes}) == 1:
        return ((field, writes[0]),)
    before = field.before if isinstance(field.before, tuple) else ()
    after = field.after if isinstance(field.after, tuple) else ()
    both = tuple(sorted({*before, *after}))
    grown, shrunk = FieldChange(field.path, field.before, both), FieldChange(field.path, both, field.after)
    first = registry()[target.kind].writes(target, others, {field.path: both})
    then = registry()[target.kind].writes(target, {**others, field.path: both}, {field.path: field.after})
    return tuple((part, found[0]) for part, found in ((grown, first), (shrunk, then)) if found)
