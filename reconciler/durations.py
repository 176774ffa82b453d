"""How long something is foreseen to last, in one unit: the one rounding of whatever says it, in any language. Pure."""

from datetime import timedelta
from typing import Final

_HOUR_S: Final = 3600
_IN_MINUTES_S: Final = 2 * _HOUR_S  # below that hours would be too coarse
_IN_HOURS_S: Final = 48 * _HOUR_S


def rounded(length: timedelta) -> tuple[int, str]:
    """A number and its unit, "min", "h" or "d": what is foreseen is not more exact than that."""
    seconds = max(0.0, length.total_seconds())
    if seconds < _IN_MINUTES_S:
        return max(1, round(seconds / 60)), "min"
    return (round(seconds / _HOUR_S), "h") if seconds < _IN_HOURS_S else (round(seconds / (24 * _HOUR_S)), "d")


def roughly(length: timedelta) -> str:
    """ "about 3 min", "about 5 h", "about 12 d"."""
    number, unit = rounded(length)
    return f"about {number:,} {unit}"
