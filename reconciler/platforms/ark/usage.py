"""Ark's meter: online pay-by-token use by hour, of each model and of each endpoint. Replies in, hours out; asks seldom.

Columns are found by name: one that is missing, a row or a number that cannot be read, fewer rows than are said make the reading
unknown, and never 0; a whole reading without rows is no use. Days and hours are those of UTC+8.
"""

import re
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from reconciler.errors import PlatformError
from reconciler.platforms.ark.client import Client
from reconciler.state import UNOBSERVABLE, Endpoint, Model
from reconciler.usage import HOURS_KEPT, Hours, Reading

ACTION: Final = "GetInferenceUsage"
ZONE: Final = timezone(timedelta(hours=8))
DELAY: Final = timedelta(minutes=30)  # 5 to 30 minutes, in the words of the vendor's own client
SELDOM: Final = timedelta(minutes=5)  # at most one reading of an account in that time, whether it succeeds or not
_HOUR: Final = timedelta(hours=1)
_NOT_METERED: Final = "Audio"
_GROUPED: Final = ("ModelName", "ModelEndpoint", "BillingStatus", "BatchType")
# Use that capacity or a subscription paid for; what an inference limit and the free quota count is all the rest.
_PAID_AHEAD: Final = frozenset(("free_for_model_unit", "free_for_viptier", "free_for_coding_plan"))
_TIME: Final = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?([0-9]{1,2})(?::[0-9]{2}){0,2}(?:\+08:00)?")
_VERSION: Final = re.compile(r"(?:[a-z]+-)?[0-9]{6,8}")


class Unread(Exception):
    """The reply does not say what was used; it never leaves this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the meter says: hours of use by model, as it names them, and by endpoint; or why it says nothing."""

    by_model: Mapping[str, Hours]
    by_endpoint: Mapping[str, Hours]
    reading: Reading | None = None
    account: str = ""
    unread: str = ""

    def over(
        self, models: Mapping[str, Model], endpoints: Mapping[str, Endpoint]
    ) -> tuple[dict[str, Model], dict[str, Endpoint]]:
        """These models and endpoints with their use. Of speech the meter says nothing, and unread it says nothing of any."""
        versions = _base_models(self.by_model, models)
        metered = {
            name: replace(model, hourly_use=UNOBSERVABLE)
            if self.unread or model.domain == _NOT_METERED
            else replace(model, hourly_use=self._of_model(name, versions), reading=self.reading)
            for name, model in models.items()
        }
        through = {
            id_: replace(each, hourly_use=UNOBSERVABLE if self.unread else self.by_endpoint.get(id_, ()))
            for id_, each in endpoints.items()
        }
        return metered, through

    def _of_model(self, name: str, versions: Mapping[str, str]) -> Hours:
        """The model's use; `versions` are the meter's names that are versions of a known model, by that model."""
        found: dict[datetime, int] = {}
        for called, hours in self.by_model.items():
            if versions.get(called, called) == name:
                for hour, tokens in hours:
                    found[hour] = found.get(hour, 0) + tokens
        return tuple(sorted(found.items()))


_NEVER: Final = Use(by_model={}, by_endpoint={}, unread="the meter was not read yet")


@dataclass(slots=True)
class _Shelf:
    """What one meter said, and when it was asked."""

    use: Use = _NEVER
    asked_at: datetime | None = None
    asking: threading.Lock = field(default_factory=threading.Lock)


_SHELVES: Final[dict[Hashable, _Shelf]] = {}
_KEEPING: Final = threading.Lock()


class Meter:
    """The meter of one account and project; `key` tells it from every other of this process, which keeps what each said."""

    def __init__(self, client: Client, project: str, clock: Callable[[], datetime], key: Hashable) -> None:
        self._client = client
        self._project = project
        self._clock = clock
        with _KEEPING:
            self._shelf = _SHELVES.setdefault(key, _Shelf())

    @property
    def last(self) -> Use:
        """What was read last; asks nothing."""
        return self._shelf.use

    def read(self) -> Use:
        """The last 48 hours; what was read before, while that is not five minutes old. Raises nothing of the platform's."""
        shelf = self._shelf
        with shelf.asking:
            now = self._clock()
            if shelf.asked_at is None or not timedelta() <= now - shelf.asked_at < SELDOM:
                shelf.use, shelf.asked_at = self._ask(now), now
            return shelf.use

    def _ask(self, now: datetime) -> Use:
        first = now.replace(minute=0, second=0, microsecond=0) - (HOURS_KEPT - 1) * _HOUR
        request = {
            "StartTime": f"{first.astimezone(ZONE):%Y-%m-%d}",
            "EndTime": f"{now.astimezone(ZONE):%Y-%m-%d}",
            "QueryInterval": "Hour",
            "ProjectName": self._project,
            "Filters": [{"Key": key, "Values": []} for key in _GROUPED],
        }
        try:
            return used(self._client.read(ACTION, request), first, Reading(now, DELAY))
        except PlatformError as error:
            return replace(_NEVER, unread=str(error))
        except Unread as unread:
            return replace(_NEVER, unread=f"{ACTION}: {unread}")


