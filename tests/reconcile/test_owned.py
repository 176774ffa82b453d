"""Whose an item is, when it was set and whether it is still due: over whole passes on the embedded platform."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from builders import activation, declared, limit, override, target
from stage import Recorder, Stage

from reconciler import reconcile
from reconciler.errors import Transient, Unsupported
from reconciler.guards import Allow
from reconciler.identity import Identity
from reconciler.plan.drift import drifts
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import (
    Capability,
    Operation,
    Record,
    Result,
    Snapshot,
    Support,
    Write,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    it.models("a", "b")
    it.endpoints("ep-1", "ep-2", of="a")
    yield it
    it.close()


def kept(stage: Stage, of: object) -> Record:
    return stage.ledger.history("default").records[target(of)]  # type: ignore[arg-type]


def pruned(stage: Stage, *left: object, **flags: object) -> Report:
    return stage.apply(*left, prune=True, under=("policies",), allows=(
        Allow("kind-wipe", None, "meant"), Allow("source-empty", None, "meant"), Allow("mass-revert", None, "meant")), **flags)  # type: ignore[arg-type]  # fmt: skip


def done(stage: Stage) -> list[str]:
    found, stage.platform.writes[:] = stage.platform.done, []
    return found


# Items are owned, not changes.


class ByHand(Recorder):
    """Clearing an override is done by a person, as on Ark."""

    def capabilities(self) -> dict[Operation, Support]:
        return {
            **super().capabilities(),
            Operation.CLEAR_OVERRIDE: Support(Capability.MANUAL, "https://console.example"),
        }

    def write(self, write: Write) -> None:
        if write.operation is Operation.CLEAR_OVERRIDE:
            raise Unsupported("by hand", how_to="by hand")
        super().write(write)


def test_an_item_is_ours_until_every_field_of_it_is_back(stage: Stage) -> None:
    stage.platform = ByHand(stage.engine)
    stage.engine.set_override("ep-1", 8, None)
    mine, other = override("ep-1", rpm=200, tpm=2000), override("ep-2", rpm=5)
    stage.apply(activation("a"), mine, other)
    stage.forward(seconds=1)
    pruned(stage, activation("a"), other)
    record = kept(stage, mine)
    assert (record.owner, record.reverting, record.baseline) == (mine.address, True, {"rpm": 8, "tpm": None})
    again = pruned(stage, activation("a"), other)
    (left,) = again.plan.changes
    assert (left.capability, [(f.path, f.before, f.after) for f in left.fields]) == (
        Capability.MANUAL,
        [("tpm", 2000, None)],
    )
    assert any(found.rule == "revert-unfinished" and "tpm 2000 is left" in found.message for found in again.findings)
    assert [run.result for run in stage.ledger.runs()][:2] == ["waiting", "converged"]
    stage.engine.set_override("ep-1", 8, None)  # the person did it
    last = pruned(stage, activation("a"), other)
    assert (last.plan.changes, kept(stage, mine).owner) == ((), "")


def test_a_revert_killed_between_its_two_steps_is_finished_by_the_next_run(stage: Stage) -> None:
    stage.engine.set_override("ep-1", 8, None)
    mine, other = override("ep-1", rpm=200, tpm=2000), override("ep-2", rpm=5)
    stage.apply(activation("a"), mine, other)
    stage.platform.before["clear-override"] = [Transient("killed")] * 3
    pruned(stage, activation("a"), other)
    assert kept(stage, mine).owner == mine.address
    pruned(stage, activation("a"), other)
    assert stage.platform.observe(frozenset()).endpoints["ep-1"].override.rpm == 8  # type: ignore[union-attr]
    assert stage.platform.observe(frozenset()).endpoints["ep-1"].override.tpm is None  # type: ignore[union-attr]
    assert kept(stage, mine).owner == ""


def test_a_declaration_that_comes_back_adopts_what_equals_it_without_a_write(stage: Stage) -> None:
    mine = limit("a", 50, renewal="2026-11")
    stage.apply(activation("a"), mine)
    pruned(stage, activation("a"))
    assert kept(stage, mine).owner == ""
    done(stage)
    report = stage.apply(activation("a"), mine)
    assert (report.plan.changes, done(stage), kept(stage, mine).owner) == ((), [], mine.address)
    pruned(stage, activation("a"))
    stage.forward(hours=3)
    assert [
        change.renewal for change in stage.apply(activation("a"), limit("a", 50, renewal="2026-12")).plan.changes
    ] == ["2026-12"]


def test_an_adopted_item_goes_back_to_what_it_was_when_it_was_adopted(stage: Stage) -> None:
    stage.engine.set_override("ep-1", 10, 20)
    stage.apply(activation("a"), override("ep-1", rpm=10), override("ep-2", rpm=1))
    stage.apply(activation("a"), override("ep-1", rpm=99), override("ep-2", rpm=1))
    pruned(stage, activation("a"), override("ep-2", rpm=1))
    back = stage.platform.observe(frozenset()).endpoints["ep-1"].override
    assert (back.rpm, back.tpm) == (10, 20)  # type: ignore[union-attr]


def test_a_removal_that_loosens_a_cap_says_so_and_the_summary_counts_what_is_released(stage: Stage) -> None:
    stage.engine.set_override("ep-1", 600, None)
    stage.apply(activation("a"), override("ep-1", rpm=100), limit("a", 50), override("ep-2", rpm=1))
    asked = stage.asked(activation("a"), override("ep-2", rpm=1), prune=True, under=("policies",))
    plan = stage.look(asked).plan
    (change,) = plan.changes
    assert "this loosens a cap, so spend may rise: rpm 100 -> 600" in change.notes
    assert plan.released == 1


# The account.


def test_another_account_under_a_known_name_is_an_error_and_nothing_remembered_is_used(
    stage: Stage, tmp_path: Path
) -> None:
    stage.engine.set_override("ep-1", 8, 9)
    mine, other = override("ep-1", rpm=200, tpm=2000), override("ep-2", rpm=5)
    stage.apply(activation("a"), mine, other)
    assert stage.ledger.history("default").identity == stage.platform.observe(frozenset()).identity
    records = stage.ledger.history("default").records
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Stage(tmp_path / "elsewhere")
    with closing(elsewhere):
        elsewhere.models("a", "b")
        elsewhere.endpoints("ep-1", "ep-2", of="a")
        elsewhere.engine.set_override("ep-1", 70, 80)
        elsewhere.ledger.close()
        elsewhere.ledger = stage.ledger
        for keep_going in (False, True):
            report = pruned(elsewhere, activation("a"), other, keep_going=keep_going)
            assert [found.rule for found in report.findings if found.severity.value == "error"] == ["account-changed"]
            assert (elsewhere.platform.writes, report.plan.changes) == ([], ())
            assert all(not release.ends for release in report.plan.releases)
        assert stage.ledger.history("default").records == records
        assert [status.condition("Accepted").reason for status in report.statuses if status.kind == "PlatformAccount"] in (  # type: ignore[union-attr,arg-type]
            [Reason.ACCOUNT_CHANGED], [],
        )  # fmt: skip
    back = stage.apply(activation("a"), mine, other)
    assert (back.plan.changes, back.findings) == ((), ())


class Unread(Recorder):
    """A platform whose account id cannot be read, behind a key."""

    key = "k1"

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        return replace(
            super().observe(limited_models), identity=Identity(platform="ark", scope="r/p", at="h", key=self.key)
        )


def test_with_another_key_and_no_id_nothing_is_taken_back_until_the_account_is_proven(stage: Stage) -> None:
    stage.platform = Unread(stage.engine)
    mine, other = override("ep-1", rpm=200), override("ep-2", rpm=5)
    stage.apply(activation("a"), mine, other)
    stage.platform.key = "k2"
    report = pruned(stage, activation("a"), override("ep-2", rpm=6))
    assert [(found.rule, found.severity.value) for found in report.findings if found.rule.startswith("account")] == [
        ("account-unproven", "warning")
    ]
    assert done(stage)[-1:] == ["set-override ep-2"], "what is declared is still carried out"
    assert kept(stage, mine).owner == mine.address
    assert stage.ledger.history("default").identity == Identity(platform="ark", scope="r/p", at="h", key="k1")
    stage.platform.key = "k1"
    pruned(stage, activation("a"), override("ep-2", rpm=6))
    assert kept(stage, mine).owner == ""


# Overtaken plans.


class Lenient(Recorder):
    """A platform that does not itself enforce the two hours between two settings of a limit."""

    def write(self, write: Write) -> None:
        if write.operation is Operation.SET_LIMIT:
            with self.engine.store.write() as tx:
                tx.run("UPDATE models SET limit_set_at = NULL WHERE name = ?", write.target.name)
        super().write(write)


@pytest.mark.parametrize("platform", [Recorder, Lenient])
def test_a_plan_that_was_overtaken_never_sets_a_limit_again(stage: Stage, platform: type[Recorder]) -> None:
    first, then = limit("a", 1000, renewal="one"), limit("a", 1000, renewal="two")
    stage.apply(activation("a"), first)
    stage.forward(hours=3)
    stage.platform = platform(stage.engine)
    asked = stage.asked(activation("a"), then)
    waiting, other = stage.look(asked), stage.look(asked)
    assert [change.renewal for change in waiting.plan.changes] == ["two"]
    stage.act(asked, other)
    assert done(stage) == ["set-limit a"]
    stage.forward(hours=3)
    late = stage.act(asked, waiting)
    assert (done(stage), [outcome.stale for outcome in late.outcomes]) == ([], [True])
    assert "another run wrote to the item" in late.outcomes[0].message


def test_a_declaration_that_expires_while_the_prompt_waits_is_not_carried_out(stage: Stage) -> None:
    mine = override("ep-1", rpm=5, expires_at=stage.now + HOUR)
    asked = stage.asked(activation("a"), mine)
    report = stage.look(asked)
    stage.forward(hours=2)
    late = stage.act(asked, report)
    assert "set-override ep-1" not in done(stage)
    assert [outcome.stale for outcome in late.outcomes if outcome.address == mine.address] == [True]


# Clocks.


def test_a_moment_ahead_of_the_clock_counts_as_now_and_is_put_right_once(stage: Stage) -> None:
    stage.platform = Lenient(stage.engine)
    stage.forward(days=400)
    stage.apply(activation("a"), limit("a", 10))
    stage.forward(days=-400)
    stage.engine.remove_limit("a")
    report = stage.apply(activation("a"), limit("a", 10))
    assert [found.rule for found in report.findings if found.severity.value == "warning"][:1] == ["clock-was-ahead"]
    assert kept(stage, limit("a", 10)).set_at == stage.now
    stage.forward(hours=1)
    assert [each.result for each in stage.apply(activation("a"), limit("a", 10)).outcomes] == [Result.DEFERRED]
    stage.forward(hours=1, minutes=1)
    assert [each.result for each in stage.apply(activation("a"), limit("a", 10)).outcomes] == [Result.APPLIED]


def test_a_set_that_was_never_settled_counts_from_when_it_was_begun(stage: Stage) -> None:
    mine = limit("a", 10)
    stage.apply(activation("a"))
    begun = stage.now
    stage.platform.after["set-limit"] = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        stage.apply(activation("a"), mine)
    stage.engine.remove_limit("a")  # a person
    stage.forward(minutes=30)
    report = stage.apply(activation("a"), mine)
    assert [(each.result, each.not_before) for each in report.outcomes] == [(Result.DEFERRED, begun + 2 * HOUR)]


def test_a_set_that_the_platform_refused_is_not_tried_before_it_said(stage: Stage) -> None:
    stage.apply(activation("a"))
    until = stage.now + timedelta(minutes=90)
    stage.platform.before["set-limit"] = [
        Transient("too soon", reason=Reason.COOLING_DOWN, retry_after_s=5400.0) for _ in range(9)
    ]
    stage.apply(activation("a"), limit("a", 10))
    assert kept(stage, limit("a", 10)).refused_until == until
    done(stage)
    runs = len(stage.ledger.runs())
    stage.forward(minutes=30)
    report = stage.apply(activation("a"), limit("a", 10))
    assert [(each.result, each.not_before) for each in report.outcomes] == [(Result.DEFERRED, until)]
    assert (done(stage), len(stage.ledger.runs())) == ([], runs)


# Two sides that do not know of each other.


def test_two_ledgers_on_one_account_end_in_contested_and_not_in_a_fight(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    other = Stage(tmp_path / "two")
    other.engine.close()
    other.engine, other.platform = stage.engine, Recorder(stage.engine)
    first, second = override("ep-1", rpm=100), override("ep-1", rpm=200, name="theirs")
    writes = 0
    for _ in range(10):
        for each, mine in ((stage, first), (other, second)):
            report = each.apply(activation("a"), mine, keep_going=True)
            writes += len(done(each))
            each.forward(hours=1)
    assert writes <= 7, "the activation, one first write each, and two corrections each"
    assert any(
        verdict.id == "contested" and verdict.verdict.value == "refused" for verdict in report.plan.guards
    ) or any(
        verdict.id == "contested" and verdict.verdict.value == "refused"
        for verdict in stage.apply(activation("a"), first, keep_going=True).plan.guards
    )
    allowed = stage.apply(activation("a"), first, allows=(Allow("contested", first.address, "ours"),))
    assert [each.result for each in allowed.outcomes] == [Result.APPLIED]
    other.ledger.close()


def test_one_change_by_hand_is_put_right_and_is_no_contest(stage: Stage) -> None:
    mine = override("ep-1", rpm=100)
    stage.apply(activation("a"), mine)
    for rpm in (7, 8):
        stage.engine.set_override("ep-1", rpm, None)
        stage.forward(days=5)
        report = stage.apply(activation("a"), mine)
        assert [each.result for each in report.outcomes] == [Result.APPLIED]
    assert (
        drifts(
            declared(activation("a"), mine),
            stage.platform.observe(frozenset()),
            stage.ledger.history("default"),
            stage.now,
        )
        == ()
    )


def test_what_is_not_a_write_does_not_touch_the_ledger_for_the_account(stage: Stage) -> None:
    asked = stage.asked()
    reconcile.act(stage.look(asked), asked, stage.platform, stage.ledger, stage.acting())
    assert not stage.ledger.history("default").exists
