"""Carrying out a plan on the embedded platform: order, proof, trouble, and what each change becomes."""

import threading
import time
from dataclasses import replace

import pytest
from builders import account, activation, limit, override
from stage import Stage

from reconciler.cli.exits import Exit
from reconciler.cli.exits import of as exit_of
from reconciler.errors import Permanent, PlatformError, Transient
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, Operation, Result, Snapshot, Target

ALL = (activation("a"), limit("a", 1000), override("ep-1", rpm=60), activation("b"))


def results(report) -> dict[str, Result]:
    return {outcome.address: outcome.result for outcome in report.outcomes}


def test_everything_declared_is_applied_in_order_and_proved(stage: Stage) -> None:
    report = stage.apply(*ALL)
    assert {outcome.result for outcome in report.outcomes} == {Result.APPLIED}
    assert all(outcome.confirmed for outcome in report.outcomes)
    assert stage.platform.done == ["activate a", "activate b", "set-limit a", "set-override ep-1"]
    assert report.snapshot is not None
    assert report.snapshot.models["a"].limit.tokens == 1000
    assert report.snapshot.endpoints["ep-1"].override.rpm == 60
    assert [outcome.address for outcome in stage.told] == [outcome.address for outcome in report.outcomes]


def test_a_second_apply_writes_nothing_anywhere(stage: Stage) -> None:
    stage.apply(*ALL)
    writes, runs = len(stage.platform.writes), stage.ledger.runs()
    stage.ledger.close()
    before = (stage.home / "ledger.db").read_bytes()
    report = stage.apply(*ALL)
    assert (report.plan.changes, report.outcomes, report.run) == ((), (), "")
    stage.ledger.close()
    assert len(stage.platform.writes) == writes
    assert stage.ledger.runs() == runs
    assert (stage.home / "ledger.db").read_bytes() == before


def test_a_change_is_journaled_before_its_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    write = stage.engine.activate
    monkeypatch.setattr(
        stage.engine, "activate",
        lambda name: (seen.append(len(stage.ledger.history("default").pending)), write(name)),
    )  # fmt: skip
    stage.apply(activation("a"))
    assert seen == [1]
    assert stage.ledger.history("default").pending == ()


def test_what_changed_since_the_plan_is_skipped_as_stale_with_what_builds_on_it(stage: Stage) -> None:
    asked = stage.asked(*ALL)
    report = stage.look(asked)
    stage.engine.activate("a")
    done = stage.act(asked, report)
    assert results(done) == {
        "ModelActivation/a": Result.SKIPPED, "ModelActivation/b": Result.APPLIED,
        "InferenceLimit/a": Result.SKIPPED, "EndpointRateOverride/ep-1": Result.SKIPPED,
    }  # fmt: skip
    assert [outcome.stale for outcome in done.outcomes] == [True, False, False, False]
    assert stage.platform.done == ["activate b"]


def test_nothing_is_activated_where_free_tokens_only_could_not_be_switched_on_first(stage: Stage) -> None:
    mine = account(free_tokens_only=True)
    stage.platform.before["set-free-tokens-only"] = [Permanent("not now", code="Whatever")]
    done = stage.apply(mine, *ALL)
    assert stage.platform.done == ["set-free-tokens-only default"]
    assert results(done)["PlatformAccount/default"] is Result.FAILED
    assert {results(done)[f"ModelActivation/{name}"] for name in "ab"} == {Result.SKIPPED}
    done = stage.apply(mine, *ALL)
    assert {outcome.result for outcome in done.outcomes} == {Result.APPLIED}
    assert stage.platform.done[1:4] == ["set-free-tokens-only default", "activate a", "activate b"]
    assert done.snapshot is not None
    assert done.snapshot.switches.free_tokens_only is True


def test_a_refusal_is_the_platform_s_own_code_and_stops_only_its_dependents(stage: Stage) -> None:
    stage.platform.before["activate"] = [Permanent("no balance", code="AccountOverdueError")]
    done = stage.apply(*ALL)
    failed = done.outcomes[0]
    assert (failed.result, failed.code, failed.message) == (Result.FAILED, "AccountOverdueError", "no balance")
    assert results(done)["ModelActivation/b"] is Result.APPLIED
    assert results(done)["InferenceLimit/a"] is Result.SKIPPED
    assert stage.ledger.runs()[0].result == "partial"


