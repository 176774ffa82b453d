"""Notices tell what became so, once, and nothing that still is."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import (
    ARK,
    NOW,
    M,
    activation,
    declared,
    endpoint,
    history,
    hours,
    limit,
    model,
    override,
    record,
    snapshot,
)
from stage import Stage
from standings import PAUSED, kept, passed, used

from reconciler.reasons import Reason
from reconciler.report import Report, as_notice
from reconciler.report.notices import Event, Notice, of
from reconciler.state import Failure
from reconciler.status import ResourceStatus

NOBODY: dict[str, ResourceStatus] = {}


def told(done: Report, before: dict[str, ResourceStatus]) -> list[tuple[Event, str]]:
    return [(notice.event, notice.address) for notice in of(done, before)]


def test_a_pause_is_told_when_it_begins_and_not_again_after_a_restart() -> None:
    everything = declared(limit(tokens=100))
    before, after = passed(everything, used(50)), passed(everything, used(50, pause=PAUSED))
    assert told(after, kept(before)) == [(Event.PAUSED, f"InferenceLimit/{M}")]
    assert told(after, kept(after)) == []
    assert told(before, kept(after)) == []
    assert "its inference limit is reached" in of(after, kept(before))[0].message


def test_a_paused_model_is_told_once_though_two_resources_govern_it() -> None:
    everything = declared(activation(), limit(tokens=100))
    done = passed(everything, used(50, pause=PAUSED))
    assert told(done, NOBODY) == [(Event.PAUSED, f"InferenceLimit/{M}")]


@pytest.mark.parametrize(("before", "now", "says"), [(79, 80, True), (80, 95, False), (0, 79, False), (95, 10, False)])
def test_crossing_eighty_percent_of_a_limit_is_told_once(before: int, now: int, says: bool) -> None:
    everything = declared(limit(tokens=100))
    notices = of(passed(everything, used(now)), kept(passed(everything, used(before))))
    assert [each.event for each in notices] == [Event.LIMIT_NEARLY_USED] * says
    assert not says or f"{now} % of the limit is used: {now} of 100 tokens" in notices[0].message


@pytest.mark.parametrize(("left", "says"), [(25, False), (24, True), (1, True), (-1, False)])
def test_an_override_is_told_a_day_before_it_ends(left: float, says: bool) -> None:
    ends = (NOW + hours(left)).isoformat()
    everything = declared(override(rpm=600, expires_at=ends))
    done = passed(everything, snapshot(endpoint(override=(600, None))))
    assert told(done, NOBODY) == [(Event.OVERRIDE_EXPIRING, "EndpointRateOverride/ep-1")] * says
    assert told(done, kept(done)) == []


def test_a_manual_action_is_told_when_it_begins_to_wait() -> None:
    everything = declared(limit(tokens=100))
    done = passed(everything, snapshot(model()), capabilities=ARK)
    assert told(done, NOBODY) == [(Event.MANUAL_ACTION, f"InferenceLimit/{M}")]
    assert told(done, kept(done)) == []
    other = passed(declared(limit(tokens=200)), snapshot(model()), capabilities=ARK)
    assert told(other, kept(done)) == [(Event.MANUAL_ACTION, f"InferenceLimit/{M}")], "other values are another action"


def test_drift_that_is_only_observed_is_told_once() -> None:
    everything = declared(limit(tokens=100, management="Observe"))
    well, drifted = passed(everything, used(1)), passed(everything, snapshot(model(limit=7)))
    notices = of(drifted, kept(well))
    assert [each.event for each in notices] == [Event.DRIFT]
    assert "tokens 7 where 100 is declared" in notices[0].message
    assert told(drifted, kept(drifted)) == []


def test_drift_that_waits_for_the_two_hours_is_told_when_it_is_found() -> None:
    declaration = limit(tokens=100)
    past = history(record(declaration, applied={"tokens": 100}, set_at=NOW - hours(1)))
    well = passed(declared(declaration), used(1), past)
    found = passed(declared(declaration), snapshot(model(limit=7)), past)
    assert [(each.event, "it is not put back yet" in each.message) for each in of(found, kept(well))] == [
        (Event.DRIFT, True)
    ]
    assert told(found, kept(found)) == []


def test_drift_that_is_mended_in_the_same_pass_is_told_each_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    try:
        stage.models(M)
        stage.endpoints("ep-1", of=M)
        wanted = override(rpm=600)
        well = stage.apply(wanted)
        for _ in range(2):
            with stage.engine.store.write() as tx:
                tx.run("UPDATE endpoints SET rpm = 5")
            mended = stage.apply(wanted)
            assert [each.message for each in of(mended, kept(well))] == [
                "changed elsewhere: rpm 5, declared 600; it was put back"
            ]
        assert told(stage.apply(wanted), kept(mended)) == []
    finally:
        stage.close()


def test_a_platform_that_cannot_be_seen_tells_nothing() -> None:
    failure = Failure("no answer", Reason.PLATFORM_UNAVAILABLE)
    done = passed(declared(limit(tokens=100)), None, failures=(failure,))
    assert told(done, NOBODY) == []


def notice(message: str = "so it is", **fields: Any) -> Notice:
    return Notice(
        **{
            "event": Event.DRIFT,
            "account": "default",
            "address": "InferenceLimit/m",
            "target": "m",
            "message": message,
            **fields,
        }
    )


def test_a_chat_never_acts_on_what_a_name_says() -> None:
    bad = notice('<!channel> <at user_id="all"></at> & \x1b[31m\nnext')
    assert "<" not in as_notice.slack([bad])["text"]
    assert "&lt;!channel&gt;" in as_notice.slack([bad])["text"]
    assert "<" not in as_notice.feishu([bad])["content"]["text"]
    for text in (as_notice.slack([bad])["text"], as_notice.generic([bad])["text"]):
        assert "\x1b" not in text
        assert len(text.splitlines()) == 2


def test_many_notices_become_one_message_that_a_chat_can_take() -> None:
    many = [notice("字" * 1000, address=f"InferenceLimit/{number}") for number in range(100)]
    assert as_notice.generic(many)["more"] == 80
    for shape in as_notice.SHAPES.values():
        assert "and 80 more" in json.dumps(shape(many))
    assert len(as_notice.feishu(many)["content"]["text"].encode()) < 20_000


def test_our_own_shape_holds_every_field() -> None:
    said = as_notice.generic([notice()])
    assert said["notices"] == [
        {"event": "drift", "account": "default", "address": "InferenceLimit/m", "target": "m", "message": "so it is"}
    ]
    assert said["text"].startswith("modelpolicy\nDrift found: InferenceLimit/m on account default")
