"""A whole pass on the embedded platform: what may be written, what is remembered, and what a killed run leaves behind."""

import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import account, activation, error, limit, override, target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Recorder, Stage

from reconciler import reconcile
from reconciler.guards import GUARDS, Allow
from reconciler.kinds import Resource
from reconciler.ledger import open_ledger
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, Result, Snapshot, Target
from reconciler.status import ConditionType

ALLOW_ALL = tuple(Allow(guard, None, "meant") for guard in GUARDS)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    it.models("a", "b", "c")
    it.endpoints("ep-1", "ep-2", of="a")
    yield it
    it.close()


def record(stage: Stage, of: Resource) -> object:
    return stage.ledger.history("default").records[target(of)]


# What may be written.


def test_nothing_is_written_while_there_is_an_error(stage: Stage) -> None:
    broken = limit("b", 5)  # neither declared nor live as activated
    report = stage.apply(activation("a"), broken)
    assert (stage.platform.writes, report.outcomes, report.run) == ([], (), "")
    assert [found.rule for found in report.findings if found.severity.value == "error"] == ["limit-needs-activation"]


def test_keeping_going_writes_all_that_the_error_does_not_touch(stage: Stage) -> None:
    report = stage.apply(activation("a"), limit("b", 5), keep_going=True)
    assert stage.platform.done == ["activate a"]
    assert [outcome.result for outcome in report.outcomes] == [Result.APPLIED]


def test_an_error_from_loading_stops_every_account(stage: Stage) -> None:
    report = stage.apply(activation("a"), load_findings=(error(activation("elsewhere")),))
    assert (stage.platform.writes, report.outcomes) == ([], ())


def test_a_refused_guard_stops_the_whole_plan_and_a_reason_lets_it_pass(stage: Stage) -> None:
    prudent = account(allow_activation=False)
    refused = stage.apply(prudent, activation("a"), override("ep-1", rpm=6))
    assert ("consent", "refused") in [(verdict.id, verdict.verdict.value) for verdict in refused.plan.guards]
    assert (stage.platform.writes, refused.outcomes) == ([], ())
    allow = Allow("consent", "ModelActivation/a", "budget 7 approved")
    done = stage.apply(prudent, activation("a"), override("ep-1", rpm=6), allows=(allow,))
    assert {outcome.result for outcome in done.outcomes} == {Result.APPLIED}
    assert stage.ledger.runs()[0].reason == "allow consent=ModelActivation/a: budget 7 approved"


def test_keeping_going_past_a_guard_holds_only_what_it_refused(stage: Stage) -> None:
    done = stage.apply(account(allow_activation=False), activation("b"), override("ep-1", rpm=6), keep_going=True)
    assert stage.platform.done == ["set-override ep-1"]
    held, applied = done.outcomes
    assert (held.result, held.reason) == (Result.SKIPPED, Reason.GUARD_REFUSED)
    assert (applied.address, applied.result) == ("EndpointRateOverride/ep-1", Result.APPLIED)


def test_what_builds_on_a_change_that_a_guard_refused_is_not_tried(stage: Stage) -> None:
    done = stage.apply(account(allow_activation=False), activation("a"), limit("a", 5), keep_going=True)
    assert stage.platform.writes == []
    assert [outcome.result for outcome in done.outcomes] == [Result.SKIPPED, Result.SKIPPED]
    assert "builds on ModelActivation/a" in done.outcomes[1].message


def test_free_tokens_only_goes_off_by_a_person_s_word_only_and_nothing_activated_waits_for_it(stage: Stage) -> None:
    stage.engine.set_free_tokens_only(enabled=True)
    off = account(free_tokens_only=False, allow_activation=True)
    done = stage.apply(off, activation("a"), keep_going=True)
    assert [outcome.reason for outcome in done.outcomes] == [Reason.GUARD_REFUSED, None]
    assert stage.engine.switches().switches.free_tokens_only is True
    stage.apply(off, allows=(Allow("irreversible", None, "the trial is over"),))
    assert stage.engine.switches().switches.free_tokens_only_ended is True


