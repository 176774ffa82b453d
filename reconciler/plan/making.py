"""The plan of one account: what is declared against what is live, in the order it has to happen. Generic over the kinds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from reconciler import isolation
from reconciler.finding import Finding, Location, in_order
from reconciler.kinds import Resource
from reconciler.plan import notes
from reconciler.plan.items import Step, calls, differing, fingerprint, recorded, steps
from reconciler.plan.question import Question, kind_of_item
from reconciler.plan.removal import Removal, removals
from reconciler.plan.values import Action, Change, ChangeReason, FieldChange, Plan, Release
from reconciler.state import UNOBSERVABLE, Capability, Fields, Record, Snapshot, Target

_Placed: TypeAlias = tuple[tuple[Any, ...], Change]  # a change with its place in the order


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """What is wanted of one item, before it is split into changes."""

    address: str
    target: Target
    action: Action
    reason: ChangeReason
    fields: tuple[FieldChange, ...]
    notes: tuple[str, ...] = ()
    origin: Location | None = None
    renewal: str | None = None


def make(question: Question) -> Plan:
    """The plan for the question: equal questions make equal plans, whatever the order of resources. Its findings are the
    question's, and one for each resource or item that the plan could not be made for."""
    snapshot = question.snapshot
    if snapshot is None:
        return Plan(account=question.account.account, inputs_digest=question.inputs_digest, observed_at=None)
    placed: list[_Placed] = []
    failed: list[Finding] = []
    unchanged = 0
    claimed = Counter(target for target in _eligible_claims(question))
    for resource in question.governing:
        if not question.chosen(resource.address) or resource.address in question.broken:
            continue
        found = isolation.attempt(_of_resource, question, snapshot, resource, claimed)
        if isinstance(found, isolation.Failed):
            failed.append(found.about(resource))
        elif isinstance(found, list):
            placed += found
        else:
            unchanged += found
    releases: list[Release] = []
    for removal in removals(question, snapshot):
        if isinstance(removal, Release):
            releases.append(removal)
            continue
        back = isolation.attempt(_taken_back, question, snapshot, removal)
        if isinstance(back, isolation.Failed):
            failed.append(back.told(removal.address, None))
        else:
            placed += back
    return Plan(
        account=question.account.account,
        inputs_digest=question.inputs_digest,
        observed_at=snapshot.observed_at,
        changes=tuple(change for _, change in sorted(placed, key=lambda pair: pair[0])),
        unchanged=unchanged,
        findings=in_order((*question.findings, *failed)) if failed else question.findings,
        releases=tuple(releases),
        notes=_plan_notes(question),
    )


def _of_resource(
    question: Question, snapshot: Snapshot, resource: Resource[Any], claimed: Counter[Target]
) -> list[_Placed] | bool:
    """The changes that a resource asks for; where there are none, whether its item is as declared."""
    if resource.address in question.unplaced:
        raise question.unplaced[resource.address].error
    target = question.claims[resource.address]
    if target is None or not kind_of_item(target).exists(snapshot, target):
        return False
    if question.left_alone(resource) or claimed[target] > 1:
        return _is_equal(resource, target, snapshot, question.now)
    intent = _wanted(question, snapshot, resource, target)
    if intent is None:
        return bool(kind_of_item(target).desired(resource, question.now))
    return _changes(question, snapshot, intent)


def _eligible_claims(question: Question) -> Iterable[Target]:
    """The items claimed by resources that may be carried out: an item claimed twice is nobody's."""
    for resource in question.governing:
        target = question.claims[resource.address]
        if target is not None and resource.address not in question.broken:
            yield target


def _is_equal(resource: Resource[Any], target: Target, snapshot: Snapshot, now: datetime) -> bool:
    kind = kind_of_item(target)
    wanted = kind.desired(resource, now)
    return bool(wanted) and not differing(target, kind.live(snapshot, target), wanted)


def _wanted(question: Question, snapshot: Snapshot, resource: Resource[Any], target: Target) -> _Intent | None:
    """What the resource wants changed on its item, None where nothing."""
    kind = kind_of_item(target)
    live, wanted = kind.live(snapshot, target), kind.desired(resource, question.now)
    renewal = kind.renewal(resource)
    if renewal is None and all(live[path] == value for path, value in wanted.items()):
        return None  # what most items are: seen, and as they should be
    record, expired = question.record(target), kind.expired(resource, question.now)
    if expired and not _is_ours(question, record, resource):
        return None  # it ended before it was ever carried out, so there is nothing of ours to give back
    renewed = kind.renews(resource, record)
    fields = differing(target, live, wanted)
    if not expired:
        fields += _unseen(question, record, live, wanted, renewed=renewed)
    said: tuple[str, ...] = ()
    if renewed:
        before = "none" if record.renewal is None else f'"{record.renewal}"'
        said = (f'renewal {before} -> "{renewal}": the limit is set again',)
        fields = fields or tuple(FieldChange(path, live[path], wanted[path]) for path in sorted(wanted))
    if not fields:
        return None
    action = _action(record, live, kind.default)
    return _Intent(
        address=resource.address,
        target=target,
        action=Action.REVERT if expired else action,
        reason=ChangeReason.EXPIRED if expired else _reason(record, action, fields),
        fields=tuple(sorted(fields, key=lambda field: field.path)),
        notes=said,
        origin=resource.origin,
        renewal=renewal,
    )


