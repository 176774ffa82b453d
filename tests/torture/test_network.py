"""Network: whatever the way to the platform does, we converge once it stops, keep our pace, and claim only what was read."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import proxy as proxies
import pytest
from builders import account, activation, declared, limit, override
from served import PRIVATE, Rig, serve
from torture.conftest import Effort

from reconciler import reconcile
from reconciler.cli.exits import Exit
from reconciler.cli.exits import of as exit_of
from reconciler.guards import Allow
from reconciler.kinds import Resource
from reconciler.ledger import Ledger, open_ledger
from reconciler.platforms import Connection, Credentials, ReadOnly
from reconciler.platforms.ark import client, platform
from reconciler.report import Report
from reconciler.state import ActivationState, Rate
from reconciler.status import ConditionType, Truth

MODELS = ("doubao-seed-1-6", "doubao-seed-1-6-flash", "doubao-seed-1-8")
PER_SECOND = 40
OURS = Allow("contested", None, "the console keeps changing things in these tests")


class Way:
    """One account behind a proxy, its policies, and what it was told to be."""

    def __init__(self, rig: Rig, home: Path, way: proxies.Proxy) -> None:
        self.rig, self.proxy = rig, way
        self.ledger: Ledger = open_ledger(str(home / "ledger.db"))
        self.unseen: set[str] = set()
        self.sets: Counter[str] = Counter()
        ark = {"endpoint": way.url, "actions": PRIVATE}
        writes = {"concurrency": 4, "perSecond": PER_SECOND}
        self.account = account(platform="ark", ark=ark, allow_activation=True, writes=writes)
        self.endpoints = [rig.endpoint(f"e{number}", MODELS[0]) for number in range(4)]
        self.declared = declared(self.account, *self._policies())
        accept = rig.engine.set_limit

        def counted(model: str, tokens: int) -> None:
            accept(model, tokens)
            self.sets[model] += 1

        rig.engine.set_limit = counted  # type: ignore[method-assign]

    def _policies(self) -> Iterator[Resource]:
        yield from map(activation, MODELS)
        yield from (limit(name, 2_000_000) for name in MODELS[:2])
        yield from (override(id_, rpm=60 + number, tpm=6000) for number, id_ in enumerate(self.endpoints))

    def one_pass(self) -> Report:
        keys = self.rig.keys
        connected = reconcile.connect(
            self.account, Connection(self.rig.clock, Credentials(keys.access_key, keys.secret_key))
        )
        asked = reconcile.Asked(account="default", everything=self.declared, allows=(OURS,))
        try:
            seen = reconcile.look(
                asked, ReadOnly(connected), self.ledger.history("default"),
                reconcile.previous_statuses(self.ledger, "default"), self.rig.clock(),
            )  # fmt: skip
            acting = reconcile.Acting(
                operation="apply", actor="ada", clock=self.rig.clock, stop=lambda: False, progress=lambda _: None,
                sleep=lambda seconds: time.sleep(min(seconds, 0.1)),  # the pace in full, other waits in short
            )  # fmt: skip
            done = reconcile.act(seen, asked, connected, self.ledger, acting)
        finally:
            connected.close()
        self.claims_nothing_untrue(done)
        return done

    def by_hand(self, id_: str, rpm: int) -> None:
        """Somebody changes an override in the console."""
        self.rig.engine.set_override(id_, rpm, 7)
        self.unseen.add(f"EndpointRateOverride/{id_}")

    def true_of(self, each: Resource) -> bool:
        """Whether the platform itself is as `each` declares."""
        seen = self.rig.engine.snapshot()
        match each.kind:
            case "ModelActivation":
                return seen.models[each.spec.model].state is ActivationState.ACTIVATED
            case "InferenceLimit":
                kept = seen.models[each.spec.model].limit
                return kept is not None and kept.tokens == each.spec.tokens
            case "EndpointRateOverride":
                return seen.endpoints[each.spec.endpoint.id].override == Rate(each.spec.rpm, each.spec.tpm)
        return True

    def claims_nothing_untrue(self, report: Report) -> None:
        untrue = {each.address for each in self.declared.resources if not self.true_of(each)}
        assert not untrue & {outcome.address for outcome in report.outcomes if outcome.confirmed}
        untrue -= self.unseen  # what changed behind our back is known once a look gets through
        ready = {each.address for each in report.statuses if said_true(each.condition(ConditionType.READY))}
        assert not untrue & ready
        if exit_of([report]) is Exit.OK:
            assert not untrue
            assert all(outcome.confirmed for outcome in report.outcomes)

    def assert_converges(self) -> None:
        """The trouble is over: a few passes, each later, and everything is as declared and journaled."""
        self.proxy.order()
        self.unseen.clear()
        for _ in range(3):
            report = self.one_pass()
            if exit_of([report]) is Exit.OK and not report.plan.changes:
                break
            self.rig.clock.offset += timedelta(minutes=1)
        assert all(map(self.true_of, self.declared.resources))
        assert report.plan.changes == ()
        assert self.ledger.history("default").pending == ()
        assert self.sets == dict.fromkeys(MODELS[:2], 1)  # a second set would have restarted the counting

    def assert_keeps_its_pace(self) -> None:
        at = [each.at_s for each in self.proxy.seen if each.writes]
        for first in range(len(at)):
            within = sum(1 for each in at[first:] if each - at[first] <= 0.5)
            assert within <= PER_SECOND * 0.5 + 3, "more writes than the account's pace allows"


def said_true(condition) -> bool:
    return condition is not None and condition.status is Truth.TRUE


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 1.5)
    monkeypatch.setattr(client, "CONNECT_TIMEOUT_S", 0.3)
    monkeypatch.setattr(platform, "ACTIVATION_PAUSE_S", 0.01)
    monkeypatch.setattr(client.Client, "read", brisk(client.Client.read))
    for rig in serve(tmp_path / "platform.db"):
        with proxies.before(rig.url) as made:
            it = Way(rig, tmp_path, made)
            yield it
            it.ledger.close()


def brisk(read):
    """The client's own short pauses between reads, cut to a tenth."""

    def hurried(self, action, request):
        sleep, self._sleep = self._sleep, lambda seconds: time.sleep(seconds / 10)
        try:
            return read(self, action, request)
        finally:
            self._sleep = sleep

    return hurried


