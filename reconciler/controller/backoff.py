"""How long to wait before trying again: doubling from a second to a quarter of an hour, spread by chance. No clock here."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

FIRST_S: Final = 1.0
MOST_S: Final = 900.0
SPREAD: Final = 0.1  # a delay is up to this share longer or shorter, so that many do not return at once

K = TypeVar("K", bound=Hashable)


def spread(seconds: float, chance: float) -> float:
    """`seconds` give or take `SPREAD`; `chance` is from 0 to 1."""
    return seconds * (1 + SPREAD * (2 * chance - 1))


@dataclass(slots=True)
class _Failing:
    times: int
    until: datetime
    version: str


@dataclass(slots=True)
class Backoff(Generic[K]):
    """Who failed how often, and until when each is left alone. `random` gives chances from 0 to 1.

    `version` names what was tried (a digest of the declaration): when it changes, the user changed something and the wait
    is over.
    """

    random: Callable[[], float]
    _failing: dict[K, _Failing] = field(default_factory=dict)

    def failed(self, key: K, now: datetime, *, version: str = "", retry_after_s: float | None = None) -> datetime:
        """Count a failure; returns when to try again. The platform's own wish, where it has one, wins."""
        before = self._failing.get(key)
        times = before.times + 1 if before and before.version == version else 1
        delay_s = retry_after_s if retry_after_s is not None else spread(self._delay_s(times), self.random())
        until = now + timedelta(seconds=delay_s)
        self._failing[key] = _Failing(times, until, version)
        return until

    def refused(self, key: K, now: datetime, *, version: str = "") -> datetime:
        """Count a refusal that only a person or another declaration can mend: the longest wait at once."""
        until = now + timedelta(seconds=spread(MOST_S, self.random()))
        self._failing[key] = _Failing(1, until, version)
        return until

    def succeeded(self, key: K) -> None:
        """Forget the failures of `key`."""
        self._failing.pop(key, None)

    def until(self, key: K, now: datetime, *, version: str = "") -> datetime | None:
        """Until when `key` is to be left alone, None where it may be tried now."""
        failing = self._failing.get(key)
        if failing is None or failing.version != version or failing.until <= now:
            return None
        return failing.until

    def times(self, key: K) -> int:
        """How many failures in a row."""
        failing = self._failing.get(key)
        return failing.times if failing else 0

    @staticmethod
    def _delay_s(times: int) -> float:
        return min(MOST_S, FIRST_S * 2.0 ** min(times - 1, 16))
