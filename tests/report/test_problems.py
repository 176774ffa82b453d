"""What is wrong is told with what comes next, who can do it and where, in both languages; what is as wanted is no problem."""

from dataclasses import replace
from datetime import timedelta
from string import Formatter
from typing import Any

import pytest

from reconciler.kinds.declared import Declared
from reconciler.plan import Action, Change, ChangeReason, FieldChange, Plan
from reconciler.reasons import Reason
from reconciler.report import Report, problems, selection, steps
from reconciler.report.by_model import Account
from reconciler.report.model_row import Tone
from reconciler.report.problems import Problem
from reconciler.report.status_words import PAUSES, STANDINGS, STEPS, WHO
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Capability,
    Limit,
    Operation,
    Pause,
    PauseReason,
    Snapshot,
    Switches,
    Target,
)
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth
from tests import builders as b

REACHED = Limit(500, 600, b.NOW - timedelta(hours=1))


def account(*declared: Any, seen: Snapshot | None = None, changes: tuple[Change, ...] = (), **more: Any) -> Account:
    everything: Declared = b.declared(*declared)
    plan = Plan(account="default", inputs_digest="0", observed_at=b.NOW, changes=changes, unchanged=0)
    given = {"account": b.account(), "started_at": b.NOW, "finished_at": b.NOW, "statuses": (), **more}
    return Account(Report(declared=everything, plan=plan, snapshot=seen, **given))


def paused(reason: PauseReason, **fields: Any) -> Snapshot:
    return b.snapshot(b.model("m", pause=Pause(reason, b.NOW), **fields))


def only(found: Account) -> Problem:
    [one] = problems.of(found)
    return one


def judged(resource: Any, reason: Reason, *more: ConditionType, target: str = "m") -> ResourceStatus:
    conditions = (
        Condition(ConditionType.ACCEPTED, Truth.TRUE, Reason.ACCEPTED, "", b.NOW),
        Condition(ConditionType.READY, Truth.FALSE, reason, "why", b.NOW - timedelta(hours=3)),
        *(Condition(each, Truth.TRUE, Reason.PAUSED, "", b.NOW) for each in more),
    )
    return ResourceStatus(
        address=resource.address, kind=resource.kind, target=Target(resource.kind, target), conditions=conditions,
        next_attempt=b.NOW + timedelta(minutes=9),
    )  # fmt: skip


def test_a_declared_limit_that_was_reached_is_raised_in_its_file_two_hours_after_it_was_set() -> None:
    found = account(b.limit("m", 500), seen=paused(PauseReason.LIMIT_REACHED, limit=REACHED))
    one = only(found)
    assert (one.word, one.tone, one.fails, one.since) == ("LimitReached", Tone.BAD, True, b.NOW)
    assert (one.step.key, one.step.who, one.step.values) == ("raise-declared", "file", {"used": 600})
    assert one.step.where is not None
    assert one.step.not_before == b.NOW + timedelta(hours=1)


def test_where_the_platform_has_no_action_the_page_and_the_attesting_are_named() -> None:
    capabilities = b.capabilities(Operation.SET_LIMIT)
    seen = paused(PauseReason.LIMIT_REACHED, limit=REACHED)
    step = only(account(b.limit("m", 500), seen=seen, capabilities=capabilities)).step
    assert (step.key, step.who, step.url) == ("raise-by-hand", "page", "https://console.example/openManagement")
    assert step.values["address"] == "InferenceLimit/m"


def test_a_limit_that_nobody_declared_is_raised_where_it_came_from() -> None:
    assert only(account(seen=paused(PauseReason.LIMIT_REACHED, limit=REACHED))).step.key == "raise-live"
    unseen = only(account(seen=paused(PauseReason.LIMIT_REACHED, limit=UNOBSERVABLE)))
    assert (unseen.step.key, unseen.step.not_before) == ("raise-live-unseen", None)


@pytest.mark.parametrize(("after", "key"), [(900, "set-planned"), (None, "removed-planned")])
def test_what_the_plan_will_do_anyway_is_only_to_be_applied(after: int | None, key: str) -> None:
    limit = b.limit("m", 900)
    change = Change(
        address=limit.address, target=Target("InferenceLimit", "m"), model="m", action=Action.UPDATE,
        reason=ChangeReason.DECLARED, capability=Capability.NATIVE, fields=(FieldChange("tokens", 500, after),),
        origin=limit.origin, not_before=b.NOW + timedelta(minutes=5),
    )  # fmt: skip
    found = account(limit, seen=paused(PauseReason.LIMIT_REACHED, limit=REACHED), changes=(change,))
    step = only(found).step
    assert (step.key, step.who, step.not_before) == (key, "apply", change.not_before)
    by_hand = account(limit, seen=found.snapshot, changes=(replace(change, capability=Capability.MANUAL),))
    assert only(by_hand).step.key == "raise-declared"


def test_the_mode_that_stops_free_use_is_left_where_the_account_is_declared() -> None:
    own = b.account(free_tokens_only=True)
    seen = b.snapshot(b.model("m", pause=Pause(PauseReason.FREE_TOKENS_ONLY)), Switches(free_tokens_only=True))
    step = only(account(seen=seen, account=own)).step
    assert (step.key, step.who) == ("leave-safe-mode", "account")
    assert step.where == own.origin


