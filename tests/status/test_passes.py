"""How conditions move from one pass to the next, and what accounts, constraints and each kind show."""

from dataclasses import replace
from datetime import datetime

import pytest
from builders import (
    ARK,
    EP,
    NOW,
    M,
    account,
    activation,
    constraint,
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
from standings import LIMIT, MISSING, SEEN, WELL, F, T, U, before, minutes, stand, status, told, what

from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    Failure,
    FreeTokens,
    Limit,
    Pause,
    PauseReason,
    Price,
    Switches,
)
from reconciler.status import (
    ConditionType,
    ResourceStatus,
    judge,
    next_wake,
)

# From one pass to the next


def times(found: ResourceStatus) -> dict[str, datetime]:
    return {condition.type.value: condition.last_transition_time for condition in found.conditions}


def test_a_time_moves_only_when_the_status_flips() -> None:
    known = before(
        LIMIT, *WELL[:1], (ConditionType.PROGRAMMED, F, Reason.PENDING), (ConditionType.READY, F, Reason.PENDING)
    )
    cooling = status(declared(LIMIT), MISSING, history(record(LIMIT, set_at=NOW - hours(1))), previous=known)
    assert what(cooling)["Programmed"] == (F, Reason.COOLING_DOWN)
    assert times(cooling) == {
        "Accepted": NOW - hours(1),
        "Programmed": NOW - hours(1),
        "Ready": NOW - hours(1),
        "Reconciling": NOW,
    }
    done = status(declared(LIMIT), SEEN, previous=known)
    assert times(done) == {"Accepted": NOW - hours(1), "Programmed": NOW, "Ready": NOW}


@pytest.mark.parametrize("reason", [Reason.PLATFORM_UNAVAILABLE, Reason.THROTTLED])
def test_true_turns_unknown_only_at_the_second_failed_look_in_a_row(reason: Reason) -> None:
    failing = {"failures": (Failure("no route", reason),)}
    first = status(declared(LIMIT), None, previous=before(LIMIT, *WELL), **failing)
    assert what(first)["Ready"] == (T, Reason.READY)
    assert (first.failed_looks, first.next_attempt) == (1, minutes(1 / 60))
    second = status(declared(LIMIT), None, previous={LIMIT.address: first}, **failing)
    assert what(second)["Ready"] == (U, reason)
    assert (second.failed_looks, second.next_attempt) == (2, minutes(2 / 60))
    well = status(declared(LIMIT), SEEN, previous={LIMIT.address: second})
    assert (what(well)["Ready"], well.failed_looks) == ((T, Reason.READY), 0)


def test_a_new_generation_is_not_vouched_for_by_the_old_ones_status() -> None:
    newer = replace(LIMIT, generation=2)
    known = before(newer, *WELL, observed_generation=1)
    found = status(declared(newer), None, previous=known, failures=(Failure("no", Reason.PLATFORM_UNAVAILABLE),))
    assert what(found)["Ready"] == (U, Reason.PLATFORM_UNAVAILABLE)
    assert {condition.observed_generation for condition in found.conditions} == {2}


def test_pausing_keeps_the_three_conditions_and_adds_its_own() -> None:
    paused = limit(tokens=9, annotations={"modelpolicy.dev/paused": "true"}, generation=3)
    known = before(paused, *WELL, (ConditionType.RECONCILING, T, Reason.PENDING), observed_generation=2)
    found = status(declared(paused), MISSING, previous=known)
    assert what(found) == {
        "Accepted": (T, Reason.ACCEPTED), "Programmed": (T, Reason.PROGRAMMED), "Ready": (T, Reason.READY),
        "Paused": (T, Reason.PAUSED),
    }  # fmt: skip
    assert found.observed_generation == 2  # the third was never judged


def test_the_worst_of_several_errors_decides_and_says_how_many_more_there_are() -> None:
    found = status(declared(LIMIT), MISSING, findings=(
        told(LIMIT, "unknown-model", Reason.TARGET_NOT_FOUND), error(LIMIT), told(LIMIT, "limit-needs-postpaid", Reason.RULE_VIOLATION),
    ))  # fmt: skip
    ready = found.condition(ConditionType.READY)
    assert ready is not None
    assert ready.message == f"constraint: {M} breaks constraint (and 2 more)"


def test_what_needs_a_person_comes_before_what_time_mends() -> None:
    both = activation(sub_services=["fast-infer"])
    seen = snapshot(model(sub_services=("context-cache",)))
    found = status(declared(both), seen, capabilities=ARK)
    assert what(found)["Ready"] == (F, Reason.MANUAL_ACTION_REQUIRED)


def test_waking_is_worth_it_at_the_earliest_known_time() -> None:
    ends = override(rpm=5, expires_at="2026-11-23T12:30:00Z")
    everything = declared(LIMIT, ends)
    seen = snapshot(model(), endpoint(override=(5, None)))
    cooling = stand(everything, seen, history(record(LIMIT, set_at=NOW - hours(1))))
    assert next_wake(cooling, judge(cooling)) == minutes(30)
    soon = stand(everything, seen, history(record(LIMIT, set_at=NOW - hours(1.9))))
    assert next_wake(soon, judge(soon)) == minutes(6)
    still = stand(declared(LIMIT), SEEN)
    assert next_wake(still, judge(still)) is None


# Accounts and constraints


