"""One sweep of an account, and a closer look at the few items where listing does not tell and the answer decides.

Only reads, and a failure of the world is a value, never raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler import isolation, proof
from reconciler.errors import PlatformError, Transient
from reconciler.kinds import registry
from reconciler.kinds.declared import Declared
from reconciler.platforms import Reader
from reconciler.rules import override_exceeds_model_limit
from reconciler.state import Failure, History, Operation, Snapshot, Support, Target


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
    return proof.laid_over(snapshot, [(target, reader.read(target)) for target in doubtful])


def _confirmed(history: History, snapshot: Snapshot, reader: Reader) -> Snapshot:
    """The snapshot, after each item of ours that a whole list does not name was asked for by itself: only an answer that
    it is not there proves that it is gone. One read serves all items of one name."""
    readings: dict[str, tuple[Target, Snapshot]] = {}
    failed: dict[str, str] = {}
    missing = _missing(history, snapshot)
    for target in missing:
        if target.name in readings or target.name in failed:
            continue
        try:
            readings[target.name] = (target, reader.read(target))
        except PlatformError as error:
            failed[target.name] = str(error)
    unconfirmed = {target: failed[target.name] for target in missing if target.name in failed}
    return replace(proof.laid_over(snapshot, readings.values()), unconfirmed=unconfirmed)


def _missing(history: History, snapshot: Snapshot) -> tuple[Target, ...]:
    """The items of ours that the sweep did not see although their list was whole, sorted."""
    ours = (target for target, record in sorted(history.records.items()) if record.owner)
    # Where a kind fails to tell, so does the removal, which is the finding.
    return tuple(target for target in ours if isolation.attempt(_is_missing, target, snapshot) is True)


def _is_missing(target: Target, snapshot: Snapshot) -> bool:
    kind = registry()[target.kind]
    return not kind.exists(snapshot, target) and not snapshot.absence_unproven(kind.listing)