def test_a_failed_limit_does_not_hold_up_an_override_of_the_same_model(stage: Stage) -> None:
    stage.platform.before["set-limit"] = [Permanent("no", code="X")]
    done = stage.apply(*ALL)
    assert results(done)["InferenceLimit/a"] is Result.FAILED
    assert results(done)["EndpointRateOverride/ep-1"] is Result.APPLIED


def test_a_write_whose_answer_was_lost_counts_as_applied_when_the_platform_shows_it(stage: Stage) -> None:
    for operation in ("activate", "set-limit", "set-override"):
        stage.platform.after[operation] = [Transient("no answer")]
    done = stage.apply(*ALL)
    assert set(results(done).values()) == {Result.APPLIED}
    assert stage.platform.done.count("set-limit a") == 1
    assert stage.slept == []


def test_a_write_that_did_not_happen_is_tried_again_a_few_times(stage: Stage) -> None:
    stage.platform.before["activate"] = [Transient("busy"), Transient("busy", retry_after_s=2)]
    done = stage.apply(activation("a"))
    assert results(done) == {"ModelActivation/a": Result.APPLIED}
    assert stage.slept == [0.5, 2]


def test_a_write_that_keeps_failing_is_left_to_a_later_pass(stage: Stage) -> None:
    stage.platform.before["activate"] = [Transient("busy", code="Throttled", retry_after_s=60)]
    (outcome,) = stage.apply(activation("a")).outcomes
    assert (outcome.result, outcome.code) == (Result.FAILED, "Throttled")
    assert outcome.not_before is not None
    assert (outcome.not_before - stage.now).total_seconds() == 60
    assert stage.platform.done == ["activate a"]


def test_the_two_hour_interval_defers_a_limit_without_a_call(stage: Stage) -> None:
    stage.apply(activation("a"), limit("a", 1000))
    stage.forward(minutes=30)
    done = stage.apply(activation("a"), limit("a", 2000))
    (outcome,) = done.outcomes
    assert outcome.result is Result.DEFERRED
    assert done.next_wake is not None
    assert (done.next_wake - stage.now).total_seconds() == 90 * 60
    assert stage.platform.done.count("set-limit a") == 1
    assert done.run == ""
    stage.forward(minutes=90)
    assert results(stage.apply(activation("a"), limit("a", 2000))) == {"InferenceLimit/a": Result.APPLIED}


def test_an_interval_that_only_the_platform_knows_of_defers_the_limit(stage: Stage) -> None:
    stage.engine.activate("a")
    stage.engine.set_limit("a", 7)
    stage.engine.remove_limit("a")
    (outcome,) = stage.apply(limit("a", 1000), activation("a")).outcomes
    assert (outcome.result, outcome.reason) == (Result.DEFERRED, Reason.COOLING_DOWN)
    assert outcome.not_before is not None
    assert (outcome.not_before - stage.now).total_seconds() == 7200


def test_a_read_that_is_still_old_is_looked_at_again(stage: Stage) -> None:
    asked = stage.asked(activation("a"))
    old = stage.engine.model("a")
    stage.platform.stale_reads = [old, old]
    (outcome,) = stage.act(asked).outcomes
    assert (outcome.result, outcome.confirmed) == (Result.APPLIED, True)
    assert len(stage.slept) == 1


def test_a_limit_that_the_platform_takes_and_cannot_show_is_set_once(stage: Stage) -> None:
    """A second set would start its counting anew, and so every two hours: it would never trip."""
    read, observe = stage.platform.read, stage.platform.observe

    def hidden(seen: Snapshot) -> Snapshot:
        return replace(seen, models={name: replace(each, limit=UNOBSERVABLE) for name, each in seen.models.items()})

    stage.platform.read = lambda target: hidden(read(target))  # type: ignore[method-assign]
    stage.platform.observe = lambda limited: hidden(observe(limited))  # type: ignore[method-assign]
    done = stage.apply(activation("a"), limit("a", 1000))
    assert [(one.confirmed, one.accepted) for one in done.outcomes] == [(True, False), (False, True)]
    assert exit_of([done]) is Exit.OK
    for _ in range(2):
        stage.forward(hours=3)
        assert stage.apply(activation("a"), limit("a", 1000)).plan.changes == ()
    assert stage.platform.done == ["activate a", "set-limit a"]
    assert results(stage.apply(activation("a"), limit("a", 2000))) == {"InferenceLimit/a": Result.APPLIED}