KINDS = tuple(kind for kind in proxies.KINDS if kind != "refuse")  # this one is of the port and not of a request


def test_trouble_on_the_way_is_never_called_success_and_is_got_over(way: Way, effort: Effort) -> None:
    for number, kind in enumerate(effort.pick(("silent", "lost", "stale", "deep", "halves"), KINDS)):
        way.by_hand(way.endpoints[0], 1 + number)  # there is work again
        way.proxy.order(*[kind] * effort.pick(5, 25), only="writes" if kind in ("lost", "reset") else "")
        for _ in range(effort.pick(1, 4)):
            way.one_pass()
        way.assert_converges()
        way.assert_keeps_its_pace()
        effort.tried()


def test_trouble_in_the_middle_of_an_apply_is_got_over(way: Way, effort: Effort) -> None:
    """Every kind, mixed, at random places of many passes, while the console changes things back."""
    chance = random.Random(8)
    for _ in range(effort.pick(2, 100)):
        order = [chance.choice(["", "", *proxies.KINDS]) for _ in range(40)]
        way.proxy.order(*order)
        way.one_pass()
        way.by_hand(chance.choice(way.endpoints), chance.randint(1, 50))
        effort.tried(len(order))
    way.assert_converges()
    way.assert_keeps_its_pace()


def test_a_platform_that_nobody_listens_for_is_a_failure_of_every_account_and_then_converges(way: Way) -> None:
    way.proxy.down()
    report = way.one_pass()
    assert (report.outcomes, exit_of([report])) == ((), Exit.UNEXPECTED)
    way.proxy.up()
    way.assert_converges()


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_platform_whose_clock_is_wrong_is_converged_once_and_no_limit_is_set_again(
    way: Way, effort: Effort, minutes: int
) -> None:
    ours = way.rig.clock
    way.rig.engine.now = lambda: int((ours() + timedelta(minutes=minutes)).timestamp())  # type: ignore[method-assign]
    way.proxy.order("lost", "lost", "lost", "lost", only="writes")
    way.one_pass()
    way.assert_converges()
    effort.tried()
