"""What a platform's meter said of use, and how old and how late that is. Values only: no I/O, no clock.

What a meter did not say is unknown, which is not the same as no use. Hours begin at full hours in UTC.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

HOURS_KEPT: Final = 48

# Online pay-by-token use by hour in tokens, oldest first, at most the last 48; hours without use are left out.
Hours: TypeAlias = tuple[tuple[datetime, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One successful reading of the meter: when it was made, and how late the meter may be by its own word."""

    at: datetime
    delay: timedelta = timedelta()

    @property
    def complete_until(self) -> datetime:
        """Use before then is in the reading for certain; later use may be missing from it."""
        return self.at - self.delay
