"""Which row of the table a resource is in: from findings, failures, what is live, changes and outcomes. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.finding import Finding
from reconciler.kinds import Kind, Resource, registry
from reconciler.kinds.common import Spec
from reconciler.kinds.declared import observes
from reconciler.plan import Change, ChangeReason, FieldChange, differing
from reconciler.plan.question import paused, ticket
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, Capability, Fields, Outcome, Record, Result, Snapshot, Target, Value
from reconciler.status.standing import Standing
from reconciler.status.table import ACCEPTED, FIRST_SEEN, NOT_ACCEPTED, Said, Situation, Trouble, situation
from reconciler.status.values import ConditionType, Truth

_TRANSIENT: Final = (Reason.PLATFORM_UNAVAILABLE, Reason.THROTTLED)
_ASKED: Final = (Reason.TICKET_REQUIRED, Reason.MANUAL_ACTION_REQUIRED)  # what a person asks the platform for
_SECOND: Final = timedelta(seconds=1)
_CORE: Final = frozenset(
    {ConditionType.ACCEPTED, ConditionType.PROGRAMMED, ConditionType.CREDENTIALS_VALID, ConditionType.READY}
)


def of_resource(standing: Standing, resource: Resource[Any]) -> Situation:
    """The situation of a resource that governs an item, with the ticket that a person opened for it."""
    found, opened = _of_resource(standing, resource), ticket(resource)

    def with_ticket(said: Said) -> Said:
        return replace(said, message=f"{said.message} (ticket: {opened})") if said.reason in _ASKED else said

    if not opened:
        return found
    return replace(
        found,
        accepted=with_ticket(found.accepted),
        programmed=with_ticket(found.programmed),
        ready=with_ticket(found.ready) if found.ready else None,
        also=tuple((type_, with_ticket(said)) for type_, said in found.also),
    )


def _of_resource(standing: Standing, resource: Resource[Any]) -> Situation:
    if paused(resource) or paused(standing.account):
        message = "paused by the annotation modelpolicy.dev/paused"
        return replace(FIRST_SEEN, also=((ConditionType.PAUSED, Said(Truth.TRUE, Reason.PAUSED, message)),), keep=_CORE)
    found = standing.errors.get(resource.address)
    if found and not resource.deleting:
        return _in_error(standing, found)
    if standing.snapshot is None:
        return _unseen_platform(standing, resource)
    target = registry()[resource.kind].target(resource, standing.snapshot)
    if resource.deleting:
        return _going_away(standing, resource, target)
    if target is None:
        unproven = standing.snapshot.absence_unproven(registry()[resource.kind].listing)
        if unproven:
            trouble = Trouble(Reason.PLATFORM_UNAVAILABLE, f"whether the platform has it is not known: {unproven}")
            return _unseen(standing, resource, trouble)
        missing = "the platform has no such model or endpoint, or two endpoints by that name"
        return situation(Trouble(Reason.TARGET_NOT_FOUND, missing), standing.now)
    return _on_item(standing, standing.snapshot, resource, target)


def _in_error(standing: Standing, found: tuple[Finding, ...]) -> Situation:
    """The worst error decides; its message names the rule, and says how many more there are."""
    troubles = [Trouble(each.reason or Reason.RULE_VIOLATION, f"{each.rule}: {each.message}") for each in found]
    worst = min(troubles, key=lambda trouble: trouble.rank)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return situation(replace(worst, message=worst.message + more), standing.now)


def _unseen_platform(standing: Standing, resource: Resource[Any]) -> Situation:
    """The platform could not be observed."""
    if not standing.failures:
        return FIRST_SEEN
    failure = min(standing.failures, key=lambda each: Trouble(each.reason, each.message).rank)
    until = standing.now + timedelta(seconds=failure.retry_after_s) if failure.retry_after_s else None
    return _unseen(standing, resource, Trouble(failure.reason, failure.message, until))


def _unseen(standing: Standing, resource: Resource[Any], trouble: Trouble) -> Situation:
    """The item could not be observed: True turns Unknown only at the second failed look in a row."""
    before = standing.before(resource)
    looks = before.failed_looks if before else 0
    judged = situation(trouble, standing.now, looks)
    judged = replace(
        judged, next_look=trouble.until or judged.next_look
    )  # the platform's own wish wins over our back-off
    if before is None or trouble.reason not in _TRANSIENT or looks > 0:
        return judged
    was = before.condition(ConditionType.PROGRAMMED) or before.condition(ConditionType.CREDENTIALS_VALID)
    same_spec = before.observed_generation == resource.generation
    steady = was is not None and was.status is Truth.TRUE and same_spec
    return replace(judged, keep=frozenset(ConditionType)) if steady else judged


def _going_away(standing: Standing, resource: Resource[Any], target: Target | None) -> Situation:
    """A resource that a person is deleting: its item is taken back first, unless something blocks that."""
    before = standing.before(resource)
    accepted = before.condition(ConditionType.ACCEPTED) if before else None
    kept = Said(accepted.status, accepted.reason, accepted.message) if accepted else ACCEPTED
    blocks = [*_troubles(standing, target)] if target else []
    blocks = [trouble for trouble in blocks if trouble.reason is not Reason.PENDING]
    release = standing.releases.get(target) if target else None
    if release is not None and not release.ends:
        blocks.append(Trouble(Reason.DELETION_BLOCKED, release.why))
    if blocks:
        worst = min(blocks, key=lambda trouble: trouble.rank)
        looks = before.failed_looks if before else 0
        blocked = Trouble(Reason.DELETION_BLOCKED, worst.message, worst.until)
        return replace(situation(blocked, standing.now, looks), accepted=kept)
    message = "being deleted: its item is taken back or released first"
    return replace(
        FIRST_SEEN,
        accepted=kept,
        programmed=Said(Truth.UNKNOWN, Reason.PENDING, message),
        also=((ConditionType.RECONCILING, Said(Truth.TRUE, Reason.PENDING, message)),),
    )


def _on_item(standing: Standing, snapshot: Snapshot, resource: Resource[Any], target: Target) -> Situation:
    """The item is there: as declared, on its way, or in some trouble."""
    troubles = [*_troubles(standing, target)]
    if troubles:
        worst = min(troubles, key=lambda trouble: trouble.rank)
        before = standing.before(resource)
        return situation(worst, standing.now, before.failed_looks if before else 0)
    kind = registry()[resource.kind]
    live, wanted = kind.live(snapshot, target), kind.desired(resource, standing.now)
    fields = differing(target, live, wanted)
    if fields and target not in standing.changes and not kind.expired(resource, standing.now):
        return _not_changed(standing, resource, fields)
    return _as_declared(standing, resource, kind, _hidden(live, wanted, standing.record(target)))


def _not_changed(standing: Standing, resource: Resource[Any], fields: tuple[FieldChange, ...]) -> Situation:
    """It differs and nothing is planned: it is only observed, or something keeps this run from it."""
    message = f"the platform has {_differences(fields)}"
    if observes(standing.account, resource):
        return _drifted(Trouble(Reason.DRIFTED, f"{message}; it is only observed"), standing)
    return situation(Trouble(Reason.NOT_ATTEMPTED, f"{message}; this run leaves it as it is"), standing.now)


def _drifted(trouble: Trouble, standing: Standing) -> Situation:
    """Drift that nobody is about to mend."""
    judged = situation(trouble, standing.now)
    return replace(judged, also=tuple(pair for pair in judged.also if pair[0] is ConditionType.DRIFTED))


def _hidden(live: Fields, wanted: Fields, record: Record) -> Said | None:
    """What proves the fields that cannot be seen: a person's word; that it took them proves nothing; None where all can be seen."""
    paths = [path for path in sorted(wanted) if live[path] is UNOBSERVABLE]
    if not paths:
        return None
    attested = record.attestation
    if attested is not None and all(attested.fields.get(path, UNOBSERVABLE) == wanted[path] for path in paths):
        message = f"{attested.by} attested it at {attested.at:%Y-%m-%d %H:%M:%S} UTC; the platform cannot show it"
        return Said(Truth.TRUE, Reason.ATTESTED, message)
    if record.applied is not None and all(record.applied.get(path, UNOBSERVABLE) == wanted[path] for path in paths):
        message = f"the platform took {', '.join(paths)} and cannot show it; a person who checked it says so with modelpolicy attest"
        return Said(Truth.UNKNOWN, Reason.WRITE_UNCONFIRMED, message)
    return Said(Truth.UNKNOWN, Reason.NOT_ATTEMPTED, f"the platform cannot show {', '.join(paths)}")


