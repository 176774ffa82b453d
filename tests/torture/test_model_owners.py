"""Model-based: declaration sets that share a ledger, another ledger, accounts that are repointed, plans carried out late and
clocks that jump, in any order. Whose an item is and when a limit was set is never got wrong."""

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, declared, limit, override
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from stage import Recorder
from torture.conftest import Effort

from reconciler import reconcile, releasing
from reconciler.errors import Transient
from reconciler.guards import GUARDS, Allow
from reconciler.kinds import Resource
from reconciler.kinds.declared import DeclarationSet
from reconciler.ledger import Ledger, open_ledger
from reconciler.platforms import ReadOnly
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.report import Report
from reconciler.state import Operation, Record, Target, Write

MODELS, ENDPOINTS = ("a",), {"ep-1": "a"}  # few items, so that everybody meets on them
ALLOWS = tuple(Allow(guard, None, "meant") for guard in GUARDS if guard not in ("foreign-owner", "contested"))
SETS = ("one", "two", "apart")  # the first two share a ledger
sets = st.sampled_from(SETS)
policies = st.one_of(
    st.builds(lambda of, tokens, renewal: limit(of, tokens, renewal=renewal, deletion_policy="Revert"),
              st.sampled_from(MODELS), st.integers(1, 3), st.none() | st.sampled_from(["x", "y"])),
    st.builds(lambda of, rpm, tpm: override(of, rpm=rpm, tpm=tpm), st.sampled_from(sorted(ENDPOINTS)),
              st.none() | st.integers(1, 3), st.integers(1, 3)),
)  # fmt: skip


@dataclass
class Actor:
    """Who acts: a set, its ledger, and what it declares."""

    name: str
    ledger: Ledger
    resources: dict[str, Resource[Any]] = field(default_factory=dict)

    def record(self, target: Target) -> Record:
        return self.ledger.history("default").records.get(target) or Record(target=target)


class Judged(Recorder):
    """The embedded platform, which does not itself enforce two hours here; each write is judged before it happens."""

    machine: "Machine"
    actor: Actor

    def write(self, write: Write) -> None:
        self.machine.judge(self.actor, self.engine, write)
        if write.operation is Operation.SET_LIMIT:
            with self.engine.store.write() as tx:
                tx.run("UPDATE models SET limit_set_at = NULL WHERE name = ?", write.target.name)
        super().write(write)
        self.machine.happened(self.actor, self.engine, write)