def test_a_write_that_a_read_could_prove_and_does_not_is_no_success(stage: Stage) -> None:
    asked = stage.asked(activation("a"))
    stage.platform.stale_reads = [stage.engine.model("a")] * 9
    done = stage.act(asked)
    assert exit_of([done]) is Exit.PARTIAL
    assert stage.ledger.runs()[0].result == "partial"


def test_what_no_read_shows_is_applied_but_not_confirmed(stage: Stage) -> None:
    asked = stage.asked(activation("a"))
    stage.platform.stale_reads = [stage.engine.model("a")] * 9
    (outcome,) = stage.act(asked).outcomes
    assert (outcome.result, outcome.confirmed, outcome.reason) == (Result.APPLIED, False, Reason.WRITE_UNCONFIRMED)
    record = stage.ledger.history("default").records[Target("ModelActivation", "a")]
    assert (record.owner, record.applied) == ("ModelActivation/a", None)
    assert stage.platform.done == ["activate a"]


def test_a_bad_key_is_probed_once(stage: Stage) -> None:
    stage.platform.before["activate"] = [Permanent("bad key", reason=Reason.CREDENTIALS_INVALID)] * 3
    done = stage.apply(activation("a"), activation("b"), activation("c"))
    assert [outcome.result for outcome in done.outcomes] == [Result.FAILED, Result.SKIPPED, Result.SKIPPED]
    assert {outcome.reason for outcome in done.outcomes} == {Reason.CREDENTIALS_INVALID}
    assert len(stage.platform.writes) == 1
    assert [failure.message for failure in done.failures] == ["bad key"]


def test_stopping_finishes_what_is_in_flight_and_journals_it(stage: Stage) -> None:
    asked = stage.asked(activation("a"), activation("b"))
    write = stage.platform.write

    def write_then_stop(call) -> None:
        write(call)
        stage.stop = True

    stage.platform.write = write_then_stop
    done = stage.act(asked)
    assert done.interrupted
    assert [outcome.result for outcome in done.outcomes] == [Result.APPLIED, Result.SKIPPED]
    assert [entry.result for entry in stage.ledger.entries(done.run)] == ["applied", "skipped"]
    assert stage.ledger.runs()[0].result == "interrupted"


def test_without_the_lock_nothing_more_is_written(stage: Stage) -> None:
    asked = stage.asked(activation("a"), activation("b"))
    done = stage.act(asked, may_write=lambda: len(stage.platform.writes) < 1)
    assert [outcome.result for outcome in done.outcomes] == [Result.APPLIED, Result.SKIPPED]
    assert "lock" in done.failures[0].message
    assert stage.platform.done == ["activate a"]


def test_a_lock_that_is_lost_while_a_write_waits_its_turn_stops_that_write(stage: Stage) -> None:
    held = True

    def sleep(_: float) -> None:  # as a process does that is frozen in the middle of its pause
        nonlocal held
        held = False

    asked = stage.asked(account(writes={"concurrency": 1, "perSecond": 2}), activation("a"), activation("b"))
    done = stage.act(asked, may_write=lambda: held, sleep=sleep)
    assert [outcome.result for outcome in done.outcomes] == [Result.APPLIED, Result.SKIPPED]
    assert stage.platform.done == ["activate a"]


def test_a_stop_while_writes_wait_their_turn_does_not_let_them_out_at_once(stage: Stage) -> None:
    def sleep(_: float) -> None:  # a stop ends every pause early
        stage.stop = True

    asked = stage.asked(account(writes={"concurrency": 4, "perSecond": 2}), *map(activation, "abc"))
    done = stage.act(asked, sleep=sleep)
    assert done.interrupted
    assert len(stage.platform.writes) == 1
    assert sorted(outcome.result.value for outcome in done.outcomes) == ["applied", "skipped", "skipped"]


def test_a_change_that_is_cut_short_between_its_writes_is_not_said_to_be_untouched(stage: Stage) -> None:
    asked = stage.asked(activation("a", sub_services=["fast-infer"]))
    done = stage.act(asked, may_write=lambda: not stage.platform.writes)
    assert stage.platform.done == ["activate a"]
    (outcome,) = done.outcomes
    assert outcome.result is Result.FAILED
    assert "half done" in outcome.message
    assert stage.ledger.history("default").records[Target("ModelActivation", "a")].owner == "ModelActivation/a"


