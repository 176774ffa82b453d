"""Waiting before trying again: from a second to a quarter of an hour, the platform's own wish first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.backoff import MOST_S, SPREAD, Backoff

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_wait_doubles_from_one_second() -> None:
    backoff: Backoff[str] = Backoff(random=lambda: 0.5)
    waits = [(backoff.failed("item", NOW) - NOW).total_seconds() for _ in range(4)]
    assert waits == [1, 2, 4, 8]


@given(times=st.integers(1, 200), chance=st.floats(0, 1))
def test_no_wait_is_longer_than_a_quarter_of_an_hour_and_its_spread(times: int, chance: float) -> None:
    backoff: Backoff[str] = Backoff(random=lambda: chance)
    for _ in range(times):
        until = backoff.failed("item", NOW)
    assert NOW < until <= NOW + timedelta(seconds=MOST_S * (1 + SPREAD))


def test_the_platforms_own_wish_wins() -> None:
    backoff: Backoff[str] = Backoff(random=lambda: 0.5)
    assert backoff.failed("item", NOW, retry_after_s=42) == NOW + timedelta(seconds=42)


def test_a_refusal_waits_long_at_once_and_is_forgotten_in_the_end() -> None:
    backoff: Backoff[str] = Backoff(random=lambda: 0.5)
    until = backoff.refused("item", NOW)
    assert backoff.waiting(NOW) == {"item": until}
    assert backoff.waiting(until) == {}
    assert backoff.times("item") == 1
    backoff.waiting(until + timedelta(days=2))
    assert backoff.times("item") == 0


def test_success_forgets_the_failures() -> None:
    backoff: Backoff[str] = Backoff(random=lambda: 0.5)
    backoff.failed("item", NOW)
    backoff.succeeded("item")
    assert backoff.waiting(NOW) == {}
    assert backoff.times("item") == 0
