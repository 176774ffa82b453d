"""What we own and nothing declares any more: reverted, released or left alone, and why. Never touches what was never ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reconciler import isolation
from reconciler.kinds import Resource
from reconciler.kinds.common import DeletionPolicy, Management
from reconciler.plan.items import differing
from reconciler.plan.question import Question, item_names, kind_of_item, paused, protected
from reconciler.plan.values import FieldChange, Release
from reconciler.state import UNOBSERVABLE, Fields, Record, Snapshot, Target

UNCLAIMED: Final = (
    "unclaimed: remembered before declaration sets had names; the set that declares its owner again claims it, and "
    "`modelpolicy release` forgets it"
)


@dataclass(frozen=True, slots=True)
class Removal:
    """An item to take back to what it was, with sentences for the reviewer; `failed` where that could not be told."""

    address: str
    target: Target
    fields: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()
    failed: isolation.Failed | None = None


def removals(question: Question, snapshot: Snapshot) -> Iterator[Removal | Release]:
    """Every item of this set without a declaration, by target. What other sets own is theirs, and what was remembered before
    sets had names waits until somebody declares it."""
    deleting = {each.address: each for each in question.declared.resources if each.deleting}
    claimed = set(question.claims.values())
    for target, record in sorted(question.history.records.items()):
        if (
            question.is_unclaimed(record)
            and target not in claimed
            and question.chosen(record.owner, address_of(target))
        ):
            yield _release(record, UNCLAIMED)
        if not question.owns(record) or target in claimed or not question.chosen(record.owner, address_of(target)):
            continue
        if record.owner in question.claims and question.claims[record.owner] is None:
            continue  # still declared: only its target is not found just now
        found = isolation.attempt(_judge, question, snapshot, record, deleting.get(record.owner))
        yield Removal(address_of(target), target, failed=found) if isinstance(found, isolation.Failed) else found


def address_of(target: Target) -> str:
    """The address of an item that nothing declares."""
    return f"{target.kind}/{target.name}"


def _judge(question: Question, snapshot: Snapshot, record: Record, deleting: Resource[Any] | None) -> Removal | Release:
    """What becomes of one item; `deleting` is its resource where a person is deleting it in a cluster."""
    kept = _kept(question, snapshot, record, deleting)
    if kept:
        return _release(record, kept)
    kind = kind_of_item(record.target)
    if not kind.exists(snapshot, record.target):
        unproven = snapshot.absence_unproven(kind.listing, record.target)
        if unproven:
            return _release(
                record, f"it is not seen, and whether it is gone is not known ({unproven}), so it stays ours"
            )
        return _release(record, "the platform has no such item any more", ends=True)
    policy = deleting.spec.deletion_policy.value if deleting else record.deletion_policy
    guarded = protected(deleting) if deleting else record.protected
    if policy == DeletionPolicy.RETAIN.value:
        if guarded:
            return _release(record, "it is protected, so it stays ours until somebody allows its release")
        return _release(record, "kept on the platform, no longer managed (deletionPolicy: Retain)", ends=True)
    return _reverted(snapshot, record)


def _kept(question: Question, snapshot: Snapshot, record: Record, deleting: Resource[Any] | None) -> str:
    """Why the item stays untouched and ours, "" where it may go."""
    names = item_names(snapshot, record.target) | {record.target.name}
    held = question.held_record(record, names)
    if held is not None:
        return f"{held.location} could not be loaded and may still declare it"
    if question.no_reverts:
        return question.no_reverts
    unplaced = next((address for address in question.unplaced if address.startswith(f"{record.target.kind}/")), None)
    if unplaced is not None:
        return f"{unplaced} could not be judged and may still declare it"
    if record.owner in question.broken:
        return f"{record.owner} has errors, so it may still mean this item"
    if question.holds_account or paused(question.account) or (deleting is not None and paused(deleting)):
        return "its account is held or paused"
    if question.account.spec.management is Management.OBSERVE:
        return "its account is only observed"
    if deleting is not None:
        return ""
    if not question.covers(record):
        return f"it was declared in {record.source or 'an unknown place'}, which is not under this run's paths"
    return "" if question.prune else "nothing declares it any more; --prune would revert or release it"


def way_back(record: Record, live: Fields) -> tuple[Fields, tuple[str, ...]]:
    """What each field of ours goes back to: its baseline, or the platform's default where that is unknown; and which those are."""
    kind = kind_of_item(record.target)
    ours = sorted(record.applied if record.applied is not None else live)
    baseline: Fields = record.baseline or {}
    known = {path: baseline[path] for path in ours if baseline.get(path, UNOBSERVABLE) is not UNOBSERVABLE}
    unknown = tuple(path for path in ours if path not in known)
    return {**{path: kind.default[path] for path in unknown}, **known}, unknown


def _reverted(snapshot: Snapshot, record: Record) -> Removal | Release:
    """The item taken back to its baseline, or to the platform's default where the baseline is unknown and that is safe."""
    kind, target = kind_of_item(record.target), record.target
    live = kind.live(snapshot, target)
    goal, unknown = way_back(record, live)
    if any(live[path] is UNOBSERVABLE for path in goal):
        return _release(
            record,
            "it cannot be seen on the platform, so it is not reverted: undo it by hand, then modelpolicy release it",
        )
    if unknown and not kind.revert_unknown:
        return _release(
            record, "warning: what it was before is unknown, and undoing it may be an outage: left as it is", ends=True
        )
    fields = differing(target, live, goal)
    if not fields:
        return _release(record, "it is already what it was before", ends=True)
    said = ("what it was before is unknown: it goes back to the platform's default",) if unknown else ()
    return Removal(address_of(target), target, fields, said)


def _release(record: Record, why: str, *, ends: bool = False) -> Release:
    return Release(
        address=address_of(record.target),
        target=record.target,
        deletion_policy=record.deletion_policy,
        source=record.source,
        ends=ends,
        why=why,
    )