def test_paced_writes_go_out_side_by_side_but_never_two_on_one_model_or_one_endpoint(stage: Stage) -> None:
    paced = account(writes={"concurrency": 3, "perSecond": 1000})
    flying: list[str] = []
    together: list[tuple[str, ...]] = []
    write = stage.platform.write

    def watched(call) -> None:
        flying.append(call.target.name)
        together.append(tuple(flying))
        write(call)
        flying.remove(call.target.name)

    stage.platform.write = watched
    done = stage.apply(paced, *ALL, override("ep-2", rpm=9), activation("c", sub_services=["fast-infer"]))
    assert set(results(done).values()) == {Result.APPLIED}
    assert all(len(set(names)) == len(names) for names in together)


def test_overrides_of_different_endpoints_of_one_model_are_written_side_by_side(stage: Stage) -> None:
    both = threading.Barrier(2)
    write = stage.platform.write

    def watched(call) -> None:
        if call.operation is Operation.SET_OVERRIDE:
            both.wait(timeout=10)  # broken where one waits for the other to be done
        write(call)

    stage.platform.write = watched
    paced = account(writes={"concurrency": 2, "perSecond": 1000})
    done = stage.apply(paced, activation("a"), override("ep-1", rpm=60), override("ep-2", rpm=9))
    assert set(results(done).values()) == {Result.APPLIED}


def test_no_more_writes_are_in_flight_than_the_account_allows(stage: Stage) -> None:
    flying, most, lock = 0, 0, threading.Lock()
    write = stage.platform.write

    def watched(call) -> None:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.01)
        write(call)
        with lock:
            flying -= 1

    stage.platform.write = watched
    names = [f"m-{number}" for number in range(12)]
    stage.models(*names)
    done = stage.apply(account(writes={"concurrency": 2, "perSecond": 1000}), *map(activation, names))
    assert set(results(done).values()) == {Result.APPLIED}
    assert most == 2


def test_a_pace_keeps_writes_apart(stage: Stage) -> None:
    stage.apply(account(writes={"concurrency": 1, "perSecond": 2}), activation("a"), activation("b"), activation("c"))
    assert len(stage.slept) == 2
    assert stage.slept[0] == pytest.approx(0.5, abs=0.3)


def test_a_throttled_run_goes_on_half_as_fast(stage: Stage) -> None:
    from reconciler.reasons import Reason

    stage.platform.before["activate"] = [Transient("slow down", reason=Reason.THROTTLED, retry_after_s=0.01)]
    stage.apply(account(writes={"concurrency": 1, "perSecond": 2}), activation("a"), activation("b"), activation("c"))
    paces = [seconds for seconds in stage.slept if seconds > 0.1]
    assert max(paces) == pytest.approx(2.0, abs=0.9)
    assert sum(paces) > 1.5


def test_what_only_a_person_can_do_is_an_outcome_without_a_call(stage: Stage) -> None:
    asked = stage.asked(activation("a"))
    report = stage.look(asked)
    from reconciler.state import Capability

    by_hand = replace(report.plan.changes[0], capability=Capability.MANUAL, how_to="open the page")
    done = stage.act(asked, replace(report, plan=replace(report.plan, changes=(by_hand,))))
    assert [(outcome.result, outcome.message) for outcome in done.outcomes] == [(Result.MANUAL, "open the page")]
    assert stage.platform.writes == []


def test_a_failed_first_look_fails_the_change_and_writes_nothing(stage: Stage) -> None:
    asked = stage.asked(activation("a"))
    report = stage.look(asked)
    errors: list[PlatformError] = [Transient("down", retry_after_s=30)]
    stage.platform.on_read = errors
    (outcome,) = stage.act(asked, report).outcomes
    assert (outcome.result, outcome.message) == (Result.FAILED, "down")
    assert stage.platform.writes == []


def test_a_sub_service_that_was_half_done_is_not_written_twice(stage: Stage) -> None:
    stage.platform.after["add-sub-service"] = [Transient("no answer")]
    stage.apply(activation("a", sub_services=["fast-infer", "context-cache"]))
    operations = [write.operation for write in stage.platform.writes]
    assert operations.count(Operation.ADD_SUB_SERVICE) == 2
