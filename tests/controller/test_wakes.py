"""The wake-up queue coalesces, loses nothing and lets a user's change overtake."""

import threading

from reconciler.controller.wakes import Wakes


class Ticks:
    """A monotonic clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_many_wakes_of_one_key_become_one_look() -> None:
    wakes = Wakes(Ticks())
    for _ in range(50):
        wakes.wake("a")
    assert wakes.take() == "a"
    wakes.done("a", again_after_s=None)
    assert wakes.depth == 0


def test_a_wake_during_a_look_becomes_one_more_look_afterwards() -> None:
    wakes = Wakes(Ticks())
    wakes.wake("a")
    assert wakes.take() == "a"
    wakes.wake("a")
    wakes.wake("a")
    assert wakes.depth == 0, "the key is being looked at: nobody else may take it"
    wakes.done("a", again_after_s=300)
    assert wakes.take() == "a"


def test_a_users_change_overtakes_what_was_due_before_it() -> None:
    ticks = Ticks()
    wakes = Wakes(ticks)
    wakes.wake("periodic")
    ticks.now += 5
    wakes.wake("changed", urgent=True)
    assert [wakes.take(), wakes.take()] == ["changed", "periodic"]


def test_the_earliest_of_two_wakes_wins() -> None:
    ticks = Ticks()
    wakes = Wakes(ticks)
    wakes.wake("a", after_s=300)
    wakes.wake("a", after_s=10)
    ticks.now += 10
    assert wakes.take() == "a"


def test_nothing_is_due_before_its_time() -> None:
    ticks = Ticks()
    wakes = Wakes(ticks)
    wakes.wake("a", after_s=10)
    assert wakes.depth == 0
    ticks.now += 10
    assert wakes.depth == 1


def test_closing_releases_whoever_waits() -> None:
    wakes = Wakes(Ticks())
    got: list[str | None] = []
    waiting = threading.Thread(target=lambda: got.append(wakes.take()))
    waiting.start()
    wakes.close()
    waiting.join(5)
    assert got == [None]


def test_a_look_that_hangs_and_a_key_that_nobody_takes_grow_old() -> None:
    ticks = Ticks()
    wakes = Wakes(ticks)
    assert wakes.oldest_s == 0
    wakes.wake("hangs")
    assert wakes.take() == "hangs"
    ticks.now += 30
    assert wakes.oldest_s == 30
    wakes.done("hangs", again_after_s=None)
    wakes.wake("waits")
    ticks.now += 5
    assert wakes.oldest_s == 5
