"""Use over time as the geometry of a drawing: bars an hour, and a line for the sum against the limit. Pure numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reconciler.state import UNOBSERVABLE, Unseen
from reconciler.usage import Hours

HOURS: Final = 48
WIDTH: Final = 720.0
HEIGHT: Final = 160.0
SPARK: Final = (96.0, 20.0)
_HOUR: Final = timedelta(hours=1)
_STEPS: Final = (1.0, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour. Coordinates are ready for SVG."""

    x: str
    y: str
    width: str
    height: str
    hour: datetime
    tokens: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across, or a word below."""

    at: str
    tokens: int = 0
    hour: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that the drawing needs; `total` and `peak` are said in words to who cannot see it."""

    bars: tuple[Bar, ...]
    lines: tuple[Tick, ...]
    hours: tuple[Tick, ...]
    total: int
    peak: int


def of(hourly: Hours | Unseen, now: datetime) -> Plot | None:
    """The last 48 hours; None where no use was seen in them, or none can be seen."""
    if hourly is UNOBSERVABLE:
        return None
    first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR
    used = {hour: tokens for hour, tokens in hourly if hour >= first and tokens > 0}
    if not used:
        return None
    top = _round(max(used.values()))
    step = WIDTH / HOURS
    bars = []
    for hour, tokens in sorted(used.items()):
        index = int((hour - first) / _HOUR)
        height = max(1.5, HEIGHT * tokens / top)
        bars.append(
            Bar(
                x=f"{index * step + 1:.2f}", y=f"{HEIGHT - height:.2f}", width=f"{step - 2:.2f}",
                height=f"{height:.2f}", hour=hour, tokens=tokens,
            )
        )  # fmt: skip
    lines = tuple(Tick(f"{HEIGHT * (1 - share):.2f}", int(top * share)) for share in (0.5, 1.0))
    hours = tuple(
        Tick(f"{index * step:.2f}", hour=first + index * _HOUR)
        for index in range(HOURS)
        if (first + index * _HOUR).hour % 12 == 0
    )
    return Plot(tuple(bars), lines, hours, sum(used.values()), max(used.values()))


def spark(hourly: Hours | Unseen, now: datetime) -> str:
    """The same as the points of one small line, "" where there is nothing to draw."""
    if hourly is UNOBSERVABLE:
        return ""
    first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR
    used = {hour: tokens for hour, tokens in hourly if hour >= first and tokens > 0}
    if not used:
        return ""
    width, height = SPARK
    top = max(used.values())
    points = []
    for index in range(HOURS):
        tokens = used.get(first + index * _HOUR, 0)
        points.append(f"{index * width / (HOURS - 1):.1f},{height - 1 - (height - 2) * tokens / top:.1f}")
    return " ".join(points)


def _round(most: int) -> float:
    """The next round number, for the top of the scale."""
    unit = 10.0 ** (len(str(most)) - 1)
    return next(step * unit for step in _STEPS if step * unit >= most)
