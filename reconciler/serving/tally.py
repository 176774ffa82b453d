"""Counts what a port turned away, and says it in one line a flood: a log is not to be filled by who is outside."""

import contextlib
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Final

QUIET_S: Final = 600.0  # from one line about a trouble to the next about the same


class Trouble(StrEnum):
    """Why a client was turned away, as the metric's label has it."""

    CROWDED = "crowded"  # closed to make room, or not let in
    STARVED = "no-descriptors"  # the process has no descriptor left
    LATE = "late"  # closed by a deadline
    MALFORMED = "malformed"  # no HTTP/1.x, or more than one way to read it
    TOO_LARGE = "too-large"
    WRONG_HOST = "wrong-host"
    BUSY = "busy"  # too many requests at a time
    DEFECT = "defect"  # an exception of ours


# What a person can do something about; the rest is counted only. Ordinary clients are late and malformed too.
SAID: Final = {
    Trouble.CROWDED: "too many clients: each new connection closes the one that waited longest",
    Trouble.STARVED: "no file descriptor is left for a client: raise the limit (ulimit -n)",
    Trouble.WRONG_HOST: "a client was refused (421), for it called this port by a name that is not among its own: "
    "see --listen-name",
    Trouble.BUSY: "too many requests at a time: new ones are answered 503",
    Trouble.DEFECT: "a request met a defect and was answered 500",
}


class Tally:
    """Used by the port's own thread only. `say` hears a line, `count` each trouble; `now` is a monotonic clock."""

    def __init__(self, say: Callable[[str], None], count: Callable[[str], None], now: Callable[[], float]) -> None:
        self._say = say
        self._count = count
        self._now = now
        self._quiet_until: dict[Trouble, float] = {}
        self._since: Counter[Trouble] = Counter()

    def note(self, trouble: Trouble, about: str = "") -> bool:
        """One client was turned away. The first is said at once, others of its kind not before `QUIET_S` later; whether it was said."""
        self._count(trouble.value)
        if trouble not in SAID:
            return False
        now = self._now()
        if now < self._quiet_until.get(trouble, now):
            self._since[trouble] += 1
            return False
        more = f" ({self._since.pop(trouble)} more since this was last said)" if self._since[trouble] else ""
        self._quiet_until[trouble] = now + QUIET_S
        with contextlib.suppress(OSError):  # a log that cannot be written to closes no port
            self._say(SAID[trouble] + (f": {about}" if about else "") + more)
        return True