def _unseen(
    question: Question, record: Record, live: Fields, wanted: Fields, *, renewed: bool
) -> tuple[FieldChange, ...]:
    """The declared fields that cannot be seen and that nobody proved or attested to be as wanted."""
    found = []
    for path in sorted(wanted):
        if live[path] is not UNOBSERVABLE:
            continue
        hows = {question.capability(write.operation) for write in calls(record.target, live, wanted, path)}
        if not hows:
            continue
        attested = record.attestation is not None and record.attestation.fields.get(path, UNOBSERVABLE) == wanted[path]
        applied = record.applied is not None and record.applied.get(path, UNOBSERVABLE) == wanted[path]
        if renewed or not (attested or (applied and hows == {Capability.NATIVE})):
            found.append(FieldChange(path, UNOBSERVABLE, wanted[path]))
    return tuple(found)


def _action(record: Record, live: Fields, default: Fields) -> Action:
    """create where the item is the platform's default, as far as it can be seen and nobody knows better."""
    known = record.applied is not None or record.attestation is not None
    fresh = all(not known if value is UNOBSERVABLE else value == default[path] for path, value in live.items())
    return Action.CREATE if fresh else Action.UPDATE


def _reason(record: Record, action: Action, fields: tuple[FieldChange, ...]) -> ChangeReason:
    if not record.owner:
        return ChangeReason.ADOPTED if action is Action.UPDATE else ChangeReason.DECLARED
    applied = record.applied
    if applied is not None and all(
        field.before is not UNOBSERVABLE and field.before != field.after and applied.get(field.path) == field.after
        for field in fields
    ):
        return ChangeReason.DRIFT
    return ChangeReason.DECLARED


def _taken_back(question: Question, snapshot: Snapshot, found: Removal) -> list[_Placed]:
    """The changes that take an item back; raises what kept the removal from being told."""
    if found.failed is not None:
        raise found.failed.error
    intent = _Intent(
        address=found.address,
        target=found.target,
        action=Action.REVERT,
        reason=ChangeReason.REMOVED,
        fields=found.fields,
        notes=found.notes,
    )
    return _changes(question, snapshot, intent)


def _changes(question: Question, snapshot: Snapshot, intent: _Intent) -> list[_Placed]:
    """The intent as changes, each with its place in the order: level, model, address."""
    target, kind = intent.target, kind_of_item(intent.target)
    model, title = kind.model(snapshot, target), kind.title(snapshot, target)
    placed: list[_Placed] = []
    for step in steps(target, kind.live(snapshot, target), intent.fields, question.capability):
        not_before = kind.earliest(snapshot, question.record(target), {f.path: f.after for f in step.fields})
        waits = not_before if not_before is not None and not_before > question.now else None
        change = Change(
            address=intent.address,
            target=target,
            target_name=title,
            model=model,
            action=intent.action,
            reason=intent.reason,
            capability=step.capability,
            level=step.level,
            how_to=notes.how_to(
                step, notes.Item(intent.address, title, waits, intent.origin is not None), question.capabilities
            ),
            not_before=waits,
            origin=intent.origin,
            fields=step.fields,
            precondition=fingerprint({**step.before, **kind.stamp(snapshot, target)}),
            recorded=recorded(question.record(target)),
            notes=(
                *intent.notes,
                *notes.of_step(step, snapshot, question.now, waits),
                *_costs(question, snapshot, step),
                *_loosening(intent.action, step),
            ),
            renewal=intent.renewal,
        )
        placed.append(((step.level, model, intent.address, target, step.capability.value), change))
    return placed


def _is_ours(question: Question, record: Record, resource: Resource[Any]) -> bool:
    """Whether this set carried out a declaration of the item, be it by another name."""
    return question.owns(record) and (record.owner == resource.address or record.owner not in question.claims)


def _costs(question: Question, snapshot: Snapshot, step: Step) -> tuple[str, ...]:
    """What the step lets a model cost at most."""
    name = step.writes[0].target.name if step.writes else ""
    limits = question.declared.limits_by_model.get(name, ())
    activations = question.declared.activations_by_model.get(name, ())
    services = {service.value for one in activations for service in one.spec.sub_services or ()}
    return notes.costs(
        step, snapshot.models.get(name), max((one.spec.tokens for one in limits), default=None), sorted(services)
    )


def _loosening(action: Action, step: Step) -> tuple[str, ...]:
    return notes.loosening(step.fields) if action is Action.REVERT else ()


def _plan_notes(question: Question) -> tuple[str, ...]:
    said = []
    if question.prune and not question.history.exists:
        said.append("nothing is remembered of this account, so nothing can be pruned")
    if question.no_reverts:
        said.append(f"nothing is reverted: {question.no_reverts}")
    if question.declared.complete and question.holds_account and question.account_error is None:
        said.append("nothing is changed: a held document may have a say on the whole account")
    return tuple(said)
