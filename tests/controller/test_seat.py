"""One account in the loop: what it does in a pass, and when it looks again."""

from datetime import timedelta

import pytest
from builders import NOW, activation, declared, limit, override
from looping import Start

from reconciler.errors import Permanent, Transient
from reconciler.finding import Location
from reconciler.kinds.declared import Declared, Held
from reconciler.platforms.embedded.calls import Call, UseKind
from reconciler.reasons import Reason
from reconciler.state import Result
from reconciler.status import ConditionType

WANTED = (activation("a"), limit("a", 1000))


def test_a_look_converges_and_the_next_one_writes_nothing(start: Start) -> None:
    loop = start()
    assert loop.look(*WANTED) is not None
    assert loop.stage.platform.done == ["activate a", "set-limit a"]
    loop.wait()
    loop.look(*WANTED)
    assert len(loop.stage.platform.writes) == 2


def test_idle_hours_are_sweeps_at_the_interval_and_no_writes(start: Start) -> None:
    loop = start(interval_s=300)
    loop.look(*WANTED)
    runs, writes = len(loop.stage.ledger.runs()), len(loop.stage.platform.writes)
    before = loop.sweeps
    looks = loop.idle(WANTED, hours=3)
    assert len(loop.stage.platform.writes) == writes
    assert len(loop.stage.ledger.runs()) == runs
    assert 33 <= loop.sweeps - before <= 37, "one sweep an interval, whatever else woke the account"
    assert looks <= 45


def test_drift_is_mended_at_the_next_interval(start: Start) -> None:
    loop = start(interval_s=300)
    wanted = (override("ep-1", rpm=60, tpm=600),)
    loop.look(*wanted)
    loop.stage.engine.set_override("ep-1", 9, 9)
    assert loop.wait() == pytest.approx(300)
    loop.look(*wanted)
    live = loop.stage.engine.snapshot().endpoints["ep-1"].override
    assert live is not None
    assert (live.rpm, live.tpm) == (60, 600)


def test_an_edit_within_the_interval_needs_no_sweep(start: Start) -> None:
    loop = start(interval_s=300)
    loop.look(override("ep-1", rpm=60, tpm=600))
    assert loop.sweeps == 1
    loop.stage.forward(seconds=10)
    loop.look(override("ep-1", rpm=61, tpm=600))
    assert loop.sweeps == 1
    assert loop.stage.platform.done == ["set-override ep-1", "set-override ep-1"]


def test_a_limit_waits_exactly_until_its_two_hours_are_over(start: Start) -> None:
    loop = start(interval_s=3600)
    loop.look(*WANTED)
    loop.stage.forward(minutes=50)
    raised = (activation("a"), limit("a", 2000))
    loop.look(*raised)
    sets = [write for write in loop.stage.platform.done if write.startswith("set-limit")]
    assert len(sets) == 1, "inside the two hours nothing is even tried"
    while len(sets) == 1:
        loop.wait()
        loop.look(*raised)
        sets = [write for write in loop.stage.platform.done if write.startswith("set-limit")]
        assert loop.stage.now <= NOW + timedelta(hours=2, seconds=1)
    assert loop.stage.now >= NOW + timedelta(hours=2)


def test_an_override_ends_on_time(start: Start) -> None:
    loop = start(interval_s=3600)
    ends = NOW + timedelta(minutes=20)
    wanted = (override("ep-1", rpm=60, tpm=600, expires_at=ends.isoformat()),)
    loop.look(*wanted)
    while loop.stage.now < ends:
        loop.wait()
        loop.look(*wanted)
    assert loop.stage.now - ends <= timedelta(seconds=1)
    assert loop.stage.engine.snapshot().endpoints["ep-1"].override is None


def test_a_platform_that_is_away_is_asked_less_and_less_often_and_then_converges(start: Start) -> None:
    loop = start(interval_s=300)
    loop.on_sweep = [Transient("away") for _ in range(14)]
    waits = []
    while loop.on_sweep:
        assert loop.look(*WANTED) is not None
        waits.append(loop.wait())
    assert waits[:4] == pytest.approx([1, 2, 4, 8])
    assert max(waits) <= 900
    loop.look(*WANTED)
    assert loop.stage.platform.done == ["activate a", "set-limit a"]


def test_the_platforms_own_wish_when_to_come_back_wins(start: Start) -> None:
    loop = start()
    loop.on_sweep = [Transient("slow down", reason=Reason.THROTTLED, retry_after_s=77)]
    loop.look(*WANTED)
    assert loop.seat.again_after_s == pytest.approx(77)


