"""How many reads of one account are in flight and how fast they go: half of either whenever the platform asks for fewer calls.

Knows nothing of what is read. Writes have a pace of their own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SLOWEST_S: Final = 10.0  # between two reads, however often the platform asks
BURST_S: Final = 1.0  # refusals within that time are one: calls in flight at once are refused together
SHORTEST_S: Final = 0.1  # a pace is measured over no less: calls that begin together are no sign of how fast it went
QUIET_S: Final = 60.0  # without a refusal: one halving is taken back


class Gate:
    """Lets reads through. Safe to use from several threads at once."""

    def __init__(
        self,
        concurrency: int,
        per_second: float | None,
        sleep: Callable[[float], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._least_gap_s = concurrency, 1 / per_second if per_second else 0.0
        self._sleep, self._monotonic = sleep, monotonic
        self._free = threading.Condition()
        self._in_flight = 0
        self._allowed, self._gap_s = concurrency, self._least_gap_s
        self._next_s = 0.0
        self._started: deque[float] = deque()  # within the last second
        self._refused_s = float("-inf")

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Wait for a place, and then for the pace."""
        with self._free:
            self._recover()
            while self._in_flight >= self._allowed:
                self._free.wait()
            self._in_flight += 1
            now = self._monotonic()
            at_s = max(self._next_s, now)
            self._next_s = at_s + self._gap_s
            self._note(at_s)
        try:
            if at_s > now:
                self._sleep(at_s - now)
            yield
        finally:
            with self._free:
                self._in_flight -= 1
                self._free.notify_all()

    def throttled(self) -> None:
        """The platform asked for fewer calls."""
        with self._free:
            now = self._monotonic()
            if now - self._refused_s < BURST_S:
                return
            self._refused_s = now
            self._allowed = max(1, self._allowed // 2)
            self._gap_s = min(2 * (self._gap_s or self._gap_so_far(now)), SLOWEST_S)

    def _gap_so_far(self, now: float) -> float:
        """The mean time between two reads of the last second."""
        if not self._started:
            return 1.0
        return max(now - self._started[0], SHORTEST_S) / len(self._started)

    def _note(self, at_s: float) -> None:
        self._started.append(at_s)
        while self._started and self._started[0] < at_s - 1:
            self._started.popleft()

    def _recover(self) -> None:
        """Half of what was given up comes back, a while after the last refusal."""
        now = self._monotonic()
        if now - self._refused_s < QUIET_S or (self._allowed == self._most and self._gap_s == self._least_gap_s):
            return
        self._refused_s = now
        self._allowed = min(self._most, 2 * self._allowed)
        whole = self._allowed == self._most
        self._gap_s = self._least_gap_s if whole else max(self._least_gap_s, self._gap_s / 2)
