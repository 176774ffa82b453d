"""Whether a status says something new: counters that only tick and moments of looking are not worth a write each time. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.reasons import Reason

Status = Mapping[str, Any]
MARKS: Final = (50, 80, 90, 100)  # percent of a limit or a free quota; crossing one is worth a write
_TICKING: Final = ("used", "observedAt", "nextAttemptTime")


def differs(before: Status, after: Status) -> bool:
    """Whether a reader would act differently on `after` than on `before`."""
    return _meaning(before) != _meaning(after)


def moved(before: Status, after: Status) -> bool:
    """Whether at least a counter differs: worth a write now and then."""
    return _counters(before) != _counters(after)


def _meaning(status: Status) -> Mapping[str, Any]:
    said = {key: value for key, value in status.items() if key not in _TICKING and key != "freeTokens"}
    free = status.get("freeTokens") or {}
    said["marks"] = (_mark(status.get("used"), status.get("tokens")), _mark(free.get("consumed"), free.get("total")))
    said["freeTotal"] = free.get("total")
    if _cooling(status):
        said["nextAttemptTime"] = status.get("nextAttemptTime")
    return said


def _counters(status: Status) -> tuple[Any, ...]:
    free = status.get("freeTokens") or {}
    return status.get("used"), free.get("consumed"), free.get("remaining")


def _mark(used: int | None, total: int | None) -> int:
    """How many marks were crossed."""
    return sum(used * 100 >= mark * total for mark in MARKS) if used is not None and total else 0


def _cooling(status: Status) -> bool:
    """Whether the next attempt is at an exact time that the platform gave; a back-off's is only ours."""
    return any(each.get("reason") == Reason.COOLING_DOWN.value for each in status.get("conditions", ()))