def test_an_item_that_keeps_failing_is_left_alone_longer_while_the_others_go_on(start: Start) -> None:
    loop = start(interval_s=300)
    refused = Permanent("the platform says no", code="InvalidParameter")
    loop.stage.platform.before["activate"] = [refused] * 50
    first = loop.look(activation("b"), override("ep-1", rpm=60, tpm=600))
    assert first is not None
    assert {outcome.result for outcome in first.report.outcomes} == {Result.FAILED, Result.APPLIED}
    tries = len(loop.stage.platform.writes)
    loop.idle((activation("b"), override("ep-1", rpm=60, tpm=600)), hours=1)
    assert 3 <= len(loop.stage.platform.writes) - tries <= 5, "a refusal is tried again every quarter of an hour"
    tries = len(loop.stage.platform.writes)
    waits = loop.look(activation("b"), override("ep-1", rpm=60, tpm=600))
    assert waits is not None
    assert len(loop.stage.platform.writes) == tries
    for done in (first, waits):  # while it waits, what is wrong is what it failed by
        (status,) = (each for each in done.report.statuses if each.kind == "ModelActivation")
        ready, stalled = status.condition(ConditionType.READY), status.condition(ConditionType.STALLED)
        assert ready is not None
        assert (ready.reason, ready.message) == (Reason.PLATFORM_REFUSED, "the platform says no (InvalidParameter)")
        assert stalled is not None


def test_what_the_user_changed_waits_no_longer(start: Start) -> None:
    loop = start()
    loop.stage.platform.before["set-override"] = [Permanent("no", code="InvalidParameter")]
    loop.look(override("ep-1", rpm=60, tpm=600))
    loop.stage.forward(seconds=1)
    loop.look(override("ep-1", rpm=61, tpm=600))
    live = loop.stage.engine.snapshot().endpoints["ep-1"].override
    assert live is not None
    assert live.rpm == 61


def test_reporting_mode_never_writes_nor_takes_the_lock(start: Start) -> None:
    loop = start(write=False)
    done = loop.look(*WANTED)
    assert done is not None
    assert (loop.stage.platform.writes, loop.stage.ledger.runs(), loop.ear.leads) == ([], (), [])
    assert len(done.report.plan.changes) == 2


def test_a_broken_document_holds_its_items_and_the_rest_goes_on(start: Start) -> None:
    loop = start()
    loop.look(activation("a"), override("ep-1", rpm=60, tpm=600), override("ep-2", rpm=5, tpm=50))
    broken = Held(Location("b.yaml", 1, 1), "EndpointRateOverride", "ep-1", "ep-1")
    rest = declared(activation("a"), override("ep-2", rpm=6, tpm=50))
    loop.look(Declared(rest.resources, (broken,)))
    assert loop.stage.platform.done[-1] == "set-override ep-2"
    live = loop.stage.engine.snapshot().endpoints["ep-1"].override
    assert live is not None
    assert live.rpm == 60


def test_transition_times_move_only_on_flips_also_over_a_restart(start: Start) -> None:
    loop = start()
    loop.look(*WANTED)
    first = {status.address: status for status in loop.seat._before.values()}  # type: ignore[union-attr]
    loop.stage.forward(hours=1)
    loop.seat.release()
    loop.seat = type(loop.seat)("default", loop.world(), loop.settings)
    done = loop.look(*WANTED)
    assert done is not None
    for status in done.report.statuses:
        ready, before = status.condition(ConditionType.READY), first[status.address].condition(ConditionType.READY)
        assert ready is not None
        assert before is not None
        assert ready.last_transition_time == before.last_transition_time


def test_a_second_process_stands_by_and_takes_over_when_the_first_lets_go(start: Start) -> None:
    leader = start()
    leader.look(*WANTED)
    standby = type(leader.seat)("default", leader.world(ear=leader.ear), leader.settings)
    assert standby.look(declared_set(*WANTED), leader.stop) is None
    assert leader.ear.leads[0] == ""
    assert "ada" in leader.ear.leads[1] or "pid" in leader.ear.leads[1]
    assert standby.again_after_s < 3
    leader.seat.release()
    assert standby.look(declared_set(*WANTED), leader.stop) is not None
    standby.release()


def test_a_model_that_the_platform_paused_is_told_and_stays_as_declared(start: Start) -> None:
    loop = start(interval_s=60)
    loop.look(*WANTED)
    loop.stage.engine.use(Call("a", 1000, 1, UseKind.ONLINE))
    loop.wait()
    done = loop.look(*WANTED)
    assert done is not None
    limit_status = next(each for each in done.report.statuses if each.kind == "InferenceLimit")
    assert limit_status.details["paused"]["reason"] == "LimitReached"
    assert len(loop.stage.platform.writes) == 2


def declared_set(*resources: object) -> object:
    from looping import Set

    return Set(declared(*resources))  # type: ignore[arg-type]