def _as_declared(standing: Standing, resource: Resource[Any], kind: Kind[Spec], unseen: Said | None) -> Situation:
    """The platform equals the declaration, as far as it can be seen."""
    programmed = unseen or Said(Truth.TRUE, Reason.PROGRAMMED, "the platform is as declared")
    if kind.expired(resource, standing.now):
        programmed = Said(Truth.TRUE, Reason.EXPIRED, "its expiresAt has passed; it asks for nothing any more")
    judged = Situation(accepted=ACCEPTED, programmed=programmed)
    ticket = next((f for f in standing.warnings.get(resource.address, ()) if f.reason is Reason.TICKET_REQUIRED), None)
    if ticket is None:
        return judged
    message = f"{ticket.message}. {ticket.hint}".strip()
    row = situation(Trouble(Reason.TICKET_REQUIRED, message), standing.now)
    return replace(judged, ready=row.programmed, also=row.also, next_look=row.next_look)


def _troubles(standing: Standing, target: Target) -> Iterator[Trouble]:
    """What keeps each intended change of the item from being done, or says that it is still to come."""
    for change in standing.changes.get(target, ()):
        outcome = standing.outcome_of.get(change)
        verdict = standing.stopped.get((change.address, target))
        if verdict is not None and (outcome is None or outcome.result is Result.SKIPPED):
            reason = Reason.CONSENT_REQUIRED if verdict.id == "consent" else Reason.GUARD_REFUSED
            yield Trouble(reason, f"{verdict.message}. {verdict.hint}".strip())
        elif outcome is None:
            yield _intended(standing, change)
        elif not (outcome.result is Result.APPLIED and (outcome.confirmed or outcome.accepted)):
            yield _unfinished(standing, change, outcome)