def test_looking_and_checking_make_no_writing_call(stage: Stage) -> None:
    asked = stage.asked(activation("a"), limit("a", 5))
    report = stage.look(asked)
    assert len(report.plan.changes) == 2
    assert stage.platform.writes == []
    assert not stage.ledger.history("default").exists


# What is remembered.


def test_what_was_before_the_first_write_is_the_baseline_for_good(stage: Stage) -> None:
    stage.engine.set_override("ep-1", 7, None)
    for rpm in (60, 70):
        stage.apply(override("ep-1", rpm=rpm))
    kept = stage.ledger.history("default").records[Target("EndpointRateOverride", "ep-1")]
    assert kept.baseline == {"rpm": 7, "tpm": None}
    assert kept.applied == {"rpm": 70}
    assert (kept.owner, kept.deletion_policy) == ("EndpointRateOverride/ep-1", "Revert")


def test_what_is_as_declared_already_is_adopted_without_a_write(stage: Stage) -> None:
    stage.engine.activate("a")
    declared = activation("a", annotations={"modelpolicy.dev/protect": "true"})
    report = stage.apply(declared)
    assert (stage.platform.writes, report.plan.changes) == ([], ())
    kept = stage.ledger.history("default").records[target(declared)]
    was = {"state": "Activated", "subServices": ()}
    assert (kept.owner, kept.baseline, kept.applied) == ("ModelActivation/a", was, {"state": "Activated"})
    assert (kept.protected, kept.equal_at) == (True, stage.now)
    assert kept.source == "policies/a.yaml"


def test_seen_equal_is_renewed_once_an_hour_and_not_before(stage: Stage) -> None:
    stage.apply(activation("a"))
    first = stage.now
    for minutes in (10, 49):
        stage.forward(minutes=minutes)
        stage.apply(activation("a"))
        assert record(stage, activation("a")).equal_at == first
    stage.forward(minutes=1)
    stage.apply(activation("a"))
    assert record(stage, activation("a")).equal_at == stage.now


def test_an_observed_item_is_neither_written_nor_ours(stage: Stage) -> None:
    stage.engine.activate("a")
    stage.apply(activation("a", management="Observe"), activation("b", management="Observe"))
    assert stage.platform.writes == []
    assert not stage.ledger.history("default").records


def test_an_item_that_another_team_s_living_declaration_owns_is_not_taken_over(stage: Stage) -> None:
    stage.apply(activation("a"), under=("policies",))
    stage.apply(activation("a", name="theirs"), under=("elsewhere",))
    assert record(stage, activation("a")).owner == "ModelActivation/a"
    stage.apply(activation("a", name="renamed"), under=("policies",))
    assert record(stage, activation("a")).owner == "ModelActivation/renamed"


def test_prune_reverts_to_the_baseline_and_gives_the_item_back(stage: Stage) -> None:
    stage.engine.set_override("ep-1", 7, None)
    stage.apply(override("ep-1", rpm=60), activation("a"))
    stage.apply(activation("a"), prune=True, under=("policies",), allows=ALLOW_ALL)
    assert stage.engine.endpoint("ep-1").endpoints["ep-1"].override.rpm == 7
    assert record(stage, override("ep-1")).owner == ""
    stage.apply(activation("a"), prune=True, under=("policies",))
    assert stage.platform.done.count("set-override ep-1") == 2


def test_prune_of_what_is_retained_only_gives_it_back(stage: Stage) -> None:
    stage.apply(activation("a"), activation("b"))
    report = stage.apply(activation("b"), prune=True, under=("policies",))
    assert stage.platform.done == ["activate a", "activate b"]
    assert report.plan.releases[0].ends
    assert record(stage, activation("a")).owner == ""


def test_a_set_limit_is_remembered_with_its_time_and_renewal(stage: Stage) -> None:
    stage.apply(activation("a"), limit("a", 5, renewal="2026-11"))
    assert record(stage, limit("a")).set_at == stage.now
    stage.forward(hours=3)
    stage.apply(activation("a"), limit("a", 5, renewal="2026-12"))
    assert stage.platform.done.count("set-limit a") == 2
    assert (record(stage, limit("a")).set_at, record(stage, limit("a")).renewal) == (stage.now, "2026-12")


