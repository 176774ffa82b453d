"""What lowers, stops, takes back or lets go has to stand at a second look; raises, additions, drift and what ends on its date do not."""

from datetime import timedelta
from typing import Any

import pytest
from builders import (
    NOW,
    M,
    account,
    activation,
    capabilities,
    declared,
    endpoint,
    history,
    limit,
    model,
    override,
    question,
    record,
    snapshot,
)

from reconciler.kinds import Resource
from reconciler.plan import Plan, Standing, kind_of, make, settled, to_stand
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, ActivationState, Limit, Operation, Rate, Record, Snapshot, Switches

WAIT = timedelta(seconds=5)
POOL = Rate(1000, 100_000)


def at_once(wanted: Resource[Any], *seen: Any, past: tuple[Record, ...] = (), **given: Any) -> bool:
    """Whether everything that the plan for this one declaration changes may be carried out at a first look."""
    there = snapshot(*seen)
    plan = make(question(declared(account(), wanted), there, history(*past) if past else None, **given))
    assert plan.changes, "something is to be changed"
    waiting = settled(plan, there, Standing(WAIT), NOW)
    assert [change.target for change in waiting.changes] == [change.target for change in plan.changes]
    return all(kind_of(change, NOW) != "deferred" for change in waiting.changes)


LIVE = model(rate_limit=POOL, state=ActivationState.ACTIVATED)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (override(rpm=12), endpoint(override=Rate(12_000, None))),
        (override(rpm=20_000, tpm=12), endpoint(override=Rate(12_000, 12_000))),
        (override(rpm=12), endpoint(override=None)),
        (override(rpm=999, tpm=None), endpoint(override=Rate(None, 7))),
        (limit(tokens=5), model(limit=Limit(50_000), state=ActivationState.ACTIVATED)),
        (limit(tokens=5), model(limit=None, state=ActivationState.ACTIVATED)),
        (limit(tokens=5), model(limit=None, state=UNOBSERVABLE)),
        (limit(tokens=5), model(limit=UNOBSERVABLE, state=ActivationState.ACTIVATED)),
        (activation(state="NotActivated"), LIVE),
        (activation(sub_services=[]), model(state=ActivationState.ACTIVATED, sub_services=("fast-infer",))),
        (activation(sub_services=["context-cache"]), model(state=ActivationState.ACTIVATED, sub_services=("fast-infer",))),
    ],
    ids=["less", "one half less", "less than inherited", "one half less than inherited", "limit less", "first limit", "unseen state",
         "unseen limit", "not activated", "sub-service off", "sub-service exchanged"],
)  # fmt: skip
def test_what_allows_less_waits(wanted: Resource[Any], seen: Any) -> None:
    beside = () if getattr(seen, "name", "") == M and not hasattr(seen, "override") else (LIVE,)
    assert not at_once(wanted, seen, *beside)


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (override(rpm=12_000), endpoint(override=Rate(12, None))),
        (override(rpm=12_000), endpoint(override=None)),
        (override(rpm=1000), endpoint(override=None)),
        (limit(tokens=50_000), model(limit=Limit(5), state=ActivationState.ACTIVATED)),
        (limit(tokens=5), model(limit=None, state=ActivationState.NOT_ACTIVATED)),
        (activation(), model(state=ActivationState.NOT_ACTIVATED)),
        (activation(sub_services=["fast-infer"]), model(state=ActivationState.ACTIVATED, sub_services=())),
    ],
    ids=["more", "more than inherited", "as inherited", "limit more", "limit of an unused model", "activated", "sub-service on"],
)  # fmt: skip
def test_what_allows_more_goes_at_once(wanted: Resource[Any], seen: Any) -> None:
    beside = () if getattr(seen, "name", "") == M and not hasattr(seen, "override") else (LIVE,)
    assert at_once(wanted, seen, *beside)


def test_a_rate_below_one_that_nobody_knows_waits() -> None:
    assert not at_once(override(rpm=1_000_000), endpoint(override=None), model(rate_limit=UNOBSERVABLE))
    assert not at_once(override(rpm=1_000_000), endpoint(override=None), model(rate_limit=None))


