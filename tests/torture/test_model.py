"""Model-based: declarations, hands in the console, use, time, faults, kills and restarts in any order, beside a reference model."""

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from builders import account, activation, limit, override, target
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from stage import Recorder, Stage
from torture.conftest import Effort
from torture.reference import INTERVAL_S, Model, World

from reconciler.errors import Transient
from reconciler.finding import Location, errors
from reconciler.guards import GUARDS, Allow
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared, Held
from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.refusals import Refusal
from reconciler.report import Report
from reconciler.state import ActivationState, Operation, Target, Write

MODELS = ("a", "b", "by-invitation")
ENDPOINTS = {"ep-1": "a", "ep-2": "a", "ep-3": "b"}
ALLOW_ALL = tuple(Allow(guard, None, "meant") for guard in GUARDS)
names, endpoints = st.sampled_from(MODELS), st.sampled_from(sorted(ENDPOINTS))
rates = st.none() | st.integers(1, 100)
services = st.sampled_from(["context-cache", "fast-infer"])
management = st.sampled_from(["Manage", "Manage", "Manage", "Observe"])
activations = st.builds(
    lambda of, state, wanted, how: activation(of, state=state, sub_services=wanted, management=how),
    names, st.sampled_from(["Activated", "Activated", "NotActivated"]),
    st.none() | st.lists(services, unique=True, max_size=2), management,
).filter(lambda each: each.spec.state == "Activated" or not each.spec.sub_services)  # fmt: skip
limits = st.builds(
    lambda of, tokens, renewal, how: limit(of, tokens, renewal=renewal, management=how),
    names, st.integers(1, 2000), st.none() | st.sampled_from(["one", "two"]), management,
)  # fmt: skip
overrides = st.builds(
    lambda of, rpm, tpm, how: override(of, rpm=rpm, tpm=tpm, management=how),
    endpoints,
    rates,
    st.integers(1, 100),
    management,
)
FAULTS = ("before", "after", "read", "kill before", "kill after")


class Killed(BaseException):
    """As SIGKILL: nothing of ours runs after it."""


class Judged(Recorder):
    """The embedded platform with the reference model beside it: each write of ours is judged before it happens."""

    machine: "Machine"

    def write(self, write: Write) -> None:
        self.machine.judge(write)
        kill = self.machine.kill.pop(0) if self.machine.kill else ""
        if kill == "kill before":
            raise Killed
        lost = bool(self.before.get(write.operation.value))
        try:
            super().write(write)
        except Transient:
            if lost:
                raise  # refused on the way in: it did not happen
            self.machine.happened(write)
            raise
        self.machine.happened(write)
        if kill:
            raise Killed


