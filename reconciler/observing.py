"""One sweep of an account, and a closer look at the few items where listing does not tell and the answer decides.

Only reads, and a failure of the world is a value, never raised.
"""

from collections.abc import Collection, Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from reconciler import isolation, proof
from reconciler.errors import PlatformError, Transient
from reconciler.kinds import registry
from reconciler.kinds.declared import Declared
from reconciler.platforms import Reader
from reconciler.rules import override_exceeds_model_limit
from reconciler.state import Failure, History, Operation, Snapshot, Support, Target
from reconciler.threads import Pool

READS_AT_ONCE: Final = 8  # how many go out together is the platform's own affair; more than that would only wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen; `snapshot` is None where the platform could not be, and `failures` says why."""

    snapshot: Snapshot | None = None
    capabilities: Mapping[Operation, Support]
    failures: tuple[Failure, ...] = ()


def observe(declared: Declared, history: History, reader: Reader, now: datetime, *, prune: bool = False) -> Seen:
    """Sweep the account for what is declared of it and remembered of it. `prune`: this pass may end the ownership of what
    nothing declares any more, so items of ours that are not seen are asked for one by one."""
    limited = {resource.spec.model for resource in declared.limits}
    limited |= {target.name for target in history.records if target.kind == "InferenceLimit"}
    try:
        capabilities = reader.capabilities()
        snapshot = _closer(declared, reader.observe(frozenset(limited)), reader, now)
    except PlatformError as error:
        retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
        return Seen(capabilities={}, failures=(Failure(str(error), error.reason, error.code, retry_after_s),))
    if prune or any(resource.deleting for resource in declared.resources):
        snapshot = _confirmed(history, snapshot, reader)
    return Seen(snapshot=snapshot, capabilities=capabilities)


def _closer(declared: Declared, snapshot: Snapshot, reader: Reader, now: datetime) -> Snapshot:
    """The snapshot, with the capacity of endpoints whose override is too high unless they have some of their own."""
    doubtful = isolation.attempt(override_exceeds_model_limit.undecided, declared, snapshot, now)
    if isinstance(doubtful, isolation.Failed):  # the rule fails the same way, which is the finding
        return snapshot
    readings = []
    for target, seen in _read_each(doubtful, reader):
        if isinstance(seen, PlatformError):
            raise seen
        readings.append((target, seen))
    return proof.laid_over(snapshot, readings)


def _confirmed(history: History, snapshot: Snapshot, reader: Reader) -> Snapshot:
    """The snapshot, after each item of ours that a whole list does not name was asked for by itself: only an answer that
    it is not there proves that it is gone. One read serves all items of one name."""
    missing = _missing(history, snapshot)
    read = _read_each({target.name: target for target in missing}.values(), reader)
    failed = {target.name: str(seen) for target, seen in read if isinstance(seen, PlatformError)}
    unconfirmed = {target: failed[target.name] for target in missing if target.name in failed}
    readings = [(target, seen) for target, seen in read if not isinstance(seen, PlatformError)]
    return replace(proof.laid_over(snapshot, readings), unconfirmed=unconfirmed)


def _read_each(targets: Collection[Target], reader: Reader) -> list[tuple[Target, Snapshot | PlatformError]]:
    """Each target with what a read of it alone showed, or with its failure. Some at once: the platform may be far away."""

    def one(target: Target) -> Snapshot | PlatformError:
        try:
            return reader.read(target)
        except PlatformError as error:
            return error

    with Pool(READS_AT_ONCE, "closer") as pool:
        started = [(target, pool.submit(partial(copy_context().run, one, target))) for target in targets]
        return [(target, future.result()) for target, future in started]


def _missing(history: History, snapshot: Snapshot) -> tuple[Target, ...]:
    """The items of ours that the sweep did not see although their list was whole, sorted."""
    ours = (target for target, record in sorted(history.records.items()) if record.owner)
    # Where a kind fails to tell, so does the removal, which is the finding.
    return tuple(target for target in ours if isolation.attempt(_is_missing, target, snapshot) is True)


def _is_missing(target: Target, snapshot: Snapshot) -> bool:
    kind = registry()[target.kind]
    return not kind.exists(snapshot, target) and not snapshot.absence_unproven(kind.listing)
