"""Faults over the wire: orders as JSON. What they are is in `faults`. No I/O here.

Beside those that any platform knows, the served one has error-in-200 (an Error within HTTP 200), no-metadata (a reply without
ResponseMetadata) and denied (a 403 AccessDenied); throttle is a 429 with Retry-After, unavailable a 503. And lists that are not whole:

    stuck-page     every page is the first one            repeated-item  the page's last item is its first once more
    short-list     the page's last item is left out       moved-total    the total grows from page to page, and by call
    null-items     Items is null, TotalCount stands       text-total     TotalCount is text
    empty-page     no item, though TotalCount stands      no-total       there is no TotalCount
"""

import itertools
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from reconciler.platforms.embedded import wire
from reconciler.platforms.embedded.faults import Fault, FaultKind

Json = dict[str, Any]
_calls: Final = itertools.count(1)  # what a moved total moves by
_LISTS: Final[Mapping[FaultKind, Callable[[Json], Json]]] = {
    FaultKind.SHORT_LIST: lambda page: {**page, "Items": page["Items"][:-1]},
    FaultKind.NULL_ITEMS: lambda page: {**page, "Items": None},
    FaultKind.EMPTY_PAGE: lambda page: {**page, "Items": []},
    FaultKind.REPEATED_ITEM: lambda page: {**page, "Items": [*page["Items"][:-1], *page["Items"][:1]]},
    FaultKind.MOVED_TOTAL: lambda page: {**page, "TotalCount": page["TotalCount"] + next(_calls)},
    FaultKind.TEXT_TOTAL: lambda page: {**page, "TotalCount": str(page["TotalCount"])},
    FaultKind.NO_TOTAL: lambda page: {key: value for key, value in page.items() if key != "TotalCount"},
}
LIST_FAULTS: Final = (FaultKind.STUCK_PAGE, *_LISTS)


def asked(body: Json, kinds: Container[FaultKind]) -> Json:
    """The request as a list that does not move takes it."""
    return {**body, "PageNumber": 1} if FaultKind.STUCK_PAGE in kinds and "PageNumber" in body else body


def listed(result: Json, kinds: Container[FaultKind]) -> Json:
    """The page with what was ordered for it; what is no page stays as it is."""
    if "Items" in result and "TotalCount" in result:
        for kind, spoil in _LISTS.items():
            result = spoil(result) if kind in kinds else result
    return result


def parse(body: dict[str, Any]) -> Fault:
    """A fault from its JSON; raises WireError where it is none."""
    kind = wire.one_of(body, "kind", tuple(FaultKind))
    seconds = body.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
        raise wire.WireError("InvalidParameter.seconds", "The parameter seconds must be a number from 0 to 3600.", 400)
    times = wire.integer(body, "times", least=1, most=1_000_000) or 1
    return Fault(FaultKind(kind), wire.text(body, "action"), times, float(seconds))
