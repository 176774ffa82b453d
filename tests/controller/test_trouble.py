"""What goes wrong in the world neither stops the rest nor makes a hot loop: hangs, clocks, full ledgers, fickle reads."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOW, account, activation, declared, endpoint, limit, override, snapshot
from looping import Looping, Set, Start

from reconciler import controller as controllers
from reconciler.controller import Controller, Pass
from reconciler.controller.backoff import Backoff
from reconciler.controller.wakes import Wakes
from reconciler.errors import Permanent, Transient
from reconciler.kinds.declared import Declared
from reconciler.platforms import Platform
from reconciler.reasons import Reason
from reconciler.state import Snapshot, Target

WANTED = (override("ep-1", rpm=60, tpm=600),)


def test_a_platform_that_says_come_back_at_once_makes_no_hot_loop(start: Start) -> None:
    loop = start()
    loop.on_sweep = [Transient("slow down", reason=Reason.THROTTLED, retry_after_s=0)] * 50
    loop.look(*WANTED)
    assert loop.seat.again_after_s >= 0.5


def test_a_ledger_that_cannot_be_written_is_asked_less_and_less_often_and_then_converges(start: Start) -> None:
    loop = start()
    loop.look(activation("a"))  # so that the tables are there
    full = sqlite3.connect(loop.stage.home / "ledger.db")
    full.execute("CREATE TRIGGER full BEFORE INSERT ON modelpolicy_entries BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    full.commit()
    waits = []
    for _ in range(8):
        loop.look(*WANTED)
        waits.append(loop.wait())
    assert loop.stage.platform.done == ["activate a"], "nothing is written that cannot be journaled"
    assert waits == sorted(waits)
    assert waits[-1] >= 60, "the wait doubles"
    full.execute("DROP TRIGGER full")
    full.commit()
    full.close()
    loop.look(*WANTED)
    assert loop.stage.platform.done[-1] == "set-override ep-1"


def test_an_item_that_reads_differently_than_it_is_listed_is_left_alone_for_longer_and_longer(start: Start) -> None:
    loop = start(interval_s=300)
    real = loop.stage.platform.read

    def read(target: Target) -> Snapshot:
        return snapshot(endpoint("ep-1", "a", override=(1, 1))) if target.name == "ep-1" else real(target)

    loop.stage.platform.read = read  # type: ignore[method-assign]
    loop.look(*WANTED)
    looks = loop.idle(WANTED, hours=1)
    assert loop.stage.platform.writes == []
    assert loop.sweeps < 40
    assert looks < 60


def test_a_clock_that_is_set_back_makes_nothing_wait_longer_than_it_was_to() -> None:
    waits: Backoff[str] = Backoff(lambda: 0.5)
    waits.refused("item", NOW)
    before = NOW - timedelta(days=2)
    assert waits.waiting(before) == {"item": before + timedelta(seconds=900)}
    assert waits.waiting(before + timedelta(seconds=901)) == {}


def test_a_clock_that_jumps_forward_by_years_makes_no_hot_loop(start: Start) -> None:
    loop = start(interval_s=300)
    loop.look(activation("a"), limit("a", 10))
    loop.look(activation("a"), limit("a", 20))  # waits for its two hours
    loop.stage.forward(days=4000)
    loop.look(activation("a"), limit("a", 20))
    assert loop.stage.platform.done[-1] == "set-limit a"
    assert loop.seat.again_after_s > 100


def test_an_edit_does_not_ask_a_platform_that_asked_to_be_left_alone(start: Start) -> None:
    loop = start()
    loop.on_sweep = [Transient("slow down", reason=Reason.THROTTLED, retry_after_s=60)]
    loop.look(*WANTED)
    loop.stage.forward(seconds=20)
    done = loop.look(override("ep-1", rpm=61, tpm=600))
    assert loop.sweeps == 1
    assert done is not None
    assert [failure.reason for failure in done.report.failures] == [Reason.THROTTLED]
    assert loop.seat.again_after_s == pytest.approx(40)
    loop.wait()
    loop.look(override("ep-1", rpm=61, tpm=600))
    assert loop.stage.platform.done == ["set-override ep-1"]


def test_a_refused_key_is_one_probe_however_many_edits_until_the_account_changes(start: Start) -> None:
    loop = start()
    loop.on_sweep = [Permanent("no such key", reason=Reason.CREDENTIALS_INVALID)]
    for rpm in range(1, 6):
        loop.look(override("ep-1", rpm=rpm, tpm=600))
    assert loop.sweeps == 1
    loop.look(account(writes={"concurrency": 1, "perSecond": 5}), *WANTED)
    assert loop.sweeps == 2


def test_a_long_wish_for_one_item_is_kept_whoever_wakes_the_account(start: Start) -> None:
    loop = start()
    loop.stage.platform.before["set-override"] = [Transient("later", reason=Reason.THROTTLED, retry_after_s=600)]
    loop.look(*WANTED)
    loop.stage.forward(seconds=60)
    loop.look(*WANTED, activation("b"))
    assert loop.stage.platform.done == ["set-override ep-1", "activate b"]
    loop.stage.forward(seconds=541)
    loop.look(*WANTED, activation("b"))
    assert loop.stage.platform.done[-1] == "set-override ep-1"


def test_a_long_look_that_makes_progress_is_not_called_stuck() -> None:
    ticks = [0.0]
    wakes = Wakes(lambda: ticks[0])
    wakes.wake("long")
    assert wakes.take() == "long"
    ticks[0] = 290
    wakes.alive("long")
    wakes.alive("unknown")
    ticks[0] = 300
    assert wakes.oldest_s == 10
    assert wakes.running("long")
    assert not wakes.running("unknown")


class Source:
    """A source of accounts that are all alike, whose wait may end by defects."""

    def __init__(self, everything: Declared) -> None:
        self.everything = everything
        self.defects: list[Exception] = []
        self.waits = 0
        self.waited = False
        self.hangs = threading.Event()
        self.hangs.set()
        self.published: list[str] = []

    def load(self) -> Set:
        return Set(self.everything)

    def wait(self, changed: object, stop: threading.Event) -> None:
        self.waits += 1
        if self.defects:
            raise self.defects.pop(0)
        stop.wait()
        self.hangs.wait(30)
        self.waited = True

    def publish(self, done: Pass) -> None:
        self.published.append(done.report.account.account)


@contextmanager
def running(loop: Looping, source: Source, **world: object) -> Iterator[tuple[Controller, threading.Thread]]:
    controller = Controller(source, loop.world(monotonic=time.monotonic, **world), loop.settings)
    thread = threading.Thread(target=controller.run, args=(loop.stop,), daemon=True)
    thread.start()
    try:
        yield controller, thread
    finally:
        loop.stop.set()
        thread.join(10)


def until(true: object, within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_platforms_that_hang_for_ever_hold_up_no_other_account_and_turn_the_loop_red(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controllers, "BUSY_S", 0.1)
    monkeypatch.setattr(controllers, "TICK_S", 0.02)
    loop = start()
    names = [f"hangs-{number}" for number in range(controllers.WORKERS + 2)]
    everything = declared(*(account(name) for name in [*names, "well"]))
    released = threading.Event()

    def connect(of: object) -> Platform:
        if getattr(of, "name", "") != "well":
            released.wait(20)
        return loop.stage.platform

    source = Source(everything)
    with running(loop, source, connect=connect) as (controller, thread):
        until(lambda: "well" in source.published)
        time.sleep(0.2)
        assert controller.stuck_s > 0.2
        assert not controller.ready
        loop.stop.set()  # what hangs keeps its lock, and nobody else's
        until(lambda: _free(loop, "well"))
        assert thread.is_alive()
        assert not _free(loop, names[0])
        released.set()
        thread.join(10)
        assert not thread.is_alive()
    assert _free(loop, names[0])


def _free(loop: Looping, name: str) -> bool:
    with suppress(Exception), loop.stage.ledger.lock(name, "test"):
        return True
    return False


def test_a_source_that_breaks_is_listened_to_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controllers, "LISTEN_AGAIN_S", 0.01)
    loop = start()
    source = Source(declared())
    source.defects = [RuntimeError("AKIDSECRET"), OSError("gone")]
    with running(loop, source):
        until(lambda: source.waits == 3)
    assert ["RuntimeError" in loop.ear.troubles[0], "OSError" in loop.ear.troubles[1]] == [True, True]
    assert "AKIDSECRET" not in "".join(loop.ear.troubles)


@pytest.mark.parametrize("hangs", [False, True])
def test_the_loop_ends_after_its_source_unless_that_hangs(
    start: Start, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    monkeypatch.setattr(controllers, "SOURCE_END_S", 0.2 if hangs else 10.0)
    monkeypatch.setattr(controllers, "TICK_S", 0.02)
    loop = start()
    source = Source(declared())
    if hangs:
        source.hangs.clear()
    with running(loop, source) as (_, thread):
        until(lambda: source.waits == 1)
        loop.stop.set()
        thread.join(10)
        assert not thread.is_alive()
        assert source.waited is not hangs
    source.hangs.set()


def test_what_cannot_be_closed_keeps_no_other_account_locked(start: Start) -> None:
    loop = start()

    class Unclosable:
        def __getattr__(self, name: str) -> object:
            return getattr(loop.stage.platform, name)

        def close(self) -> None:
            raise OSError

    source = Source(declared(account("a"), account("b")))
    with running(loop, source, connect=lambda of: Unclosable()) as (controller, thread):
        until(lambda: controller.ready)
        loop.stop.set()
        thread.join(10)
        assert not thread.is_alive()
    assert [message.split(" at ")[0] for message in loop.ear.troubles] == ["unexpected OSError"] * 2
    assert _free(loop, "a")
    assert _free(loop, "b")


def test_accounts_that_come_and_go_leave_nothing_behind(start: Start) -> None:
    loop = start()
    source = Source(declared(account("a"), account("b")))
    controller = Controller(source, loop.world(), loop.settings)
    assert [each.report.account.name for each in controller.once(loop.stop)] == ["a", "b"]
    source.everything = replace(source.everything, resources=source.everything.resources[:1])
    assert [each.report.account.name for each in controller.once(loop.stop)] == ["a"]
    assert _free(loop, "b")