def test_switches_of_the_account_wait() -> None:
    there = snapshot(Switches(free_tokens_only=False, auto_activation=True))
    plan = make(question(declared(account(free_tokens_only=True)), there))
    (change,) = settled(plan, there, Standing(WAIT), NOW).changes
    assert kind_of(change, NOW) == "deferred"


def test_drift_is_put_back_at_once_though_that_lowers() -> None:
    past = record(override(rpm=12), applied={"rpm": 12})
    assert at_once(override(rpm=12), endpoint(override=Rate(12_000, None)), LIVE, past=(past,))


def test_an_override_ends_on_its_date() -> None:
    ended = override(rpm=2000, expires_at=(NOW - timedelta(seconds=1)).isoformat())
    past = record(ended, applied={"rpm": 2000})
    assert at_once(ended, endpoint(override=Rate(2000, None)), LIVE, past=(past,))


OWNED = record(override(rpm=5), applied={"rpm": 5}, baseline={"rpm": None, "tpm": None}, deletion_policy="Revert")
KEPT = record(activation(), applied={"state": "Activated"}, deletion_policy="Retain")
SEEN = snapshot(LIVE, endpoint(override=Rate(5, None)))


def pruned() -> Plan:
    return make(question(declared(), SEEN, history(OWNED, KEPT), prune=True, under=("policies",)))


def test_what_nothing_declares_any_more_is_taken_back_or_let_go_of_only_once_that_stands() -> None:
    plan = pruned()
    assert [release.ends for release in plan.releases] == [True]
    keys = to_stand(plan, SEEN)
    assert len(keys) == 2
    first = settled(plan, SEEN, Standing(WAIT), NOW)
    (change,), (release,) = first.changes, first.releases
    assert (change.not_before, kind_of(change, NOW), release.ends) == (NOW + WAIT, "deferred", False)
    assert change.wait is not None
    assert change.wait.reason is Reason.SETTLING
    assert change.wait.message == (
        "nothing declares it any more; taken back at 2026-11-23 12:00:05 UTC if that is so until then"
    )
    assert release.why == "nothing declares it any more; released at 2026-11-23 12:00:05 UTC if that is so until then"
    since = dict.fromkeys(keys, NOW - WAIT)
    assert settled(plan, SEEN, Standing(WAIT, since), NOW) == plan
    almost = dict.fromkeys(keys, NOW - WAIT + timedelta(milliseconds=1))
    assert settled(plan, SEEN, Standing(WAIT, almost), NOW) != plan


def test_another_value_has_to_stand_anew() -> None:
    def keys(rpm: int) -> frozenset[Any]:
        there = snapshot(LIVE, endpoint(override=Rate(500, None)))
        return to_stand(make(question(declared(override(rpm=rpm)), there)), there)

    assert keys(12) == keys(12)
    assert not keys(12) & keys(13)


def test_what_waits_for_longer_anyway_keeps_its_own_reason() -> None:
    live = model(limit=Limit(50_000, effective_at=NOW - timedelta(minutes=1)), state=ActivationState.ACTIVATED)
    there = snapshot(live)
    plan = make(question(declared(limit(tokens=5)), there))
    assert settled(plan, there, Standing(WAIT), NOW) == plan
    assert plan.changes[0].not_before == NOW + timedelta(minutes=119)


def test_what_a_person_would_have_to_do_is_told_once_it_stands() -> None:
    there = snapshot(LIVE)
    asked = question(declared(activation(state="NotActivated")), there, capabilities=capabilities(Operation.DEACTIVATE))
    plan = make(asked)
    assert len(plan.changes) == 1
    assert settled(plan, there, Standing(WAIT), NOW).changes == ()
    since = dict.fromkeys(to_stand(plan, there), NOW - WAIT)
    assert settled(plan, there, Standing(WAIT, since), NOW) == plan


def test_without_a_time_to_settle_every_plan_is_as_it_was() -> None:
    plan = pruned()
    assert settled(plan, SEEN, Standing(), NOW) == plan


def test_an_empty_snapshot_changes_nothing() -> None:
    nothing: Snapshot = snapshot()
    plan = make(question(declared(), nothing))
    assert (to_stand(plan, nothing), settled(plan, nothing, Standing(WAIT), NOW)) == (frozenset(), plan)
