"""How long to wait before trying again: doubling from a second to a quarter of an hour, spread by chance. No clock here."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

FIRST_S: Final = 1.0
MOST_S: Final = 900.0
SPREAD: Final = 0.1  # a delay is up to this share longer or shorter, so that many do not return at once
FORGET: Final = timedelta(days=1)  # also the longest that a wish of the platform is heard

K = TypeVar("K", bound=Hashable)


def spread(seconds: float, chance: float) -> float:
    """`seconds` give or take `SPREAD`; `chance` is from 0 to 1."""
    return seconds * (1 + SPREAD * (2 * chance - 1))


@dataclass(slots=True)
class _Failing:
    times: int
    until: datetime
    delay: timedelta


@dataclass(slots=True)
class Backoff(Generic[K]):
    """Who failed how often, and until when each is left alone. `random` gives chances from 0 to 1."""

    random: Callable[[], float]
    _failing: dict[K, _Failing] = field(default_factory=dict)

    def failed(self, key: K, now: datetime, *, retry_after_s: float | None = None) -> datetime:
        """Count a failure; returns when to try again. The platform's own wish, where it has one, wins."""
        times = self.times(key) + 1
        delay_s = retry_after_s if retry_after_s is not None else spread(_delay_s(times), self.random())
        return self._leave(key, times, now, delay_s)

    def refused(self, key: K, now: datetime) -> datetime:
        """Count a refusal that only a person or another declaration can mend: the longest wait at once."""
        return self._leave(key, 1, now, spread(MOST_S, self.random()))

    def succeeded(self, key: K) -> None:
        """Forget the failures of `key`."""
        self._failing.pop(key, None)

    def waiting(self, now: datetime) -> dict[K, datetime]:
        """Everything that is to be left alone at `now`, and until when. What has not failed for a day is forgotten, and a
        clock that was set back makes nothing wait longer than it was to."""
        self._failing = {key: each for key, each in self._failing.items() if each.until > now - FORGET}
        for each in self._failing.values():
            each.until = min(each.until, now + each.delay)
        return {key: failing.until for key, failing in self._failing.items() if failing.until > now}

    def times(self, key: K) -> int:
        """How many failures in a row."""
        failing = self._failing.get(key)
        return failing.times if failing else 0

    def _leave(self, key: K, times: int, now: datetime, delay_s: float) -> datetime:
        delay = timedelta(seconds=min(max(0.0, delay_s), FORGET.total_seconds()))
        self._failing[key] = _Failing(times, now + delay, delay)
        return now + delay


def _delay_s(times: int) -> float:
    return min(MOST_S, FIRST_S * 2.0 ** min(times - 1, 16))