class Machine(RuleBasedStateMachine):
    """Three sets on one account name, two of them on one ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="torture-owners-"))
        self.now: datetime = NOW
        self.engines = [open_engine(self.home / f"{name}.db", lambda: self.now) for name in ("here", "elsewhere")]
        for engine in self.engines:
            models = tuple(ModelEntry(name=name, columns={"domain": "LLM"}) for name in MODELS)
            endpoints = tuple(
                EndpointEntry(id=id_, columns={"name": id_, "model": of}) for id_, of in ENDPOINTS.items()
            )
            with engine.store.write() as tx:
                put(tx, Contents(models=models, endpoints=endpoints, account={}), engine.now())
            for name in MODELS:
                engine.activate(name)
        shared, other = (open_ledger(str(self.home / name)) for name in ("shared.db", "other.db"))
        self.actors = {name: Actor(name, other if name == "apart" else shared) for name in SETS}
        self.kept: list[tuple[Actor, reconcile.Asked, Report]] = []
        self.sets: dict[
            tuple[int, str], tuple[Any, Any]
        ] = {}  # (platform, model): the wish it was set for, what that left
        self.trouble: list[str] = []

    def teardown(self) -> None:
        try:
            self.two_ledgers_end_in_contested()
        finally:
            self._close()

    def _close(self) -> None:
        for engine in self.engines:
            engine.close()
        for ledger in {id(actor.ledger): actor.ledger for actor in self.actors.values()}.values():
            ledger.close()
        shutil.rmtree(self.home)

    # What we do, judged.

    def judge(self, actor: Actor, engine: Engine, write: Write) -> None:
        history = actor.ledger.history("default")
        seen = engine.snapshot()
        assert history.identity in (None, seen.identity), f"{write}: of another account than is remembered"
        record = actor.record(write.target)
        assert not record.owner or record.set_name == actor.name, f"{write} by {actor.name}: owned by {record.set_name}"
        if write.operation is Operation.SET_LIMIT:
            live = seen.models[write.target.name].limit
            left = self.sets.get((self.engines.index(engine), write.target.name))
            wish = self._wish(actor, write)
            assert left is None or left != (wish, live), f"{write}: set again for one wish, {wish}"

    def happened(self, actor: Actor, engine: Engine, write: Write) -> None:
        if write.operation is Operation.SET_LIMIT:
            left = engine.snapshot().models[write.target.name].limit
            self.sets[self.engines.index(engine), write.target.name] = (self._wish(actor, write), left)

    @staticmethod
    def _wish(actor: Actor, write: Write) -> Any:
        declared = (each for each in actor.resources.values() if each.kind == "InferenceLimit")
        renewals = {each.spec.renewal for each in declared if each.spec.model == write.target.name}
        return actor.ledger, write.arguments["tokens"], renewals.pop() if renewals else "revert"

    def _asked(self, actor: Actor) -> reconcile.Asked:
        everything = declared(*actor.resources.values())
        return reconcile.Asked(
            account="default", everything=everything, prune=True, keep_going=True, allows=ALLOWS,
            declaration_set=DeclarationSet(name=actor.name, under=("policies",)),
        )  # fmt: skip

    def _platform(self, actor: Actor, engine: Engine) -> Judged:
        platform = Judged(engine)
        platform.machine, platform.actor = self, actor
        for word in self.trouble:
            platform.after[word] = [Transient("no answer")]
        self.trouble = []
        return platform

    def _look(self, actor: Actor, engine: Engine) -> Report:
        asked = self._asked(actor)
        return reconcile.look(asked, ReadOnly(Recorder(engine)), actor.ledger.history("default"), {}, self.now)

    def _act(self, actor: Actor, engine: Engine, asked: reconcile.Asked, report: Report) -> Report:
        acting = reconcile.Acting(
            operation="apply", actor="ada", clock=lambda: self.now, stop=lambda: False, sleep=lambda _: None,
            progress=lambda _: None,
        )  # fmt: skip
        return reconcile.act(report, asked, self._platform(actor, engine), actor.ledger, acting)

    def _pass(self, actor: Actor, engine: Engine | None = None) -> Report:
        engine = engine or self.engines[0]
        return self._act(actor, engine, self._asked(actor), self._look(actor, engine))

    # What may happen, in any order.

    @initialize(chosen=st.lists(st.tuples(sets, policies), min_size=2, max_size=5))
    def begin(self, chosen: list[tuple[str, Resource[Any]]]) -> None:
        for name, policy in chosen:
            self.actors[name].resources[policy.address] = policy

    @rule(name=sets, policy=policies)
    def declare(self, name: str, policy: Resource[Any]) -> None:
        self.actors[name].resources[policy.address] = policy

    @rule(name=sets, policy=policies)
    def edit_and_apply(self, name: str, policy: Resource[Any]) -> None:
        self.declare(name, policy)
        self._pass(self.actors[name])

    @rule(name=sets, data=st.data())
    def withdraw_and_apply(self, name: str, data: st.DataObject) -> None:
        self.withdraw(name, data)
        self._pass(self.actors[name])

    @rule(name=sets, data=st.data())
    def withdraw(self, name: str, data: st.DataObject) -> None:
        known = self.actors[name].resources
        if known:
            del known[data.draw(st.sampled_from(sorted(known)))]

    @rule(name=sets)
    def apply(self, name: str) -> None:
        self._pass(self.actors[name])

    @rule(name=sets)
    def a_plan_is_made_and_kept(self, name: str) -> None:
        actor = self.actors[name]
        self.kept = [*self.kept[-3:], (actor, self._asked(actor), self._look(actor, self.engines[0]))]

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def a_kept_plan_is_carried_out(self, data: st.DataObject) -> None:
        actor, asked, report = self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))
        self._act(actor, self.engines[0], asked, report)

    @rule(name=sets)
    def the_account_is_repointed_for_a_pass(self, name: str) -> None:
        actor = self.actors[name]
        bound = actor.ledger.history("default").identity
        report = self._pass(actor, self.engines[1]) if bound is not None else None
        if report is not None:
            assert any(found.rule == "account-changed" for found in report.findings)
            assert report.outcomes == ()

    @rule(name=sets)
    def everything_is_away_for_a_look(self, name: str) -> None:
        """A look at nothing, which nobody carries out, changes nothing that is remembered."""
        actor = self.actors[name]
        before = dict(actor.ledger.history("default").records)
        mine, actor.resources = actor.resources, {}
        self._look(actor, self.engines[0])
        actor.resources = mine
        assert actor.ledger.history("default").records == before

    @rule(name=sets, data=st.data())
    def release(self, name: str, data: st.DataObject) -> None:
        actor = self.actors[name]
        owners = sorted(
            each.owner
            for each in actor.ledger.history("default").records.values()
            if each.set_name == name and each.owner
        )
        if not owners:
            return
        address = data.draw(st.sampled_from(owners))
        wanted = releasing.Handover(
            addresses=(address,), declaration_set=DeclarationSet(name=name), actor="ada", reason="", revision="", link="",
            now=self.now,
        )  # fmt: skip
        everything = self._asked(actor).everything
        if any(each.address == address for each in everything.resources):
            with pytest.raises(releasing.CannotRelease):
                releasing.release("default", everything, wanted, actor.ledger)
        else:
            releasing.release("default", everything, wanted, actor.ledger)

    @rule(id_=st.sampled_from(sorted(ENDPOINTS)), rpm=st.none() | st.integers(10, 19), tpm=st.integers(10, 19))
    def a_hand_in_the_console(self, id_: str, rpm: int | None, tpm: int) -> None:
        self.engines[0].set_override(id_, rpm, tpm)

    @rule(name=st.sampled_from(MODELS))
    def a_hand_removes_a_limit(self, name: str) -> None:
        self.engines[0].remove_limit(name)

    @rule(minutes=st.sampled_from([1, 59, 119, 121, 600]))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(name=sets, days=st.sampled_from([1, 400]))
    def a_clock_is_ahead_for_one_apply(self, name: str, days: int) -> None:
        self.now += timedelta(days=days)
        self._pass(self.actors[name])
        self.now -= timedelta(days=days)
        for engine in self.engines:  # the platform's own clock was never wrong
            with engine.store.write() as tx:
                tx.run(
                    "UPDATE models SET limit_effective_at = ? WHERE limit_effective_at > ?", engine.now(), engine.now()
                )
        self.sets.clear()

    @rule(operation=st.sampled_from(["set-limit", "set-override", "clear-override"]))
    def an_answer_is_lost(self, operation: str) -> None:
        self.trouble = [operation]

    def two_ledgers_end_in_contested(self) -> None:
        """Nothing is edited any more: whoever shares an item with another ledger stops writing it within a few passes."""
        for _ in range(8):
            for name in SETS:
                self._pass(self.actors[name])
                self.now += timedelta(hours=2, minutes=1)
        writes = 0
        for name in SETS:
            writes += sum(outcome.result.value == "applied" for outcome in self._pass(self.actors[name]).outcomes)
        assert writes == 0


@pytest.mark.timeout(1200)
def test_whose_an_item_is_and_when_it_was_set_is_never_got_wrong(effort: Effort) -> None:
    steps = effort.pick(20, 50)
    examples = effort.pick(12, 400)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=not effort.long, report_multiple_bugs=False, phases=[Phase.generate],
        ),
    )  # fmt: skip
    effort.tried(examples)
