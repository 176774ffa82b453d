"""GetInferenceUsage: the meter as Ark publishes it. A request's JSON in, a table of text out.

    Filters   one key each: with values only those rows, with ValueLike those that contain it, with empty Values a group for each
    columns   AccountID, Day, Hour ("" where days are asked for), then every key of Filters, then the sums

Days and hours are those of UTC+8. Batch use has a BatchType of this platform's own; plug-ins and knowledge bases are not metered
here. Nothing is late: a meter that lags is ordered as a stale read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from reconciler.platforms.embedded import wire
from reconciler.platforms.embedded.calls import UseKind
from reconciler.platforms.embedded.charging import HOUR_S
from reconciler.platforms.embedded.control import account_row
from reconciler.platforms.embedded.lifecycle import preset
from reconciler.platforms.embedded.store import Row, Transaction
from reconciler.platforms.embedded.wire import WireError

Json = dict[str, Any]
ZONE: Final = timezone(timedelta(hours=8))
MOST_DAYS: Final = 31
KEYS: Final = (
    "ApikeyID", "ModelName", "ModelVersion", "ModelEndpoint", "EndpointName", "ModelUnitID", "BillingStatus", "BatchJobID",
    "BatchType",
)  # fmt: skip
BATCH: Final = "Batch"
_SUMS: Final = ("InputTokens", "OutputTokens", "TotalTokens", "ReqCnt")
_TYPES: Final = {"Day": "DATE", "AccountID": "BIGINT", **dict.fromkeys(_SUMS, "BIGINT")}


@dataclass(frozen=True, slots=True)
class Filter:
    """One key of the request: rows of one of `values`, or that contain `like`; all of them where neither says anything."""

    key: str
    values: tuple[str, ...] = ()
    like: str = ""

    def takes(self, value: str) -> bool:
        return (not self.values or value in self.values) and self.like in value


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for: whole days, both included."""

    first: date
    last: date
    by_hour: bool
    filters: tuple[Filter, ...] = ()
    project: str = ""


def query(body: Mapping[str, Any]) -> Query:
    """The request, checked. Raises WireError where it is not well formed."""
    first, last = _day(body, "StartTime"), _day(body, "EndTime")
    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise WireError(
            "InvalidParameter.EndTime", f"EndTime must be from StartTime to {MOST_DAYS} days after it.", 400
        )
    wire.text(body, "QueryInterval", required=True)
    if wire.flag(body, "ShowWindowDetail"):
        raise WireError("InvalidParameter.ShowWindowDetail", "This platform has no price windows.", 400)
    return Query(
        first=first,
        last=last,
        by_hour=wire.one_of(body, "QueryInterval", ("Day", "Hour")) == "Hour",
        filters=tuple(_filters(body)),
        project=wire.text(body, "ProjectName", most=128),
    )


def _day(body: Mapping[str, Any], field: str) -> date:
    said = wire.text(body, field, required=True, most=10)
    try:
        return date.fromisoformat(said) if len(said) == len("2026-01-31") else date.fromisoformat("")
    except ValueError as exc:
        raise WireError(
            f"InvalidParameter.{field}", f"The parameter {field} must be a day such as 2026-01-31.", 400
        ) from exc


def _filters(body: Mapping[str, Any]) -> Iterator[Filter]:
    listed = body.get("Filters") or []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise WireError("InvalidParameter.Filters", "The parameter Filters must be a list of objects.", 400)
    seen: set[str] = set()
    for each in listed:
        key = wire.text(each, "Key", required=True)
        if key not in KEYS or key in seen:
            raise WireError("InvalidParameter.Filters", f"Filters must name each of {', '.join(KEYS)} once.", 400)
        seen.add(key)
        values, like = wire.texts(each, "Values"), wire.text(each, "ValueLike")
        if values and like:
            raise WireError("InvalidParameter.Filters", "A filter takes Values or ValueLike, not both.", 400)
        yield Filter(key, values, like)


def answer(tx: Transaction, asked: Query) -> Json:
    """The table: one row for each hour or day and each combination of the filters' keys."""
    account = account_id(account_row(tx)["identity"])
    found: dict[tuple[str, ...], list[int]] = {}
    for row, facts in _rows(tx, asked):
        at = datetime.fromtimestamp(row["hour"] * HOUR_S, UTC).astimezone(ZONE)
        when = (f"{at:%Y-%m-%d}", f"{at:%H}" if asked.by_hour else "")
        sums = found.setdefault((*when, *(facts[each.key] for each in asked.filters)), [0, 0, 0, 0])
        amounts = (row["tokens"] - row["output"], row["output"], row["tokens"], row["requests"])
        sums[:] = [so_far + amount for so_far, amount in zip(sums, amounts, strict=True)]
    names = ("AccountID", "Day", "Hour", *(each.key for each in asked.filters), *_SUMS)
    data = [[account, *key, *map(str, sums)] for key, sums in sorted(found.items())]
    fields = [{"Name": name, "Type": _TYPES.get(name, "STRING")} for name in names]
    return {"DataCount": len(data), "Fields": fields, "Data": data}


def _rows(tx: Transaction, asked: Query) -> Iterator[tuple[Row, Mapping[str, str]]]:
    """The uses that every filter takes, each with what the keys say of it."""
    begin = datetime(asked.first.year, asked.first.month, asked.first.day, tzinfo=ZONE)
    hours = ((asked.last - asked.first).days + 1) * 24
    first = int(begin.timestamp()) // HOUR_S
    identity = account_row(tx)["identity"]
    rows = tx.all(
        "SELECT uses.*, endpoints.name AS endpoint_name, endpoints.project, endpoints.model_version, endpoints.model_units, "
        "models.versions FROM uses JOIN models ON models.name = uses.model LEFT JOIN endpoints ON endpoints.id = uses.endpoint "
        "WHERE hour >= ? AND hour < ? AND kind IN (?, ?)",
        first,
        first + hours,
        UseKind.ONLINE.value,
        UseKind.BATCH.value,
    )
    for row in rows:
        facts = _facts(row, identity)
        if asked.project in ("", row["project"] or "default") and all(f.takes(facts[f.key]) for f in asked.filters):
            yield row, facts


def _facts(row: Row, identity: str) -> Mapping[str, str]:
    """What every key says of a use. Keys of the data plane and jobs of batch inference have no ids here."""
    return {
        "ApikeyID": "",
        "ModelName": row["model"],
        "ModelVersion": row["model_version"] or row["versions"].split(",")[0],
        "ModelEndpoint": row["endpoint"] or preset(identity, row["model"]),
        "EndpointName": row["endpoint_name"] or "",
        "ModelUnitID": f"mu-{row['model_units']}" if row["model_units"] is not None else "",
        "BillingStatus": row["status"],
        "BatchJobID": "",
        "BatchType": BATCH if row["kind"] == UseKind.BATCH else "",
    }


def account_id(identity: str) -> str:
    """The file's identity as a number, as Ark's accounts have one."""
    return str(int(identity[:12], 16))