def _intended(standing: Standing, change: Change) -> Trouble:
    """A change that nobody has tried yet."""
    differences = f"the platform has {_differences(change.fields)}"
    if change.capability is Capability.MANUAL:
        return Trouble(Reason.MANUAL_ACTION_REQUIRED, change.how_to)
    if change.capability is Capability.UNSUPPORTED:
        return Trouble(Reason.PLATFORM_REFUSED, change.how_to)
    if change.wait is not None:
        return _failed(change.wait.reason, change.wait.message, change.wait.code, change.not_before)
    if change.not_before is not None and change.not_before > standing.now:
        message = f"{differences}; the platform accepts it from {change.not_before:%Y-%m-%d %H:%M:%S} UTC on"
        return Trouble(Reason.COOLING_DOWN, message, change.not_before)
    if change.reason is ChangeReason.DRIFT:
        return Trouble(Reason.DRIFTED, f"{differences}; it was as declared before")
    return Trouble(Reason.PENDING, differences)


def _unfinished(standing: Standing, change: Change, outcome: Outcome) -> Trouble:
    """A change that was tried, or waited for, and is not proved to be done."""
    message, until = outcome.message, outcome.not_before
    if outcome.result is Result.APPLIED:
        return Trouble(Reason.WRITE_UNCONFIRMED, message or "written, not yet read back as wanted")
    if outcome.result is Result.MANUAL:
        if change.capability is Capability.UNSUPPORTED:
            return Trouble(Reason.PLATFORM_REFUSED, change.how_to or message)
        return Trouble(Reason.MANUAL_ACTION_REQUIRED, change.how_to or message)
    if outcome.result is Result.DEFERRED and outcome.reason in (None, Reason.COOLING_DOWN):
        return Trouble(Reason.COOLING_DOWN, message, until or change.not_before)
    if outcome.stale:
        return Trouble(Reason.DRIFTED, message, standing.now + _SECOND)
    if outcome.result is Result.SKIPPED:
        known = outcome.reason if outcome.reason in (*NOT_ACCEPTED, Reason.GUARD_REFUSED) else Reason.NOT_ATTEMPTED
        return Trouble(known or Reason.NOT_ATTEMPTED, message, until)
    return _failed(outcome.reason, message, outcome.code, until)


def _failed(reason: Reason | None, message: str, code: str, until: datetime | None) -> Trouble:
    """What a failure leaves behind, from the moment of it until it is tried again."""
    return Trouble(reason or Reason.PLATFORM_REFUSED, message + (f" ({code})" if code else ""), until)


def _differences(fields: tuple[FieldChange, ...]) -> str:
    return ", ".join(
        f"{f.path} {_shown(f.before)}, which is to be set again"
        if f.before == f.after
        else f"{f.path} {_shown(f.before)} where {_shown(f.after)} is declared"
        for f in fields
    )


def _shown(value: Value) -> str:
    if value is UNOBSERVABLE:
        return "unseen"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
