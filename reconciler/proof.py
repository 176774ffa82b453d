"""Whether what was wanted is so: what a read before and a read after a write prove about a change. Pure, no I/O.

A limit that is set to the number it had already restarts its counting, so equal values prove nothing there: only a new
effective time does. It must not decide what follows from its answers.
"""

from collections.abc import Iterable
from dataclasses import replace

from reconciler import kinds
from reconciler.plan import Change
from reconciler.state import UNOBSERVABLE, Fields, Operation, Snapshot, Target, Value, Write


def live(change: Change, snapshot: Snapshot) -> Fields | None:
    """The item's fields, None where the platform does not know the model or endpoint any more."""
    kind = kinds.registry()[change.target.kind]
    return kind.live(snapshot, change.target) if kind.exists(snapshot, change.target) else None


def stamp(change: Change, snapshot: Snapshot) -> Fields:
    """What tells the item from one that was set to the same values again since."""
    return kinds.registry()[change.target.kind].stamp(snapshot, change.target)


def wanted(change: Change) -> dict[str, Value]:
    """The values that the change is to bring about."""
    return {field.path: field.after for field in change.fields}


def visible(change: Change, snapshot: Snapshot) -> bool:
    """Whether the snapshot can show every field of the change at all."""
    seen = live(change, snapshot)
    return seen is not None and UNOBSERVABLE not in (seen[path] for path in wanted(change))


def is_out_of_sight(change: Change, snapshot: Snapshot) -> bool:
    """Whether all that can be seen of the item is as wanted, and the rest cannot be seen at all."""
    seen, values = live(change, snapshot), wanted(change)
    return (
        seen is not None
        and any(seen[path] is UNOBSERVABLE for path in values)
        and all(seen[path] in (UNOBSERVABLE, value) for path, value in values.items())
    )


def is_as_wanted(change: Change, before: Snapshot, after: Snapshot) -> bool:
    """Whether the item has every wanted value; a limit that was set to the number it had must also have begun anew."""
    return _equal(change, after) and _began_anew(change, before, after) is not False


def happened(change: Change, write: Write, before: Snapshot, after: Snapshot) -> bool | None:
    """Whether a write whose answer was lost happened after all; None where it must not be repeated on a guess."""
    seen = live(change, after)
    if seen is None or not visible(change, after):
        # A second set would restart the limit's counting; every other write may safely be repeated.
        return None if write.operation is Operation.SET_LIMIT else False
    if write.operation is Operation.SET_LIMIT:
        return _equal(change, after) and _began_anew(change, before, after)
    return write not in kinds.registry()[change.target.kind].writes(change.target, seen, wanted(change))


def _equal(change: Change, snapshot: Snapshot) -> bool:
    seen = live(change, snapshot)
    return seen is not None and all(seen[path] == value for path, value in wanted(change).items())


def _began_anew(change: Change, before: Snapshot, after: Snapshot) -> bool | None:
    """For a limit set to the number that it had: whether its counting restarted, None where that cannot be seen.
    True for every other change."""
    if change.target.kind != "InferenceLimit" or not _equal(change, before):
        return True
    limits = [snapshot.models[change.target.name].limit for snapshot in (before, after)]
    starts = [None if limit is None or limit is UNOBSERVABLE else limit.effective_at for limit in limits]
    return None if None in starts else starts[0] != starts[1]


def laid_over(snapshot: Snapshot, readings: Iterable[tuple[Target, Snapshot]]) -> Snapshot:
    """The sweep with what was read since laid over it."""
    models, endpoints, switches = dict(snapshot.models), dict(snapshot.endpoints), snapshot.switches
    for target, seen in readings:
        models.update(seen.models)
        endpoints.update(seen.endpoints)
        switches = seen.switches if target.kind == "PlatformAccount" else switches
    return replace(snapshot, models=models, endpoints=endpoints, switches=switches)
