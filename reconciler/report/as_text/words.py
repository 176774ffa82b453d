"""How values are said to people: numbers, times, durations, fields of items. Pure; escaping is the page's work."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from reconciler.state import Rate, Unobservable, Value

if TYPE_CHECKING:  # findings are said without what plans need
    from reconciler.plan import Change, FieldChange

MINUTE: Final = timedelta(minutes=1)
UNSEEN: Final = "not visible"
UNKNOWN: Final = "not known"  # where the platform does not tell it, and it might be none
# What an absent field means, by its path.
_ABSENT: Final = {"tokens": "no limit", "rpm": "inherited", "tpm": "inherited"}
_WHY: Final = {  # by ChangeReason
    "declared": "declared, and not so on the platform yet",
    "drift": "drift: the platform left what was last applied",
    "expired": "expired: expiresAt has passed, so the endpoint inherits again",
    "removed": "removed: nothing declares it any more",
    "adopted": "adopted: the platform has another value, never set from here",
}


def number(count: int) -> str:
    """12,345,678."""
    return f"{count:,}"


def short(count: int) -> str:
    """The number as briefly as it is exact: 500k, 2M, 1.5G, 12,345."""
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(count) >= 10_000 and abs(count) >= unit and count % (unit // 100) == 0:
            return f"{count / unit:.2f}".rstrip("0").rstrip(".") + letter
    return number(count)


def value(path: str, seen: Value) -> str:
    """A field's value as a reviewer reads it."""
    if isinstance(seen, Unobservable):
        return UNSEEN
    if seen is None:
        return _ABSENT.get(path, "not set")
    if isinstance(seen, bool):
        return "true" if seen else "false"
    if isinstance(seen, int):
        return number(seen)
    if isinstance(seen, tuple):
        return ", ".join(seen) or "none"
    return seen


def percent(before: Value, after: Value) -> str:
    """How much more or less, "" where that says nothing: "+100 %", "-12.5 %"."""
    numbers = [one for one in (before, after) if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) < 2 or numbers[0] <= 0 or numbers[0] == numbers[1]:
        return ""
    change = 100 * (numbers[1] - numbers[0]) / numbers[0]
    said = f"{change:+,.0f}" if abs(change) >= 10 or change == int(change) else f"{change:+.1f}"
    return f"{said} %"


def moved(field: "FieldChange", arrow: str) -> str:
    """A field's way: 600 -> 120 (-80 %)."""
    more = percent(field.before, field.after)
    way = f"{value(field.path, field.before)} {arrow} {value(field.path, field.after)}"
    return f"{way} ({more})" if more else way


def why(change: "Change") -> str:
    """Why a change is intended."""
    if change.reason == "declared" and all(isinstance(one.before, Unobservable) for one in change.fields):
        return "declared, and the platform cannot show whether it is so"
    return _WHY[change.reason]


def moment(when: datetime) -> str:
    """2026-11-23 14:05 UTC, with seconds where they are not zero."""
    at = when.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC" if at.second else "%Y-%m-%d %H:%M UTC")


def until(when: datetime, now: datetime) -> str:
    """A coming time, with how far it is: 2026-11-23 14:05 UTC (in 1 h 12 min); of seconds nobody wants a part."""
    if when <= now:
        return moment(when)
    length = when - now
    return f"{moment(when)} (in {f'{ceil(length.total_seconds())} s' if length < MINUTE else duration(length)})"


def ago(when: datetime, now: datetime) -> str:
    """How long ago: "3 h ago", "just now"."""
    return "just now" if now - when < MINUTE else f"{duration(now - when)} ago"


def duration(length: timedelta) -> str:
    """Two units at most: 2 d 3 h, 1 h 12 min, 5 min, 4.2 s."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes = int(seconds // 60) + (1 if seconds % 60 >= 30 else 0)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    said = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(said[:2]) or "1 min"


def count(number_of: int, noun: str, plural: str = "") -> str:
    """1 change, 2 changes."""
    return f"{number_of:,} {noun if number_of == 1 else plural or noun + 's'}"


def rate(limit: Rate) -> str:
    """RPM / TPM, "-" for a half that is not set: 1,200 / 240k."""
    return " / ".join("-" if half is None else short(half) for half in (limit.rpm, limit.tpm))


def revision(full: str) -> str:
    """A commit as it is known at a glance, with its mark where the files were not all of it (`+dirty`)."""
    commit, plus, mark = full.partition("+")
    return f"{commit[:12]}{plus}{mark}"
