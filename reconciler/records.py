"""What is remembered of an item, and how that changes: seen equal, written, released, found again after a crash. Pure.

    intended --hoped--> | settled: confirmed, accepted -> hoped     the run was killed:
                        |          applied, unproved  -> kept,        live is as hoped  -> hoped
                        |          failed             -> kept         it is not         -> kept
    kept: as before, but ours, and with the baseline that a first write might have destroyed

It must not decide what is written to a platform.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler import isolation
from reconciler.kinds import Resource, registry
from reconciler.kinds.declared import DeclarationSet, Declared
from reconciler.plan import CONTEST, Change, ChangeReason, Question, removal
from reconciler.plan.question import attested_by, protected
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    Attestation,
    Fields,
    History,
    Limit,
    Outcome,
    Pending,
    Record,
    Result,
    Snapshot,
    Target,
)

SIGHT: Final = timedelta(
    hours=1
)  # how old "seen equal" may grow before it is written again: an idle system writes nothing
CLOCKS: Final = timedelta(minutes=1)  # how far the platform's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Found:
    """What the platform says of an intent that nobody settled: whether it happened, and the record that follows."""

    pending: Pending
    happened: bool
    record: Record


def recovered(history: History, snapshot: Snapshot) -> tuple[Found, ...]:
    """What became of the changes of a run that was killed; later intents stand on earlier ones. No intent, no finding; and none
    where nobody can tell: that intent stays open."""
    found: dict[Target, Record] = {}
    results: list[Found] = []
    for pending in history.pending:
        target, happened = pending.hoped.target, isolation.attempt(_happened, pending, snapshot)
        if not isinstance(happened, bool):
            continue
        before = found.get(target) or history.records.get(target)
        record = proved(pending.hoped) if happened else _unsettled(pending, before, snapshot)
        found[target] = record
        results.append(Found(pending, happened, record))
    return tuple(results)


def with_found(history: History, found: tuple[Found, ...]) -> History:
    """The history as if killed runs had settled what was found of what they began."""
    settled = {(each.pending.run, each.pending.sequence) for each in found}
    left = tuple(each for each in history.pending if (each.run, each.sequence) not in settled)
    return replace(with_records(history, (each.record for each in found)), pending=left)


def _unsettled(pending: Pending, before: Record | None, snapshot: Snapshot) -> Record:
    """The record after an intent that is not seen to have happened. A set that may have happened all the same, and was taken
    back by somebody since, counts for the interval from when it was begun."""
    record, begun = kept(pending.hoped, before), pending.hoped.set_at
    if begun is None or (before is not None and before.set_at == begun):
        return record
    target = pending.hoped.target
    limit = snapshot.models[target.name].limit if target.name in snapshot.models else None
    if isinstance(limit, Limit) and limit.effective_at is not None and limit.effective_at < pending.at - CLOCKS:
        return record  # what is there began before the intent, so the set did not happen
    return replace(record, set_at=max(begun, record.set_at or begun))


def _happened(pending: Pending, snapshot: Snapshot) -> bool | None:
    """Whether the item is as hoped; a limit must also have begun to count after the intent, where that can be seen. None where
    it is not seen, and that does not prove it absent."""
    hoped, target = pending.hoped, pending.hoped.target
    kind = registry()[target.kind]
    if not kind.exists(snapshot, target) and snapshot.absence_unproven(kind.listing, target):
        return None
    if not kind.exists(snapshot, target) or hoped.applied is None:
        return False
    live = kind.live(snapshot, target)
    if any(live.get(path) != value for path, value in hoped.applied.items()):
        return False
    limit = snapshot.models[target.name].limit if target.kind == "InferenceLimit" else None
    if limit is None or limit is UNOBSERVABLE or limit.effective_at is None:
        return True
    return limit.effective_at >= pending.at - CLOCKS


def hoped(change: Change, before: Record | None, live: Fields, owner: Record, now: datetime) -> Record:
    """The record that holds once the writes of `change` happened. `owner` has the declaration's own facts (`claimed`), and
    no owner where nothing declares the item any more."""
    known = before or Record(target=change.target)
    wanted = {field.path: field.after for field in change.fields}
    base = replace(owner, set_at=known.set_at, removed_at=known.removed_at, refused_until=known.refused_until)
    if change.target.kind == "InferenceLimit":
        begins = wanted.get("tokens") is not None
        base = replace(base, set_at=now, refused_until=None) if begins else replace(base, removed_at=now)
    if change.reason is ChangeReason.REMOVED:
        return _hoped_back(base, known, live, wanted)
    baseline = known.baseline if known.owner and known.baseline is not None else _visible(live)
    applied = {**(known.applied or {}), **wanted}
    return replace(
        base, baseline=baseline, applied=applied, equal_at=now, renewal=change.renewal,
        corrections=_corrections(change, known, now),
    )  # fmt: skip


def _hoped_back(base: Record, known: Record, live: Fields, wanted: Fields) -> Record:
    """The record after a step of taking an item back: without an owner once all of it is back, and ours until then."""
    done = known.applied if known.reverting and known.applied is not None else {}
    after = {**live, **done, **wanted}
    goal, _ = removal.way_back(known, live)
    if all(after[path] == value for path, value in goal.items()):
        return replace(base, applied=wanted, renewal=known.renewal)
    return replace(
        known,
        applied={**(known.applied or {}), **wanted},
        reverting=True,
        set_at=base.set_at,
        removed_at=base.removed_at,
    )


def _corrections(change: Change, known: Record, now: datetime) -> tuple[datetime, ...]:
    """The latest moments at which drift was written over, with this one; what a declaration changes begins anew."""
    if change.reason is not ChangeReason.DRIFT:
        return ()
    return (*[moment for moment in known.corrections if moment > now - CONTEST][-2:], now)


def _visible(live: Fields) -> Fields | None:
    """The fields that could be seen; None where none could: then what the item was is unknown."""
    return {path: value for path, value in live.items() if value is not UNOBSERVABLE} or None


def kept(hope: Record, before: Record | None) -> Record:
    """The record after writes that are not proved: only ownership and the baseline of the hope are sure."""
    known = before or Record(target=hope.target)
    if not hope.owner:
        return known
    return replace(
        hope, applied=known.applied, equal_at=known.equal_at, set_at=known.set_at, removed_at=known.removed_at,
        renewal=known.renewal, attestation=known.attestation, refused_until=known.refused_until,
        corrections=known.corrections,
    )  # fmt: skip


def settled(hope: Record, before: Record | None, outcome: Outcome) -> Record | None:
    """What is remembered after an outcome; None where nothing changed."""
    match outcome.result:
        case Result.APPLIED if outcome.confirmed or outcome.accepted:
            return proved(hope)
        case Result.APPLIED:  # taken, so the slot is spent and the renewal asked for, but not proved
            return replace(kept(hope, before), set_at=hope.set_at, removed_at=hope.removed_at, renewal=hope.renewal)
        case Result.FAILED:
            return kept(hope, before)
        case Result.DEFERRED if outcome.reason is Reason.COOLING_DOWN:  # the platform itself said from when on
            return replace(before or Record(target=hope.target), refused_until=outcome.not_before)
        case _:
            return None


def proved(hope: Record) -> Record:
    """The record of a hope that came true; what nothing declares any more is not ours from then on."""
    return hope if hope.owner else released(hope)


def released(record: Record) -> Record:
    """An item that is ours no longer. When it was set last stays known, for the interval, and by which renewal: what comes
    back as it was is not set again."""
    return Record(
        target=record.target, set_at=record.set_at, removed_at=record.removed_at, refused_until=record.refused_until,
        renewal=record.renewal, renewal_unknown=record.renewal_unknown,
    )  # fmt: skip


def claimed(resource: Resource[Any], target: Target, declaration_set: DeclarationSet) -> Record:
    """The facts that a declaration itself gives to the record of its item."""
    policy = getattr(resource.spec, "deletion_policy", None)
    return Record(
        target=target,
        owner=resource.address,
        set_name=declaration_set.name,
        source=declaration_set.source(resource.origin.file),
        labels=dict(resource.labels),
        deletion_policy=policy.value if policy else "Retain",
        protected=protected(resource),
    )


def seen_equal(question: Question, changed: frozenset[Target]) -> Iterator[Record]:
    """The records to replace because items are declared and live as declared: adopted where they were not ours, their facts
    brought up to date, and "seen equal" renewed once an hour. `changed` are the items that the plan changes."""
    snapshot = question.snapshot
    if snapshot is None:
        return
    for resource in question.governing:
        target = question.claims[resource.address]
        if target is None or target in changed or question.left_alone(resource):
            continue
        found = isolation.attempt(_seen_equal, question, snapshot, resource, target)
        if found is not None and not isinstance(found, isolation.Failed):  # what cannot be told is not remembered
            yield from _if_worth_it(found, question.history.records.get(target), question.now)


def _seen_equal(question: Question, snapshot: Snapshot, resource: Resource[Any], target: Target) -> Record | None:
    kind = registry()[target.kind]
    live, wanted = kind.live(snapshot, target), kind.desired(resource, question.now)
    if not wanted or any(live[path] != value for path, value in wanted.items()):
        return None
    before = question.history.records.get(target)
    if before is not None and not _ours_to_claim(question, before, resource):
        return None
    claim = replace(claimed(resource, target, question.declaration_set), baseline=_visible(live))
    record = _equal(claim, before, wanted, question.now)
    return replace(record, renewal=kind.renewal(resource))


def _equal(claim: Record, before: Record | None, wanted: Fields, now: datetime) -> Record:
    """The record of an item that is as declared; what it was when it was adopted is its baseline."""
    if before is None:
        return replace(claim, applied=wanted, equal_at=now)
    return replace(
        claim, baseline=before.baseline if before.owner else claim.baseline, applied=wanted, equal_at=now,
        set_at=before.set_at, removed_at=before.removed_at, refused_until=before.refused_until,
        attestation=before.attestation, corrections=before.corrections,
    )  # fmt: skip


def _if_worth_it(record: Record, before: Record | None, now: datetime) -> Iterator[Record]:
    """The record where it says something new, or where it was last seen equal an hour ago."""
    if (
        before is None
        or before.equal_at is None
        or now - before.equal_at >= SIGHT
        or replace(record, equal_at=before.equal_at) != before
    ):
        yield record


def _ours_to_claim(question: Question, record: Record, resource: Resource[Any]) -> bool:
    """Whether a remembered item may become this declaration's: it is nobody's, its own already, or this set declared it under
    this run's paths, where it is declared no longer."""
    if not record.owner:
        return True
    if not question.owns(record):
        return False
    return record.owner == resource.address or (record.owner not in question.claims and question.covers(record))


