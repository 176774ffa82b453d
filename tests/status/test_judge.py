"""Every row of the table of situations."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from builders import (
    ARK,
    NOW,
    account,
    activation,
    declared,
    endpoint,
    error,
    history,
    hours,
    limit,
    model,
    override,
    record,
    snapshot,
)
from standings import (
    EXPIRED,
    LIMIT,
    MISSING,
    OFF,
    ONE,
    SEEN,
    WELL,
    F,
    T,
    U,
    became,
    before,
    minutes,
    stand,
    status,
    told,
    what,
)

from reconciler.finding import Location, Severity
from reconciler.kinds.declared import Declared, Held
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Attestation,
    Failure,
    History,
    Limit,
    Listing,
    Pause,
    PauseReason,
    Result,
    Snapshot,
)
from reconciler.status import (
    ConditionType,
    Truth,
    from_json,
    judge,
    to_json,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    of: Declared = ONE
    seen: Snapshot | None = MISSING
    past: History | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    accepted: tuple[Truth, Reason] = (T, Reason.ACCEPTED)
    programmed: tuple[Truth, Reason]
    ready: tuple[Truth, Reason] | None = None  # None: as programmed
    also: tuple[str, ...] = ()
    next: datetime | None = None


def failed(reason: Reason, **fields: Any) -> Mapping[str, Any]:
    return {"outcomes": (became(LIMIT, Result.FAILED, reason=reason, **fields),)}


def unseen(reason: Reason, looks: int = 1, retry_after_s: float | None = None) -> Mapping[str, Any]:
    return {
        "failures": (Failure("no", reason, "", retry_after_s),),
        "previous": before(LIMIT, *WELL, failed_looks=looks),
    }


RULES = {
    "accepted": (F, Reason.RULE_VIOLATION),
    "programmed": (U, Reason.NOT_ATTEMPTED),
    "ready": (F, Reason.RULE_VIOLATION),
}
ROWS = {
    "first seen": Row(
        seen=None, accepted=(U, Reason.PENDING), programmed=(U, Reason.PENDING), also=("Reconciling",)
    ),
    "platform equals declaration": Row(seen=SEEN, programmed=(T, Reason.PROGRAMMED), ready=(T, Reason.READY)),
    "declared, not yet tried": Row(programmed=(F, Reason.PENDING), also=("Reconciling",)),
    "written and proved": Row(
        seen=SEEN, given={"outcomes": (became(LIMIT, Result.APPLIED, confirmed=True),)},
        programmed=(T, Reason.PROGRAMMED), ready=(T, Reason.READY),
    ),
    "a person attested what cannot be seen": Row(
        seen=snapshot(model(limit=UNOBSERVABLE)), given={"capabilities": ARK},
        past=history(record(LIMIT, attestation=Attestation({"tokens": 5}, "ann", NOW))),
        programmed=(T, Reason.ATTESTED),
    ),
    "written, not yet read back equal": Row(
        given={"outcomes": (became(LIMIT, Result.APPLIED, reason=Reason.WRITE_UNCONFIRMED),)},
        programmed=(U, Reason.WRITE_UNCONFIRMED), also=("Reconciling",), next=minutes(2 / 60),
    ),
    "still not read back equal at the third look": Row(
        given={"outcomes": (became(LIMIT, Result.APPLIED),),
               "previous": before(LIMIT, (ConditionType.PROGRAMMED, U, Reason.WRITE_UNCONFIRMED), failed_looks=2)},
        programmed=(U, Reason.WRITE_UNCONFIRMED), also=("Reconciling",), next=minutes(8 / 60),
    ),
    "breaks a rule": Row(given={"findings": (error(LIMIT),)}, also=("Stalled",), **RULES),  # type: ignore[arg-type]
    "breaks a rule although live is equal": Row(seen=SEEN, given={"findings": (error(LIMIT),)}, also=("Stalled",), **RULES),  # type: ignore[arg-type]
    "two resources claim one item": Row(
        given={"findings": (told(LIMIT, "duplicate-target", Reason.CONFLICTED),)},
        accepted=(F, Reason.CONFLICTED), programmed=(U, Reason.NOT_ATTEMPTED), ready=(F, Reason.CONFLICTED), also=("Stalled",),
    ),
    "target not found, as a rule says": Row(
        seen=snapshot(), given={"findings": (told(LIMIT, "unknown-model", Reason.TARGET_NOT_FOUND),)},
        accepted=(F, Reason.TARGET_NOT_FOUND), programmed=(U, Reason.NOT_ATTEMPTED), ready=(F, Reason.TARGET_NOT_FOUND),
        also=("Reconciling",), next=minutes(5),
    ),
    "target not found": Row(
        seen=snapshot(), accepted=(F, Reason.TARGET_NOT_FOUND), programmed=(U, Reason.NOT_ATTEMPTED),
        ready=(F, Reason.TARGET_NOT_FOUND), also=("Reconciling",), next=minutes(5),
    ),
    "account or secret not found": Row(
        seen=None, given=unseen(Reason.TARGET_NOT_FOUND), accepted=(F, Reason.TARGET_NOT_FOUND),
        programmed=(U, Reason.NOT_ATTEMPTED), ready=(F, Reason.TARGET_NOT_FOUND), also=("Reconciling",), next=minutes(5),
    ),
    "two-hour interval": Row(
        past=history(record(LIMIT, set_at=NOW - hours(1))), programmed=(F, Reason.COOLING_DOWN), also=("Reconciling",),
        next=NOW + hours(1),
    ),
    "the platform itself says it is too early": Row(
        given={"outcomes": (became(LIMIT, Result.DEFERRED, reason=Reason.COOLING_DOWN, not_before=NOW + hours(2)),)},
        programmed=(F, Reason.COOLING_DOWN), also=("Reconciling",), next=NOW + hours(2),
    ),
    "throttled": Row(
        seen=None, given=unseen(Reason.THROTTLED, 1, 30), programmed=(U, Reason.THROTTLED), also=("Reconciling",),
        next=minutes(0.5),
    ),
    "unavailable for long": Row(
        seen=None, given=unseen(Reason.PLATFORM_UNAVAILABLE, 50), programmed=(U, Reason.PLATFORM_UNAVAILABLE),
        also=("Reconciling",), next=minutes(15),
    ),
    "a write met a network failure": Row(
        given=failed(Reason.PLATFORM_UNAVAILABLE), programmed=(U, Reason.PLATFORM_UNAVAILABLE), also=("Reconciling",),
        next=minutes(1 / 60),
    ),
    "credentials are not valid": Row(
        seen=None, given=unseen(Reason.CREDENTIALS_INVALID, 0), programmed=(F, Reason.CREDENTIALS_INVALID),
        also=("Stalled",), next=minutes(10),
    ),
    "permission denied on a write": Row(
        given=failed(Reason.PERMISSION_DENIED, code="AccessDenied"), programmed=(F, Reason.PERMISSION_DENIED),
        also=("Stalled",), next=minutes(10),
    ),
    "invite-only": Row(
        of=declared(activation()), seen=snapshot(model(state=ActivationState.INVITE_ONLY)),
        given={"findings": (told(activation(), "activation-invite-only", Reason.TICKET_REQUIRED),)},
        programmed=(F, Reason.TICKET_REQUIRED), also=("Stalled",), next=minutes(60),
    ),
    "model-level limit below requires": Row(
        of=declared(activation()), seen=snapshot(model()),
        given={"findings": (told(activation(), "model-rate-below-required", Reason.TICKET_REQUIRED, Severity.WARNING),)},
        programmed=(T, Reason.PROGRAMMED), ready=(F, Reason.TICKET_REQUIRED), also=("Stalled",), next=minutes(60),
    ),
    "no published action for it": Row(
        seen=snapshot(model(limit=UNOBSERVABLE)), given={"capabilities": ARK},
        programmed=(F, Reason.MANUAL_ACTION_REQUIRED), also=("Stalled",), next=minutes(15),
    ),
    "no published action for it, after an apply": Row(
        given={"capabilities": ARK, "outcomes": (became(LIMIT, Result.MANUAL, reason=Reason.MANUAL_ACTION_REQUIRED),)},
        programmed=(F, Reason.MANUAL_ACTION_REQUIRED), also=("Stalled",), next=minutes(15),
    ),
    "activation without the account's consent": Row(
        of=declared(activation(), account(allow_activation=False)), seen=snapshot(model(state=OFF)),
        programmed=(F, Reason.CONSENT_REQUIRED), also=("Stalled",),
    ),
    "guard refused": Row(
        seen=snapshot(model(hourly_use=((NOW - hours(0.5), 900),))), programmed=(F, Reason.GUARD_REFUSED), also=("Stalled",)
    ),
    "guard refused, while the rest was applied": Row(
        seen=snapshot(model(hourly_use=((NOW - hours(0.5), 900),))),
        given={"outcomes": (became(LIMIT, Result.SKIPPED, reason=Reason.GUARD_REFUSED),)},
        programmed=(F, Reason.GUARD_REFUSED), also=("Stalled",),
    ),
    "override past its expiresAt, inherited again": Row(
        of=declared(EXPIRED), seen=snapshot(endpoint()), programmed=(T, Reason.EXPIRED)
    ),
    "drift, Observe": Row(of=declared(limit(tokens=5, management="Observe")), programmed=(F, Reason.DRIFTED), also=("Drifted",)),
    "drift, Manage": Row(
        past=history(record(LIMIT, applied={"tokens": 5})), programmed=(F, Reason.DRIFTED), also=("Reconciling", "Drifted")
    ),
    "changed under us while applying": Row(
        given={"outcomes": (became(LIMIT, Result.SKIPPED, stale=True),)}, programmed=(F, Reason.DRIFTED),
        also=("Reconciling", "Drifted"), next=minutes(1 / 60),
    ),
    "the platform paused the model": Row(
        seen=snapshot(model(limit=Limit(5, used=6), pause=Pause(PauseReason.LIMIT_REACHED))),
        programmed=(T, Reason.PROGRAMMED), ready=(T, Reason.READY),
    ),
    "paused by us before it was ever looked at": Row(
        of=declared(limit(annotations={"modelpolicy.dev/paused": "true"})), accepted=(U, Reason.PENDING),
        programmed=(U, Reason.PENDING), also=("Paused",),
    ),
    "refused by the platform for a reason of its own": Row(
        given=failed(Reason.PLATFORM_REFUSED, code="OperationDenied"), programmed=(F, Reason.PLATFORM_REFUSED),
        also=("Stalled",), next=minutes(10),
    ),
    "refused by the platform's own rules": Row(
        given=failed(Reason.RULE_VIOLATION), accepted=(F, Reason.RULE_VIOLATION), programmed=(U, Reason.NOT_ATTEMPTED),
        ready=(F, Reason.RULE_VIOLATION), also=("Stalled",),
    ),
    "builds on what did not happen": Row(
        given={"outcomes": (became(LIMIT, Result.SKIPPED),)}, programmed=(F, Reason.NOT_ATTEMPTED), also=("Reconciling",)
    ),
    "kept from being changed by a broken document": Row(
        of=replace(declared(LIMIT), held=(Held(Location("x.yaml"), "PolicyConstraint", "x"),)),
        programmed=(F, Reason.NOT_ATTEMPTED), also=("Reconciling",),
    ),
    "going away": Row(
        of=declared(override(deleting=True)), seen=snapshot(endpoint(override=(600, None)), endpoint("ep-2")),
        past=history(record(override(), applied={"rpm": 600}), record(override("ep-2"), applied={"rpm": 1})),
        programmed=(U, Reason.PENDING), also=("Reconciling",),
    ),
    "going away, blocked": Row(
        of=declared(replace(override(deleting=True), annotations={"modelpolicy.dev/protect": "true"})),
        seen=snapshot(endpoint(override=(600, None))),
        past=history(record(override(), applied={"rpm": 600}, protected=True)),
        programmed=(F, Reason.DELETION_BLOCKED), also=("Stalled",), next=minutes(1 / 60),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_situation_gives_the_conditions_of_its_row(row: Row) -> None:
    found = status(row.of, row.seen, row.past, **row.given)
    assert what(found) == {
        "Accepted": row.accepted,
        "Programmed": row.programmed,
        "Ready": row.ready or row.programmed,
        **{type_: (T, found.condition(ConditionType(type_)).reason) for type_ in row.also},  # type: ignore[union-attr]
    }
    assert found.next_attempt == row.next
    assert not {"Reconciling", "Stalled"} <= set(what(found))
    assert from_json(to_json(found)) == found


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_situation_again_moves_no_time(row: Row) -> None:
    first = judge(stand(row.of, row.seen, row.past, **row.given))
    seen = {each.address: each for each in first}
    again = judge(stand(row.of, row.seen, row.past, **{**row.given, "previous": seen}))
    moved = [
        (old.type, new.last_transition_time)
        for one, other in zip(first, again, strict=True)
        for old, new in zip(one.conditions, other.conditions, strict=True)
        if (old.type, old.last_transition_time) != (new.type, new.last_transition_time)
    ]
    assert moved == []


def test_a_target_that_a_short_list_does_not_name_is_not_called_missing_and_stays_ready_at_first() -> None:
    seen = replace(snapshot(model()), not_whole={Listing.ENDPOINTS: "ListEndpoints: it names 0 of 1"})
    of = override("ep-9")
    first = status(declared(of), seen, previous=before(of, *WELL))
    assert what(first)["Ready"] == (T, Reason.READY)
    later = status(declared(of), seen, previous={of.address: first})
    assert what(later)["Ready"][1] is Reason.PLATFORM_UNAVAILABLE
    assert what(later)["Accepted"] == (T, Reason.ACCEPTED)
    assert "it names 0 of 1" in next(each.message for each in later.conditions if each.type is ConditionType.READY)
