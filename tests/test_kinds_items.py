"""How declarations map onto items: what is live, what is wanted, and the calls between them."""

from dataclasses import replace

import pytest
from builders import NOW, activation, endpoint, hours, limit, model, override, record, snapshot, target

from reconciler.kinds import registry
from reconciler.kinds.inference_limit import next_set_at, recent_hourly_use
from reconciler.state import UNOBSERVABLE, ActivationState, Attestation, Limit, Operation, Write


def test_the_next_set_waits_two_hours_after_the_latest_setting_removal_or_attestation() -> None:
    known = record(limit(), set_at=NOW - hours(5))
    assert next_set_at(Limit(1, effective_at=NOW - hours(3)), known) == NOW - hours(1)
    assert next_set_at(None, replace(known, removed_at=NOW)) == NOW + hours(2)
    by_hand = replace(known, attestation=Attestation({"tokens": 1}, "ann", NOW - hours(1)))
    assert next_set_at(UNOBSERVABLE, by_hand) == NOW + hours(1)
    assert next_set_at(Limit(1), None) is None


def test_recent_use_is_the_mean_since_the_first_use_of_the_last_day() -> None:
    used = ((NOW - hours(30), 9_000), (NOW - hours(4), 300), (NOW - hours(1), 500))
    assert recent_hourly_use(model(hourly_use=used), NOW) == 200
    assert recent_hourly_use(model(hourly_use=((NOW - hours(0.2), 700),)), NOW) == 700
    assert recent_hourly_use(model(), NOW) == 0


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        (ActivationState.ACTIVATED, [Operation.DEACTIVATE]),
        (ActivationState.INVITE_ONLY, []),
        (ActivationState.NOT_ACTIVATED, []),
    ],
)
def test_only_what_is_activated_is_deactivated(state: ActivationState, calls: list[Operation]) -> None:
    kind, item = registry()["ModelActivation"], target(activation())
    live = kind.live(snapshot(model(state=state)), item)
    assert [write.operation for write in kind.writes(item, live, {"state": "NotActivated"})] == calls


def test_half_an_override_is_not_written_where_the_other_half_cannot_be_seen() -> None:
    kind, item = registry()["EndpointRateOverride"], target(override())
    live = kind.live(snapshot(endpoint(override=UNOBSERVABLE)), item)
    assert kind.writes(item, live, {"rpm": 5}) == ()
    assert kind.writes(item, live, {"rpm": 5, "tpm": 6}) == (Write(Operation.SET_OVERRIDE, item, {"rpm": 5, "tpm": 6}),)