class Machine(RuleBasedStateMachine):
    """One account's life."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="torture-model-"))
        self.stage = Stage(self.home)
        self.stage.models("a", "b", free_total=0)
        self.stage.models("by-invitation", free_total=0, invite_only=1)
        for id_, of in ENDPOINTS.items():
            self.stage.endpoints(id_, of=of)
        self.world = World(
            {name: Model(invited=name == "by-invitation") for name in MODELS}, dict.fromkeys(ENDPOINTS, (None, None))
        )
        self.resources: dict[str, Resource[Any]] = {}
        self.held: set[str] = set()
        self.kill: list[str] = []
        self.may_touch: frozenset[Target] = frozenset()
        self._dress()

    def _dress(self) -> None:
        platform = Judged(self.stage.engine)
        platform.machine = self
        self.stage.platform = platform

    def teardown(self) -> None:
        self.stage.close()
        shutil.rmtree(self.home)

    # What we do, judged.

    @property
    def now_s(self) -> int:
        return int(self.stage.now.timestamp())

    def judge(self, write: Write) -> None:
        """The write must be of an item that is ours to touch, and one that no rule forbids as far as anybody can know."""
        assert write.target in self.may_touch, f"{write} touches what is not ours, or held"
        name = write.target.name
        if write.operation is Operation.SET_LIMIT:
            assert not self.world.too_early_to_try(name, self.now_s), f"{write}: S21"
            model = self.world.models[name]
            kept, model.set_s = model.set_s, None  # what only the platform knows may be tried: its refusal defers it
            before = (model.limit, model.used, model.effective_s, list(self.world.sets.get(name, ())))
            said = self.world.set_limit(name, 1, self.now_s)
            model.limit, model.used, model.effective_s = before[:3]
            self.world.sets[name] = before[3]
            model.set_s = kept
            assert not said, f"{write}: {said}"
        if write.operation is Operation.ACTIVATE:
            assert not self.world.models[name].invited, f"{write}: S8"
        if write.operation is Operation.DEACTIVATE:
            assert self.world.models[name].limit is None, f"{write}: S25"
        if write.operation is Operation.ADD_SUB_SERVICE:
            assert self.world.models[name].activated, f"{write}: S2"
            if write.arguments["subService"] == "context-cache":
                assert self.world.models[name].limit is None, f"{write}: S23"

    def happened(self, write: Write) -> None:
        """The platform took the write: the reference model takes it too, or one of the two is wrong."""
        name, values = write.target.name, write.arguments
        said = ""
        match write.operation:
            case Operation.ACTIVATE:
                said = self.world.activate(name)
            case Operation.DEACTIVATE:
                said = self.world.deactivate(name)
            case Operation.ADD_SUB_SERVICE:
                said = self.world.add_service(name, str(values["subService"]))
            case Operation.DROP_SUB_SERVICE:
                said = self.world.drop_service(name, str(values["subService"]))
            case Operation.SET_LIMIT:
                said = self.world.set_limit(name, int(values["tokens"]), self.now_s)  # type: ignore[call-overload]
                self.world.models[name].ours_s = self.now_s
            case Operation.REMOVE_LIMIT:
                said = self.world.remove_limit(name)
                self.world.models[name].ours_s = self.now_s
            case Operation.SET_OVERRIDE | Operation.CLEAR_OVERRIDE:
                said = self.world.override(name, values.get("rpm"), values.get("tpm"))  # type: ignore[arg-type]
        assert not said, f"the platform took {write}, which {said} forbids"

    def declared(self) -> Declared:
        kept = tuple(each for address, each in sorted(self.resources.items()) if address not in self.held)
        held = tuple(
            Held(Location(f"policies/{each.name}.yaml", 1, 1), each.kind, each.name, target(each).name)
            for address, each in sorted(self.resources.items()) if address in self.held
        )  # fmt: skip
        return Declared((account(), *kept), held=held)

    def one_pass(self) -> Report | None:
        owned = {kept for kept, record in self.stage.ledger.history("default").records.items() if record.owner}
        pending = {each.hoped.target for each in self.stage.ledger.history("default").pending}
        held = {target(self.resources[address]) for address in self.held}
        watched = {target(each) for each in self.resources.values() if each.spec.management == "Observe"}
        ours = {target(each) for each in self.resources.values()} | owned | pending
        self.may_touch = frozenset(ours - held - watched)
        asked = self.stage.asked(self.declared(), prune=True, under=("policies",), keep_going=True, allows=ALLOW_ALL)
        try:
            return self.stage.act(asked)
        except Killed:
            self.restart()
            return None

    # What may happen, in any order.

    @initialize(chosen=st.lists(activations | limits | overrides, max_size=5))
    def begin(self, chosen: list[Resource[Any]]) -> None:
        self.resources = {each.address: each for each in chosen}

    @rule(each=activations | limits | overrides)
    def declare(self, each: Resource[Any]) -> None:
        self.resources[each.address] = each

    @precondition(lambda self: self.resources)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(sorted(self.resources)))
        del self.resources[gone]
        self.held.discard(gone)

    @precondition(lambda self: self.resources)
    @rule(data=st.data())
    def break_or_mend_a_document(self, data: st.DataObject) -> None:
        self.held ^= {data.draw(st.sampled_from(sorted(self.resources)))}

    @rule(name=names, on=st.booleans())
    def console_switches(self, name: str, on: bool) -> None:
        engine, world = self.stage.engine, self.world
        self._both(lambda: (engine.activate if on else engine.deactivate)(name),
                   lambda: (world.activate if on else world.deactivate)(name))  # fmt: skip

    @rule(name=names, service=services, on=st.booleans())
    def console_sub_service(self, name: str, service: str, on: bool) -> None:
        world = self.world
        self._both(lambda: self.stage.engine.set_sub_service(name, service, enabled=on),
                   lambda: (world.add_service if on else world.drop_service)(name, service))  # fmt: skip

    @rule(name=names, tokens=st.integers(1, 2000))
    def console_sets_limit(self, name: str, tokens: int) -> None:
        self._both(lambda: self.stage.engine.set_limit(name, tokens),
                   lambda: self.world.set_limit(name, tokens, self.now_s))  # fmt: skip

    @rule(name=names)
    def console_removes_limit(self, name: str) -> None:
        self._both(lambda: self.stage.engine.remove_limit(name), lambda: self.world.remove_limit(name))

    @rule(id_=endpoints, rpm=rates, tpm=rates)
    def console_overrides(self, id_: str, rpm: int | None, tpm: int | None) -> None:
        self._both(lambda: self.stage.engine.set_override(id_, rpm, tpm), lambda: self.world.override(id_, rpm, tpm))

    @rule(name=names, tokens=st.integers(1, 3000))
    def use(self, name: str, tokens: int) -> None:
        self._both(lambda: self.stage.engine.use(Call(name, tokens)), lambda: self.world.use(name, tokens))

    def _both(self, platform: Any, reference: Any) -> None:
        refused = None
        try:
            platform()
        except Refusal as refusal:
            refused = refusal
        said = reference()
        assert bool(refused) == bool(said), f"the platform says {refused}, the reference model {said or 'yes'}"

    @rule(minutes=st.sampled_from([1, 30, 59, 90, 119, 120, 121, 600]))
    def time_goes_by(self, minutes: int) -> None:
        self.stage.forward(minutes=minutes)

    @rule(kind=st.sampled_from(FAULTS), operation=st.sampled_from(Operation), times=st.integers(1, 4))
    def trouble_is_ordered(self, kind: str, operation: Operation, times: int) -> None:
        platform = self.stage.platform
        if kind.startswith("kill"):
            self.kill = [kind]
        elif kind == "read":
            platform.on_read = [Transient("down")] * times
        else:
            where = platform.before if kind == "before" else platform.after
            where[operation.value] = [Transient("no answer")] * times

    @rule()
    def restart(self) -> None:
        self.stage.close()
        now = self.stage.now
        self.stage = Stage(self.home, now)
        self.kill = []
        self._dress()

    @rule()
    def apply(self) -> None:
        report = self.one_pass()
        if report is not None:
            for outcome in report.outcomes:
                if outcome.confirmed and not outcome.stale:
                    assert outcome.target in self.may_touch

    @rule()
    def quiet(self) -> None:
        """No trouble and no hands: a few passes, two hours apart, and everything that may be is as declared."""
        self.kill, self.stage.platform.on_read = [], []
        self.stage.platform.before.clear()
        self.stage.platform.after.clear()
        for _ in range(4):
            report = self.one_pass()
            self.stage.forward(hours=2, minutes=1)
        assert report is not None
        report = self.one_pass()
        assert report is not None
        assert [(change.address, change.fields) for change in report.plan.changes] == []
        assert self.stage.ledger.history("default").pending == ()
        wrong = {found.resource for found in errors(report.findings)}
        for address, each in self.resources.items():
            if address not in wrong | self.held and each.spec.management == "Manage":
                self._is_as_declared(each)

    def _is_as_declared(self, each: Resource[Any]) -> None:
        if each.kind == "ModelActivation":
            model = self.world.models[each.spec.model]
            if each.spec.state == "NotActivated":
                assert not model.activated
            elif not model.invited:
                assert model.activated
                assert each.spec.sub_services is None or model.services == {one.value for one in each.spec.sub_services}
        elif each.kind == "InferenceLimit":
            assert self.world.models[each.spec.model].limit == each.spec.tokens
        else:
            live = self.world.endpoints[each.spec.endpoint.id]
            wanted = (each.spec.rpm, each.spec.tpm)
            assert all(want in (None, have) for want, have in zip(wanted, live, strict=True))  # absent is unmanaged

    @invariant()
    def the_platform_is_as_the_reference_says(self) -> None:
        seen = self.stage.engine.snapshot()
        for name, model in self.world.models.items():
            live = seen.models[name]
            assert (live.state is ActivationState.ACTIVATED) == model.activated
            assert set(live.sub_services) == model.services
            kept = None if live.limit is None else (live.limit.tokens, live.limit.used)
            assert kept == (None if model.limit is None else (model.limit, model.used))
        for id_, rate in self.world.endpoints.items():
            live_rate = seen.endpoints[id_].override
            assert ((None, None) if live_rate is None else (live_rate.rpm, live_rate.tpm)) == rate

    @invariant()
    def two_sets_of_a_limit_are_two_hours_apart(self) -> None:
        for name, at in self.world.sets.items():
            assert all(later - earlier >= INTERVAL_S for earlier, later in itertools.pairwise(at)), name


@pytest.mark.timeout(1200)
def test_the_rules_hold_whatever_happens_in_whatever_order(effort: Effort) -> None:
    steps = effort.pick(25, 60)
    examples = effort.pick(15, 400)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=not effort.long, report_multiple_bugs=False, phases=[Phase.generate],
        ),
    )  # fmt: skip
    effort.tried(examples)