def used(result: Mapping[str, Any], first: datetime, reading: Reading) -> Use:
    """What a reply says of the hours from `first` on. Raises Unread where it does not."""
    by_model: dict[str, dict[datetime, int]] = {}
    by_endpoint: dict[str, dict[datetime, int]] = {}
    account = ""
    for row in _rows(result):
        account = account or _account(row.get("AccountID", ""))
        if row["BillingStatus"] in _PAID_AHEAD or row["BatchType"]:
            continue
        hour, tokens = _hour(row["Day"], row["Hour"]), _tokens(row["TotalTokens"])
        if hour >= first and tokens:
            for found, name in ((by_model, row["ModelName"]), (by_endpoint, row["ModelEndpoint"])):
                hours = found.setdefault(name, {})
                hours[hour] = hours.get(hour, 0) + tokens
    return Use(by_model=_sorted(by_model), by_endpoint=_sorted(by_endpoint), reading=reading, account=account)


def _rows(result: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Every row by the names of its columns, with all that are needed."""
    data, count = result.get("Data"), result.get("DataCount")
    if isinstance(count, bool) or not isinstance(count, int):
        raise Unread("DataCount is no number")
    if count == 0 and not data:
        return
    if not isinstance(data, list) or len(data) != count:
        raise Unread(f"it has {len(data) if isinstance(data, list) else 'no'} rows and says {count}")
    names = _columns(result.get("Fields"))
    missing = [name for name in ("Day", "Hour", "TotalTokens", *_GROUPED) if name not in names]
    if missing:
        raise Unread(f"the column {missing[0]} is missing")
    for row in data:
        if not isinstance(row, list) or len(row) != len(names):
            raise Unread("a row does not have the columns that Fields says")
        yield dict(zip(names, ("" if cell is None else str(cell) for cell in row), strict=True))


def _columns(fields: object) -> Sequence[str]:
    if not isinstance(fields, list) or not all(isinstance(each, dict) for each in fields):
        raise Unread("Fields is no list of columns")
    names = [str(each.get("Name") or "") for each in fields]
    if len(set(names)) != len(names):
        raise Unread("a column is named twice")
    return names


def _hour(day: str, hour: str) -> datetime:
    """The hour in UTC that `hour` of that day in UTC+8 is: 13, 13:00, or with its day before it."""
    said = _TIME.fullmatch(hour.strip())
    try:
        begins = datetime.strptime(day[:10], "%Y-%m-%d").replace(tzinfo=ZONE, hour=int(said[1]) if said else 99)
    except ValueError:
        raise Unread(f"{day!r} {hour!r} is no hour of a day") from None
    return begins.astimezone(UTC)


def _account(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{1,20}", text) else ""


def _tokens(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Unread(f"TotalTokens {text!r} is no number of tokens")
    return int(text)


def _sorted(found: Mapping[str, Mapping[datetime, int]]) -> dict[str, Hours]:
    return {name: tuple(sorted(hours.items())) for name, hours in sorted(found.items()) if name}


def _base_models(called: Mapping[str, Hours], known: Mapping[str, Any]) -> dict[str, str]:
    """The known model that each of the meter's names is a version of, where it is none itself (A11)."""
    found: dict[str, str] = {}
    for name in called:
        cut = name.rfind("-")
        while name not in known and cut > 0:
            if name[:cut] in known and _VERSION.fullmatch(name[cut + 1 :]):
                found[name] = name[:cut]
                break
            cut = name.rfind("-", 0, cut)
    return found


def today(now: datetime, project: str) -> Mapping[str, Any]:
    """The smallest request there is: whether the meter may be asked at all."""
    day = f"{now.astimezone(ZONE):%Y-%m-%d}"
    return {"StartTime": day, "EndTime": day, "QueryInterval": "Day", "ProjectName": project}