def test_an_account_says_whether_its_credentials_are_valid_and_what_it_can_do() -> None:
    found = status(declared(account()), SEEN, capabilities=ARK)
    assert what(found) == {
        "Accepted": (T, Reason.ACCEPTED), "CredentialsValid": (T, Reason.CREDENTIALS_VALID), "Ready": (T, Reason.READY)
    }  # fmt: skip
    assert (found.details["operations"]["activate"], found.details["operations"]["set-limit"]) == ("native", "manual")


def test_an_account_whose_credentials_are_refused_is_stalled() -> None:
    found = status(declared(account()), None, failures=(Failure("no", Reason.CREDENTIALS_INVALID),))
    invalid = (F, Reason.CREDENTIALS_INVALID)
    assert what(found) == {
        "Accepted": (T, Reason.ACCEPTED), "CredentialsValid": invalid, "Ready": invalid, "Stalled": (T, Reason.CREDENTIALS_INVALID)
    }  # fmt: skip


def test_a_switch_that_a_person_must_set_keeps_its_account_from_being_ready() -> None:
    seen = snapshot(Switches(free_tokens_only=UNOBSERVABLE))
    found = status(declared(account(free_tokens_only=True)), seen, capabilities=ARK)
    assert what(found)["CredentialsValid"] == (T, Reason.CREDENTIALS_VALID)
    assert what(found)["Ready"] == (F, Reason.MANUAL_ACTION_REQUIRED)


def test_a_constraint_counts_what_it_matched_and_refused() -> None:
    from reconciler import rules

    dev = constraint(
        "dev", {"properties": {"spec": {"properties": {"tokens": {"maximum": 5}}}}}, match={"kinds": ["InferenceLimit"]}
    )
    everything = declared(dev, limit("a", 5), limit("b", 6), activation("a"))
    context = rules.Context(account=account(), declared=everything, everything=everything, now=NOW)
    found = status(everything, SEEN, findings=rules.check(context))
    assert what(found) == {"Accepted": (T, Reason.ACCEPTED), "Ready": (T, Reason.READY)}
    assert found.details == {"matched": 2, "refused": 1}


def test_a_constraint_that_cannot_be_used_is_not_accepted() -> None:
    broken = constraint("broken")
    found = status(declared(broken), SEEN, findings=(error(broken),))
    assert what(found) == {
        "Accepted": (F, Reason.RULE_VIOLATION), "Ready": (F, Reason.RULE_VIOLATION), "Stalled": (T, Reason.RULE_VIOLATION)
    }  # fmt: skip


# Each kind's own fields


def test_an_activation_shows_its_state_free_tokens_prices_and_rate() -> None:
    seen = model(
        free_tokens=FreeTokens(500, 620, -120, NOW), prices=(Price("InferencePrompt", "0.8", "CNY"), Price("Finetune", None, "CNY")),
        rate_limit=(60, 1000), sub_services=("fast-infer",), docs_url="https://docs",
        pause=Pause(PauseReason.FREE_QUOTA_EXHAUSTED, NOW - hours(1)),
    )  # fmt: skip
    assert status(declared(activation()), snapshot(seen)).details == {
        "state": "Activated",
        "freeTokens": {"total": 500, "consumed": 620, "remaining": -120, "observedAt": "2026-11-23T12:00:00Z"},
        "prices": [{"item": "InferencePrompt", "amount": "0.8", "unit": "CNY"}, {"item": "Finetune", "unit": "CNY"}],
        "modelRateLimit": {"rpm": 60, "tpm": 1000},
        "subServices": ["fast-infer"],
        "docsUrl": "https://docs",
        "paused": {"reason": "FreeQuotaExhausted", "since": "2026-11-23T11:00:00Z"},
    }


def test_a_limit_shows_its_use_its_next_attempt_and_what_was_before() -> None:
    live = Limit(7, used=3, effective_at=NOW - hours(1), observed_at=NOW)
    past = history(record(LIMIT, applied={"tokens": 7}, baseline={"tokens": None}))
    assert status(declared(LIMIT), snapshot(model(limit=live)), past).details == {
        "tokens": 7,
        "used": 3,
        "effectiveAt": "2026-11-23T11:00:00Z",
        "observedAt": "2026-11-23T12:00:00Z",
        "nextAttemptTime": "2026-11-23T13:00:00Z",
        "baseline": {"tokens": None},
    }


def test_an_override_shows_what_is_effective() -> None:
    seen = snapshot(model(rate_limit=(500, 90)), endpoint(override=(600, None)))
    assert status(declared(override()), seen).details == {
        "endpointId": EP, "model": M, "effective": {"rpm": 500, "tpm": 90}, "modelRateLimit": {"rpm": 500, "tpm": 90},
    }  # fmt: skip


def test_what_cannot_be_seen_has_no_field_and_what_was_seen_last_is_kept() -> None:
    assert status(declared(LIMIT), snapshot(model(limit=UNOBSERVABLE)), capabilities=ARK).details == {
        "nextAttemptTime": "2026-11-23T12:15:00Z"
    }
    known = before(LIMIT, *WELL, details={"tokens": 5})
    failing = (Failure("no", Reason.PLATFORM_UNAVAILABLE),)
    assert status(declared(LIMIT), None, previous=known, failures=failing).details == {"tokens": 5}


def test_statuses_come_by_address_whatever_the_order_of_the_files() -> None:
    several = (limit("b"), activation("b"), limit("a"), account())
    seen = snapshot(model("a"), model("b"))
    assert judge(stand(declared(*several), seen)) == judge(stand(declared(*reversed(several)), seen))