def test_a_model_that_used_up_what_it_was_given_is_a_problem_only_where_something_wants_it() -> None:
    out = paused(PauseReason.FREE_QUOTA_EXHAUSTED, state=ActivationState.NOT_ACTIVATED)
    assert problems.of(account(seen=out)) == ()
    assert problems.of(account(b.activation("m", state="NotActivated"), seen=out)) == ()
    assert only(account(b.activation("m"), seen=out)).step.key == "activate"
    assert account(seen=out).rows["m"].standing.tone is Tone.QUIET


@pytest.mark.parametrize("reason", list(Reason))
def test_whatever_a_resource_waits_for_there_is_a_next_step_and_somebody_who_can_do_it(reason: Reason) -> None:
    limit = b.limit("m")
    one = only(account(limit, seen=b.snapshot(b.model("m")), statuses=(judged(limit, reason),)))
    assert (one.address, one.model, one.since) == (limit.address, "m", b.NOW - timedelta(hours=3))
    for language in (0, 1):
        said = STEPS[one.step.key][language].format(**one.step.values)
        assert "{" not in said
        assert WHO[one.step.who][language]
        assert STANDINGS[one.word][language]


def test_what_is_ready_or_left_to_itself_is_no_problem() -> None:
    limit = b.limit("m")
    ready = replace(judged(limit, Reason.READY), conditions=())
    good = Condition(ConditionType.READY, Truth.TRUE, Reason.READY, "", b.NOW)
    for status in (ready, replace(ready, conditions=(good,))):
        assert problems.of(account(limit, seen=b.snapshot(b.model("m")), statuses=(status,))) == ()


def test_what_an_annotation_holds_is_told_so_and_what_is_only_observed_is_not_to_be_applied() -> None:
    limit, seen = b.limit("m"), b.snapshot(b.model("m"))
    held = only(account(limit, seen=seen, statuses=(judged(limit, Reason.PENDING, ConditionType.PAUSED),)))
    assert held.step.key == "resume-annotation"
    watched = only(account(limit, seen=seen, statuses=(judged(limit, Reason.DRIFTED),)))
    assert watched.step.key == "observe-only"
    unseen = only(account(limit, seen=seen, statuses=(judged(limit, Reason.NOT_ATTEMPTED),)))
    assert (unseen.step.key, unseen.step.values["address"]) == ("check-by-hand", "InferenceLimit/m")


def test_what_stands_still_comes_before_what_a_person_has_to_do_and_that_before_what_waits() -> None:
    limit, other, third = b.limit("m"), b.activation("m"), b.override("ep-1")
    seen = b.snapshot(b.model("m", pause=Pause(PauseReason.LIMIT_REACHED), limit=REACHED), b.endpoint("ep-1", "m"))
    found = account(
        limit, other, third, seen=seen,
        statuses=(
            judged(limit, Reason.COOLING_DOWN), judged(other, Reason.TICKET_REQUIRED),
            judged(third, Reason.PLATFORM_REFUSED, target="ep-1"),
        ),
    )  # fmt: skip
    words = [one.word for one in problems.of(found)]
    assert words == ["LimitReached", "PlatformRefused", "TicketRequired", "CoolingDown"]


def test_a_limit_that_will_be_reached_within_a_day_is_told_and_fails_nobody() -> None:
    hours = tuple((b.NOW - timedelta(hours=n), 100) for n in range(1, 20))
    found = account(b.limit("m", 500), seen=b.snapshot(b.model("m", limit=Limit(500, 100), hourly_use=hours)))
    one = only(found)
    assert (one.word, one.fails, one.step.key) == ("LimitSoon", False, "raise-before")
    assert one.expected is not None


def test_every_step_and_pause_is_worded_in_both_languages_with_the_same_values() -> None:
    def values(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for table in (STANDINGS, PAUSES, STEPS, WHO):
        for english, chinese in table.values():
            assert english
            assert chinese
            assert values(english) == values(chinese)
    assert {reason.value for reason in PauseReason} == set(PAUSES)
    assert {reason.value for reason in (*Reason, *PauseReason)} <= set(STANDINGS)
    assert {who for _, who in steps._BY_REASON.values()} <= set(WHO)


def test_names_that_cannot_be_judged_are_not_called_wrong() -> None:
    assert selection.unmatched([account(b.limit("m"))], ["anything"]) == ()
    assert selection.unmatched([account(b.limit("m"), seen=b.snapshot(b.model("m")))], ["m", "x"]) == ("x",)


def test_everything_unobservable_is_judged_without_a_crash_and_said_to_be_unseen() -> None:
    seen = b.snapshot(
        b.model(
            "m", state=UNOBSERVABLE, billing=UNOBSERVABLE, sub_services=UNOBSERVABLE, free_tokens=UNOBSERVABLE,
            limit=UNOBSERVABLE, rate_limit=UNOBSERVABLE,
        ),
        b.endpoint("ep-1", "m", override=UNOBSERVABLE, scale_tier=UNOBSERVABLE, model_units=UNOBSERVABLE, batch_only=UNOBSERVABLE),
        Switches(free_tokens_only=UNOBSERVABLE, auto_activation=UNOBSERVABLE, ever_activated=UNOBSERVABLE, verified=UNOBSERVABLE),
    )  # fmt: skip
    found = account(b.limit("m"), seen=seen)
    assert problems.of(found) == ()
    row = found.rows["m"]
    assert (row.free, row.limit, row.pool("rpm")) == (None, None, None)
