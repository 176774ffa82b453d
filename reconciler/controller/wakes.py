"""The wake-up queue: which account is to be looked at next, and when. Level-triggered: a wake-up is only a name.

Many wake-ups for one key become one look at the earliest time asked for; a wake-up that comes while its key is being looked
at becomes one more look afterwards, so no work is lost. What a user changed overtakes what is only periodic. Times are
seconds of a monotonic clock, passed in; nothing here sleeps but `take`, which waits on a condition.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FOREVER_S: Final = 3600.0  # the longest single wait; an upper bound so that a missed notification cannot hang the loop


@dataclass(slots=True)
class _Due:
    at: float
    urgent: bool


class Wakes:
    """The queue. Safe to call from any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._due: dict[str, _Due] = {}
        self._running: dict[str, float] = {}
        self._closed = False

    def wake(self, key: str, *, after_s: float = 0.0, urgent: bool = False) -> None:
        """Look at `key` in `after_s` seconds at the latest; `urgent` for what a user changed."""
        with self._changed:
            at = self._monotonic() + max(0.0, after_s)
            due = self._due.get(key)
            if due is None:
                self._due[key] = _Due(at, urgent)
            else:
                due.at, due.urgent = min(due.at, at), due.urgent or urgent
            self._changed.notify_all()

    def take(self) -> str | None:
        """Wait for the next key that is due and not being looked at, and mark it as being looked at; None once closed."""
        with self._changed:
            while not self._closed:
                now = self._monotonic()
                ready = [
                    (not due.urgent, due.at, key)
                    for key, due in self._due.items()
                    if key not in self._running and due.at <= now
                ]
                if ready:
                    key = min(ready)[2]
                    del self._due[key]
                    self._running[key] = now
                    return key
                waiting = [due.at for key, due in self._due.items() if key not in self._running]
                self._changed.wait(min(FOREVER_S, min(waiting, default=now + FOREVER_S) - now))
            return None

    def done(self, key: str, *, again_after_s: float | None) -> None:
        """The look at `key` is over; look again in `again_after_s` seconds at the latest (None: only when woken)."""
        with self._changed:
            self._running.pop(key, None)
            self._changed.notify_all()
        if again_after_s is not None:
            self.wake(key, after_s=again_after_s)

    def alive(self, key: str) -> None:
        """The look at `key` makes progress: however long it takes, it does not hang."""
        with self._changed:
            if key in self._running:
                self._running[key] = self._monotonic()

    def running(self, key: str) -> bool:
        """Whether `key` is being looked at."""
        with self._changed:
            return key in self._running

    def close(self) -> None:
        """Every `take`, now and later, returns None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def depth(self) -> int:
        """How many keys are due now and wait."""
        with self._changed:
            now = self._monotonic()
            return sum(due.at <= now for key, due in self._due.items() if key not in self._running)

    @property
    def waiting_s(self) -> float:
        """For how many seconds the oldest key that is due and not looked at has waited; 0 where none is."""
        with self._changed:
            now = self._monotonic()
            return now - min((due.at for key, due in self._due.items() if key not in self._running), default=now)

    @property
    def oldest_s(self) -> float:
        """For how many seconds the oldest key that is being looked at without progress, or is due and waits, has done so;
        0 when idle."""
        with self._changed:
            now = self._monotonic()
            since = [*self._running.values()]
            since += [due.at for key, due in self._due.items() if key not in self._running and due.at <= now]
            return now - min(since, default=now)