def attested(claim: Record, before: Record | None, said: Attestation, renewal: str | None) -> Record:
    """The record of an item that a person says they set; what was proved before stays what it was."""
    known = before or Record(target=claim.target)
    return replace(
        claim, baseline=known.baseline, applied=known.applied, equal_at=known.equal_at, set_at=known.set_at,
        removed_at=known.removed_at, renewal=renewal, attestation=said,
    )  # fmt: skip


def by_word(
    declared: Declared, snapshot: Snapshot | None, history: History, declaration_set: DeclarationSet, now: datetime
) -> Iterator[Record]:
    """The records that a person's word changes: attestations that end, and those that an annotation makes; none unseen."""
    if snapshot is None:
        return
    yield from contradicted(history, snapshot)
    for resource in declared.resources:
        who = attested_by(resource) if registry()[resource.kind].governs and not resource.deleting else ""
        found = (
            isolation.attempt(_by_annotation, resource, who, snapshot, history, declaration_set, now) if who else None
        )
        if found is not None and not isinstance(found, isolation.Failed):
            yield found


def _by_annotation(
    resource: Resource[Any],
    who: str,
    snapshot: Snapshot,
    history: History,
    declaration_set: DeclarationSet,
    now: datetime,
) -> Record | None:
    """The record that an annotation makes; None where it says nothing new."""
    kind = registry()[resource.kind]
    target = kind.target(resource, snapshot)
    if target is None:
        return None
    before, live, wanted = history.records.get(target), kind.live(snapshot, target), kind.desired(resource, now)
    hidden = {path: value for path, value in wanted.items() if live[path] is UNOBSERVABLE}
    if not hidden or (before is not None and not may_attest(before, resource, declaration_set)):
        return None
    known = before.attestation if before is not None and before.renewal == kind.renewal(resource) else None
    if known is not None and (known.fields, known.by) == (hidden, who):
        return None
    said = Attestation(hidden, who, now)
    return attested(claimed(resource, target, declaration_set), before, said, kind.renewal(resource))


def may_attest(record: Record, resource: Resource[Any], declaration_set: DeclarationSet) -> bool:
    """Whether what is remembered of an item leaves it to this declaration of this set."""
    if not record.owner:
        return True
    return record.owner == resource.address and record.set_name in ("", declaration_set.name)


def with_records(history: History, found: Iterable[Record]) -> History:
    """The history with these records in place of what was remembered of their items."""
    return replace(history, records={**history.records, **{record.target: record for record in found}})


def contradicted(history: History, snapshot: Snapshot) -> Iterator[Record]:
    """The records whose attestation ends, because the platform shows otherwise."""
    for _, record in sorted(history.records.items()):
        if record.attestation is not None and isolation.attempt(_contradicts, snapshot, record) is True:
            yield replace(record, attestation=None)


def _contradicts(snapshot: Snapshot, record: Record) -> bool:
    """Whether the platform shows something else than a person attested."""
    kind, said = registry()[record.target.kind], record.attestation
    if said is None or not kind.exists(snapshot, record.target):
        return False
    live = kind.live(snapshot, record.target)
    return any(live.get(path, UNOBSERVABLE) not in (UNOBSERVABLE, value) for path, value in said.fields.items())
