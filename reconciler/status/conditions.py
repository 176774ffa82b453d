"""Rows of the table and previous conditions become conditions: a time moves only when a status flips. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from reconciler import isolation
from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource, registry
from reconciler.reasons import Reason
from reconciler.state import Target
from reconciler.status import details, situations
from reconciler.status.standing import Standing
from reconciler.status.table import ACCEPTED, Said, Situation, Trouble, situation
from reconciler.status.values import Condition, ConditionType, ResourceStatus, Truth

T = TypeVar("T")

_FIRST: Final = (ConditionType.ACCEPTED, ConditionType.PROGRAMMED, ConditionType.CREDENTIALS_VALID, ConditionType.READY)
_ORDER: Final = {type_: place for place, type_ in enumerate(dict.fromkeys((*_FIRST, *ConditionType)))}


def judge(standing: Standing, failed: Callable[[Finding], object] = lambda _: None) -> tuple[ResourceStatus, ...]:
    """How every declared resource of the account stands, by address; `failed` hears of each that this cannot be told of in
    full."""
    found = sorted(standing.declared.resources, key=lambda resource: (resource.address, resource.origin))
    return tuple({resource.address: _status(standing, resource, failed) for resource in found}.values())


def next_wake(standing: Standing, statuses: Iterable[ResourceStatus]) -> datetime | None:
    """The earliest time at which looking again is worth it before the next interval; None where there is none."""
    looks = [status.next_attempt for status in statuses if status.next_attempt is not None]
    ends = (resource.spec.expires_at for resource in standing.declared.overrides)
    return min((*looks, *(end for end in ends if end is not None and end > standing.now)), default=None)


def _status(standing: Standing, resource: Resource[Any], failed: Callable[[Finding], object]) -> ResourceStatus:
    before = standing.before(resource)

    def told(got: T | isolation.Failed, instead: Callable[[Finding], T]) -> T:
        if not isinstance(got, isolation.Failed):
            return got
        finding = got.about(resource, Severity.WARNING)
        if all(each.rule != isolation.RULE for each in standing.errors.get(resource.address, ())):
            failed(finding)
        return instead(finding)

    found = told(
        isolation.attempt(_situation, standing, resource),
        lambda finding: situation(Trouble(Reason.NOT_ATTEMPTED, finding.message), standing.now),
    )
    target = told(isolation.attempt(_target, standing, resource), lambda _: None)
    next_look = _whole_second(found.next_look) if found.next_look else None
    return ResourceStatus(
        address=resource.address,
        kind=resource.kind,
        target=target or (before.target if before else None),
        conditions=tuple(_conditions(standing, resource, found, before)),
        details=told(
            isolation.attempt(details.of, standing, resource, target, next_look, before),
            lambda _: before.details if before else {},
        ),
        observed_generation=before.observed_generation if found.keep and before else resource.generation,
        uid=resource.uid,
        next_attempt=next_look,
        failed_looks=found.failed_looks,
    )


def _situation(standing: Standing, resource: Resource[Any]) -> Situation:
    if registry()[resource.kind].governs:
        return situations.of_resource(standing, resource)
    return _of_constraint(standing, resource)


def _target(standing: Standing, resource: Resource[Any]) -> Target | None:
    kind = registry()[resource.kind]
    return kind.target(resource, standing.snapshot) if kind.governs and standing.snapshot else None


def _of_constraint(standing: Standing, resource: Resource[Any]) -> Situation:
    """A constraint governs no item: it can be used, or an error says why not."""
    if standing.errors.get(resource.address):
        return situations.of_resource(standing, resource)
    return Situation(accepted=ACCEPTED, programmed=Said(Truth.TRUE, Reason.PROGRAMMED, "it is applied"))


def _conditions(
    standing: Standing, resource: Resource[Any], found: Situation, before: ResourceStatus | None
) -> Iterator[Condition]:
    """The conditions in their fixed order: Accepted, Programmed (or its stand-in), Ready, then what else is True."""
    fresh: dict[ConditionType, Condition] = {}
    keep = found.keep if before is not None and before.conditions else frozenset()
    for type_, said in _said(standing, resource, found):
        if type_ not in keep:
            fresh[type_] = _condition(type_, said, standing, resource, before)
    kept = (each for each in before.conditions if each.type in keep) if before else ()
    yield from sorted((*kept, *fresh.values()), key=lambda each: _ORDER[each.type])


def _said(standing: Standing, resource: Resource[Any], found: Situation) -> Iterator[tuple[ConditionType, Said]]:
    yield ConditionType.ACCEPTED, _accepted(standing, resource, found)
    if resource.kind == "PlatformAccount":
        yield ConditionType.CREDENTIALS_VALID, _credentials(standing, found)
    elif registry()[resource.kind].governs:
        yield ConditionType.PROGRAMMED, found.programmed
    yield ConditionType.READY, found.ready or _ready(found)
    yield from found.also


def _accepted(standing: Standing, resource: Resource[Any], found: Situation) -> Said:
    """With a word on who claims the same item in vain, where the resource keeps it."""
    rivals = (each for each in standing.warnings.get(resource.address, ()) if each.reason is Reason.CONFLICTED)
    rival = next(rivals, None)
    if rival is None or found.accepted is not ACCEPTED:
        return found.accepted
    return Said(Truth.TRUE, Reason.CONFLICTED, f"{rival.rule}: {rival.message}")


def _credentials(standing: Standing, found: Situation) -> Said:
    """Whether the platform let us in: seen is proof, otherwise the failure speaks."""
    if standing.snapshot is not None:
        return Said(Truth.TRUE, Reason.CREDENTIALS_VALID, "the platform answers to these credentials")
    return found.programmed


def _ready(found: Situation) -> Said:
    """Both others together, with the reason and message of the one that decides."""
    for truth in (Truth.FALSE, Truth.UNKNOWN):
        for said in (found.accepted, found.programmed):
            if said.truth is truth:
                return said
    special = found.programmed.reason in (Reason.ATTESTED, Reason.EXPIRED)
    return Said(Truth.TRUE, found.programmed.reason if special else Reason.READY, found.programmed.message)


def _condition(
    type_: ConditionType, said: Said, standing: Standing, resource: Resource[Any], before: ResourceStatus | None
) -> Condition:
    was = before.condition(type_) if before else None
    flipped = was is None or was.status is not said.truth
    since = standing.now.replace(microsecond=0) if flipped or was is None else was.last_transition_time
    return Condition(type_, said.truth, said.reason, said.message, since, resource.generation)


def _whole_second(moment: datetime) -> datetime:
    """Rounded up, so that waking at it is never too early."""
    return (moment + timedelta(microseconds=999_999)).replace(microsecond=0)
