"""Trouble to order for rehearsals and tests: what happens to the next calls of a platform, in process or over the wire.

latency      answered late, by `seconds`                 answer-lost   carried out, and the answer never comes
throttle     refused, with a wish of `seconds`           stale-read    reads show the platform as it was when ordered
unavailable  refused, before anything is carried out     short-list    a sweep leaves out the last endpoint, and says so

The others of FaultKind are about HTTP and lists, and exist on the served platform only.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from reconciler.errors import Transient
from reconciler.platforms import Platform
from reconciler.reasons import Reason
from reconciler.state import Listing, Operation, Snapshot, Support, Target, Write

S = TypeVar("S")


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
    DENIED = "denied"
    SHORT_LIST = "short-list"
    NULL_ITEMS = "null-items"
    EMPTY_PAGE = "empty-page"
    REPEATED_ITEM = "repeated-item"
    MOVED_TOTAL = "moved-total"
    TEXT_TOTAL = "text-total"
    NO_TOTAL = "no-total"


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble, for the next `times` calls of `action`: an Action over the wire, else "observe", "read" or an
    `Operation`'s value; "" is any of them."""

    kind: FaultKind
    action: str = ""
    times: int = 1
    seconds: float = 0.0


@dataclass(slots=True)
class _Order(Generic[S]):
    fault: Fault
    left: int
    seen: S | None


class Faults(Generic[S]):
    """The orders that are open. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order[S]] = []

    def order(self, fault: Fault, seen: S | None = None) -> None:
        """Add an order; `seen` is what stale reads will show."""
        with self._lock:
            self._orders.append(_Order(fault, fault.times, seen))

    def clear(self) -> None:
        """Take every order back."""
        with self._lock:
            self._orders.clear()

    def take(self, action: str) -> dict[FaultKind, tuple[Fault, S | None]]:
        """What happens to this call of `action`; each order is spent by one."""
        found: dict[FaultKind, tuple[Fault, S | None]] = {}
        with self._lock:
            for order in self._orders:
                if order.fault.action in ("", action) and order.fault.kind not in found:
                    order.left -= 1
                    found[order.fault.kind] = (order.fault, order.seen)
            self._orders = [order for order in self._orders if order.left > 0]
        return found


class Faulty:
    """A platform in process that meets what was ordered. `sleep` is how it is late."""

    def __init__(self, platform: Platform, sleep: Callable[[float], None] = time.sleep) -> None:
        self._platform = platform
        self._sleep = sleep
        self._faults = Faults[Snapshot]()

    def order(self, kind: FaultKind, action: str = "", *, times: int = 1, seconds: float = 0.0) -> None:
        """Order one fault for the next calls."""
        seen = self._platform.observe(frozenset()) if kind is FaultKind.STALE_READ else None
        self._faults.order(Fault(kind, action, times, seconds), seen)

    def capabilities(self) -> Mapping[Operation, Support]:
        """The platform's own."""
        return self._platform.capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """A sweep, as far as faults let it be one."""
        found = self._faults.take("observe")
        self._refuse(found)
        stale = _stale(found)
        seen = stale or self._platform.observe(limited_models)
        return _short(seen) if FaultKind.SHORT_LIST in found else seen

    def read(self, target: Target) -> Snapshot:
        """One item, as far as faults let it be read."""
        found = self._faults.take("read")
        self._refuse(found)
        stale = _stale(found)
        return self._platform.read(target) if stale is None else _part(stale, target)

    def write(self, write: Write) -> None:
        """One write; lost answers come after it was carried out."""
        lost = self._taken(write.operation.value)
        self._platform.write(write)
        if lost:
            raise Transient("the connection was lost before the answer came; the write may have happened")

    def close(self) -> None:
        """Let go of the platform."""
        self._platform.close()

    def _taken(self, action: str) -> bool:
        found = self._faults.take(action)
        self._refuse(found)
        return FaultKind.ANSWER_LOST in found

    def _refuse(self, found: Mapping[FaultKind, tuple[Fault, Snapshot | None]]) -> None:
        if FaultKind.LATENCY in found:
            self._sleep(found[FaultKind.LATENCY][0].seconds)
        if FaultKind.THROTTLE in found:
            wish = found[FaultKind.THROTTLE][0].seconds
            raise Transient("too many calls", code="FlowLimitExceeded", reason=Reason.THROTTLED, retry_after_s=wish)
        if FaultKind.UNAVAILABLE in found:
            raise Transient("the platform is out of order", code="ServiceUnavailableTemp")


def _stale(found: Mapping[FaultKind, tuple[Fault, Snapshot | None]]) -> Snapshot | None:
    """What a stale read shows, None where it is fresh."""
    return found[FaultKind.STALE_READ][1] if FaultKind.STALE_READ in found else None


def _short(whole: Snapshot) -> Snapshot:
    """The sweep without its last endpoint; the list says that it has one more."""
    endpoints = dict(sorted(whole.endpoints.items())[:-1])
    why = f"it names {len(endpoints)} of {len(endpoints) + 1}"
    return replace(whole, endpoints=endpoints, not_whole={Listing.ENDPOINTS: why})


def _part(whole: Snapshot, target: Target) -> Snapshot:
    """What reading `target` alone would have seen."""
    endpoints = {target.name: whole.endpoints[target.name]} if target.name in whole.endpoints else {}
    names = {target.name, *(endpoint.model for endpoint in endpoints.values())}
    return replace(
        whole, models={name: whole.models[name] for name in sorted(names & set(whole.models))}, endpoints=endpoints
    )
