"""A paged list of Ark, page by page, and whether it was whole. Pure: replies in, items out.

    whole   the list is there, every item has its key, each page says the same total, and so many different items came

Anything else leaves open what the list did not name: Items that are null beside a total, a page that is empty before the total, an
item that comes again in another's place, a total that moves, is no number or is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Where an action's list is paged: its request, and the key that tells one item from another."""

    action: str
    key: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of a list by their key. `flaw` is why it may have more than these, "" where it is whole."""

    items: Mapping[str, Json]
    flaw: str = ""


@dataclass(slots=True)
class Gathered:
    """The pages of one sweep so far."""

    page: Page
    items: dict[str, Json] = field(default_factory=dict)
    _flaw: str = ""
    _total: int | None = None
    _pages: int = 0
    _full: bool = False  # whether the last page had as many items as were asked for

    def ends_with(self, result: Json) -> bool:
        """Take in the next page; whether it was the last that can bring anything."""
        self._pages += 1
        listed, known = result.get("Items"), len(self.items)
        self._check_total(result.get("TotalCount"))
        if not isinstance(listed, list):
            # A list without items may come as null; beside a total it is a list that is not there.
            if listed is not None or self._total != 0:
                self._say("Items is no list")
            return True
        self._full = len(listed) == PAGE_SIZE
        for item in listed:
            self._take(item)
        if len(self.items) == known:  # empty, or a repetition of what came before
            return True
        return self._total is not None and len(self.items) >= self._total

    def pages_to_come(self, most: int) -> int:
        """How many more pages there are by what the first said, one where that is not known; never more than `most`."""
        if self._total is None or not self._full:
            return 1
        return min(most, max(1, -(-(self._total - self._pages * PAGE_SIZE) // PAGE_SIZE)))

    def done(self) -> Listed:
        """What was gathered, and whether it is all."""
        if self._total is not None and len(self.items) != self._total:
            self._say(f"it names {len(self.items):,} of {self._total:,}")
        return Listed(self.items, f"{self.page.action}: {self._flaw}" if self._flaw else "")

    def _take(self, item: object) -> None:
        key = item.get(self.page.key) if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(key, str) and key:
            self.items.setdefault(key, item)
        else:
            self._say(f"an item has no {self.page.key}")

    def _check_total(self, total: object) -> None:
        if isinstance(total, bool) or not isinstance(total, int):
            self._say("a page has no TotalCount" if total is None else "TotalCount is no number")
        elif self._pages == 1:
            self._total = total
        elif total != self._total:
            self._say(f"TotalCount moved from {self._total} to {total}")
            self._total = max(total, self._total or 0)

    def _say(self, flaw: str) -> None:
        self._flaw = self._flaw or flaw