def test_a_full_ledger_stops_the_run_before_anything_unjournaled_is_written(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.errors import LedgerError
    from reconciler.ledger import journal

    def full(*_: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(journal.Pen, "intend", full)
    report = stage.apply(activation("a"))
    assert stage.platform.writes == []
    assert "the disk is full" in report.failures[0].message
    assert report.outcomes[0].result is Result.SKIPPED


# How it stands afterwards.


def test_a_pass_says_how_everything_stands_and_keeps_it(stage: Stage) -> None:
    report = stage.apply(activation("a"), limit("a", 5))
    ready = {each.address: each.condition(ConditionType.READY).status.value for each in report.statuses}
    assert ready["ModelActivation/a"] == ready["InferenceLimit/a"] == "True"
    kept = reconcile.previous_statuses(stage.ledger, "default")
    assert kept == {each.address: each for each in report.statuses}


# Plans that are carried out leave nothing to plan.

names = st.sampled_from(["a", "b", "c"])
activations = st.builds(
    lambda of, services: activation(of, sub_services=services),
    names, st.sampled_from([None, [], ["fast-infer"]]),
)  # fmt: skip
limits = st.builds(limit, names, st.integers(1, 10**12))
overrides = st.builds(
    lambda of, rpm, tpm: override(of, rpm=rpm, tpm=tpm), st.sampled_from(["ep-1", "ep-2"]),
    st.none() | st.integers(1, 1000), st.integers(1, 10**6),
)  # fmt: skip
sets = st.lists(st.one_of(activations, limits, overrides), max_size=6, unique_by=lambda each: each.address)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=sets, second=sets)
def test_what_was_applied_leaves_nothing_to_plan(first, second, tmp_path_factory) -> None:
    it = Stage(tmp_path_factory.mktemp("pass"))
    try:
        it.models("a", "b", "c")
        it.endpoints("ep-1", "ep-2", of="a")
        for chosen in (first, second):
            it.apply(*chosen, keep_going=True, prune=True, under=("policies",), allows=ALLOW_ALL)
            writes = len(it.platform.writes)
            again = it.apply(*chosen, keep_going=True, prune=True, under=("policies",), allows=ALLOW_ALL)
            assert again.plan.changes == ()
            assert len(it.platform.writes) == writes
            it.forward(hours=3)
    finally:
        it.close()


# Killed at any moment.

CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from builders import activation, limit, override
    from reconciler.ledger import journal, store
    from stage import Recorder, Stage

    calls = 0

    def dying(function, point):
        def call(*arguments, **named):
            count(point)
            result = function(*arguments, **named)
            count(point)
            return result
        return call

    def count(point):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def run(home, point, models):
        stage = Stage(home)
        for name in ("intend", "settle"):
            setattr(journal.Pen, name, dying(getattr(journal.Pen, name), point))
        for name in ("begin", "finish", "remember"):
            setattr(store.Store, name, dying(getattr(store.Store, name), point))
        stage.platform.write = dying(stage.platform.write, point)
        names = [f"m{number}" for number in range(models)]
        declared = [activation(name) for name in names]
        declared += [limit(name, 1000, renewal="first") for name in names]
        stage.apply(*declared, override("ep-1", rpm=60))

    home, models = Path(sys.argv[1]), int(sys.argv[3])
    if models > 1:
        run(home, 0, models)
        sys.exit()
    for point in range(1, 100):
        place = home / str(point)
        child = os.fork()
        if not child:
            seeded = Stage(place) if place.mkdir() is None else None
            seeded.models("m0")
            seeded.endpoints("ep-1", of="m0")
            seeded.close()
            run(place, point, 1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(point - 1, os.waitstatus_to_exitcode(status))
            break
    """
)


def _child(home: Path, models: int) -> subprocess.Popen[str]:
    tests = str(Path(__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), tests, str(models)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _assert_converges_with_a_complete_history(home: Path, models: int) -> None:
    """The same command again, later than any interval, writes only what is missing; no limit is set a second time."""
    stage = Stage(home)
    try:
        stage.forward(hours=3)
        set_at = {name: seen.limit for name, seen in stage.engine.snapshot().models.items() if seen.limit}
        declared = [activation(f"m{number}") for number in range(models)]
        declared += [limit(f"m{number}", 1000, renewal="first") for number in range(models)]
        declared += [override("ep-1", rpm=60)]
        report = stage.apply(*declared)
        assert {outcome.result for outcome in report.outcomes} <= {Result.APPLIED}
        after = stage.engine.snapshot()
        assert all(after.models[name].limit.effective_at == seen.effective_at for name, seen in set_at.items())
        assert stage.look(stage.asked(*declared)).plan.changes == ()
        history = stage.ledger.history("default")
        assert history.pending == ()
        assert set(history.records) == {target(each) for each in declared}
        assert all(kept.owner for kept in history.records.values())
        override_kept = history.records[Target("EndpointRateOverride", "ep-1")]
        assert override_kept.applied == {"rpm": 60}
        entries = [entry for run in stage.ledger.runs() for entry in stage.ledger.entries(run.id)]
        assert all(entry.result for entry in entries)
        applied = [entry.address for entry in entries if entry.result == "applied"]
        assert sorted(applied) == sorted(each.address for each in declared)
    finally:
        stage.close()


@pytest.mark.timeout(240)  # it starts and kills many processes
def test_a_run_killed_at_any_point_is_finished_by_the_same_command(tmp_path: Path) -> None:
    """Before and after each write of the journal and of the platform, one after the other."""
    out, said = _child(tmp_path, 1).communicate()
    points, ended = map(int, out.split())
    assert ended == 0, said
    assert points == 2 * (len(("begin", "remember", "finish")) + 3 * len(("intend", "write", "settle")))
    for point in range(1, points + 1):
        _assert_converges_with_a_complete_history(tmp_path / str(point), 1)


def test_a_run_killed_at_a_random_moment_is_finished_by_the_same_command(tmp_path: Path) -> None:
    seeded = Stage(tmp_path)
    seeded.models(*(f"m{number}" for number in range(150)))
    seeded.endpoints("ep-1", of="m0")
    seeded.close()
    child = _child(tmp_path, 150)
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    until = time.monotonic() + 20
    while not ledger.history("default").pending and child.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(random.random() * 0.1)
    child.kill()
    child.communicate()
    ledger.close()
    _assert_converges_with_a_complete_history(tmp_path, 150)


# What the platform cannot show.


class Blind(Recorder):
    """A platform that takes limits and never shows them."""

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        return self._hidden(super().observe(limited_models))

    def read(self, target: Target) -> Snapshot:
        return self._hidden(super().read(target))

    @staticmethod
    def _hidden(seen: Snapshot) -> Snapshot:
        return replace(seen, models={name: replace(model, limit=UNOBSERVABLE) for name, model in seen.models.items()})


def test_a_write_that_the_platform_can_never_show_is_not_repeated_and_is_not_called_proved(stage: Stage) -> None:
    stage.platform = Blind(stage.engine)
    wanted = (activation("a"), limit("a", 500_000))
    first = stage.apply(*wanted)
    assert [(each.result, each.confirmed) for each in first.outcomes][-1] == (Result.APPLIED, False)
    stage.forward(hours=3)
    later = stage.look(stage.asked(*wanted))
    assert later.plan.changes == ()
    status = next(each for each in later.statuses if each.address == "InferenceLimit/a")
    programmed = status.condition(ConditionType.PROGRAMMED)
    assert programmed is not None
    assert (programmed.status.value, programmed.reason) == ("Unknown", Reason.WRITE_UNCONFIRMED)
    assert "attest" in programmed.message
    again = stage.look(stage.asked(activation("a"), limit("a", 900_000)))
    assert [change.address for change in again.plan.changes] == ["InferenceLimit/a"]
