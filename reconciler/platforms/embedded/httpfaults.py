"""Trouble to order for the served platform: what happens to the next calls, over the wire. No I/O here.

latency      answered late, by `seconds`                 answer-lost   carried out, then the connection drops
throttle     429 with Retry-After `seconds`              stale-read    reads show the platform as it was when ordered
unavailable  503, before anything is carried out         stuck-page    every page is the first one
error-in-200 an Error within HTTP 200                    no-metadata   a reply without ResponseMetadata
"""

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.platforms.embedded import wire
from reconciler.platforms.embedded.actions import Look


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    THROTTLE = "throttle"
    UNAVAILABLE = "unavailable"
    ANSWER_LOST = "answer-lost"
    STALE_READ = "stale-read"
    STUCK_PAGE = "stuck-page"
    ERROR_IN_200 = "error-in-200"
    NO_METADATA = "no-metadata"


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble, for the next `times` calls of `action` ("" any control-plane action)."""

    kind: FaultKind
    action: str = ""
    times: int = 1
    seconds: float = 0.0


@dataclass(slots=True)
class _Order:
    fault: Fault
    left: int
    seen: Look | None


class Faults:
    """The orders that are open. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order] = []

    def order(self, fault: Fault, seen: Look | None = None) -> None:
        """Add an order; `seen` is what stale reads will show."""
        with self._lock:
            self._orders.append(_Order(fault, fault.times, seen))

    def clear(self) -> None:
        """Take every order back."""
        with self._lock:
            self._orders.clear()

    def take(self, action: str) -> dict[FaultKind, tuple[Fault, Look | None]]:
        """What happens to this call of `action`; each order is spent by one."""
        found: dict[FaultKind, tuple[Fault, Look | None]] = {}
        with self._lock:
            for order in self._orders:
                if order.fault.action in ("", action) and order.fault.kind not in found:
                    order.left -= 1
                    found[order.fault.kind] = (order.fault, order.seen)
            self._orders = [order for order in self._orders if order.left > 0]
        return found


def parse(body: dict[str, Any]) -> Fault:
    """A fault from its JSON; raises WireError where it is none."""
    kind = wire.one_of(body, "kind", tuple(FaultKind))
    seconds = body.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
        raise wire.WireError("InvalidParameter.seconds", "The parameter seconds must be a number from 0 to 3600.", 400)
    times = wire.integer(body, "times", least=1, most=1_000_000) or 1
    return Fault(FaultKind(kind), wire.text(body, "action"), times, float(seconds))
