"""Reads go as fast as the account allows, and half as fast whenever the platform asks for fewer calls."""

import threading

from reconciler.platforms.ark.gate import BURST_S, QUIET_S, SLOWEST_S, Gate


class Watch:
    """A time that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def gate(self, concurrency: int = 8, per_second: float | None = None) -> Gate:
        return Gate(concurrency, per_second, self.sleep, self)


def took(gate: Gate, watch: Watch, calls: int) -> float:
    """The seconds from the first of so many calls to the last."""
    at = []
    for _ in range(calls):
        with gate.passing():
            at.append(watch.now)
    return round(at[-1] - at[0], 3)


def in_flight(gate: Gate, threads: int) -> int:
    """The most of so many calls that the gate lets be under way together."""
    most, now, lock, seen = 0, 0, threading.Lock(), threading.Event()

    def call() -> None:
        nonlocal most, now
        with gate.passing():
            with lock:
                now += 1
                most = max(most, now)
            seen.wait(0.05)
            with lock:
                now -= 1

    started = [threading.Thread(target=call) for _ in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join()
    return most


def test_without_a_pace_nothing_waits() -> None:
    watch = Watch()
    assert took(watch.gate(), watch, 1_000) == 0


def test_a_pace_is_kept_to_the_call() -> None:
    watch = Watch()
    assert took(watch.gate(per_second=50), watch, 101) == 2.0


def test_no_more_calls_are_under_way_than_allowed() -> None:
    assert in_flight(Gate(3, None, lambda _: None), 12) == 3


def test_a_throttle_halves_both() -> None:
    watch = Watch()
    gate = watch.gate(concurrency=8, per_second=50)
    gate.throttled()
    assert in_flight(gate, 12) == 4
    assert took(gate, watch, 26) == 1.0


def test_a_throttle_without_a_pace_takes_half_of_what_was_done_in_the_last_second() -> None:
    watch = Watch()
    gate = watch.gate()
    for _ in range(100):
        took(gate, watch, 1)
        watch.sleep(0.01)
    gate.throttled()
    assert 0.9 < took(gate, watch, 51) < 1.1  # fifty a second where it was a hundred


def test_a_throttle_of_the_first_calls_of_all_does_not_make_the_rest_crawl() -> None:
    watch = Watch()
    gate = watch.gate()
    took(gate, watch, 8)
    gate.throttled()
    assert took(gate, watch, 41) == 1.0


def test_calls_that_are_refused_together_are_one_throttle() -> None:
    watch = Watch()
    gate = watch.gate(concurrency=8, per_second=50)
    for _ in range(8):
        gate.throttled()
        watch.sleep(BURST_S / 20)
    assert took(gate, watch, 26) == 1.0


def test_it_never_stops_altogether() -> None:
    watch = Watch()
    gate = watch.gate(per_second=1)
    for _ in range(20):
        gate.throttled()
        watch.sleep(BURST_S)
    assert in_flight(watch.gate(concurrency=1), 3) == 1
    assert took(gate, watch, 2) == SLOWEST_S


def test_after_a_quiet_while_it_is_given_back_step_by_step() -> None:
    watch = Watch()
    gate = watch.gate(concurrency=8, per_second=50)
    gate.throttled()
    watch.sleep(BURST_S)
    gate.throttled()
    assert took(gate, watch, 26) == 2.0
    watch.sleep(QUIET_S)
    assert took(gate, watch, 26) == 1.0
    watch.sleep(QUIET_S)
    assert took(gate, watch, 26) == 0.5
    watch.sleep(10 * QUIET_S)
    assert took(gate, watch, 26) == 0.5  # never faster than asked for


def test_a_call_that_fails_gives_its_place_back() -> None:
    gate = Gate(1, None, lambda _: None)
    for _ in range(3):
        try:
            with gate.passing():
                raise OSError
        except OSError:
            pass
    assert in_flight(gate, 2) == 1
