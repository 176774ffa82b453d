"""The list of endpoints as ListEndpoints asks for it: filtered, ordered and cut into pages by the database. Reads only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.platforms.embedded.store import Row, Transaction

ORDERS: Final[Mapping[str, str]] = {
    "CreateTime": "created_at", "UpdateTime": "updated_at", "Name": "name", "Id": "id",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which endpoints, in which order, which page of them. Empty filters take all; `name` is a part of the name."""

    project: str = ""
    ids: tuple[str, ...] = ()
    name: str = ""
    model: str = ""
    statuses: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()  # a key, and the values that it may have; none: any
    by: str = "CreateTime"
    descending: bool = True
    skip: int = 0
    most: int = 100


def listed(tx: Transaction, asked: Listing) -> tuple[int, list[Row]]:
    """How many there are, and the page of them."""
    where, values = _where(asked)
    way = "DESC" if asked.descending else "ASC"
    order = f"ORDER BY {ORDERS[asked.by]} {way}, id {way}"
    if asked.tags:  # they are kept as text, so they are looked at one by one
        found = [row for row in tx.all(f"SELECT * FROM endpoints {where} {order}", *values) if _tagged(row, asked)]  # noqa: S608
        return len(found), found[asked.skip : asked.skip + asked.most]
    counted = tx.one(f"SELECT count(*) AS total FROM endpoints {where}", *values)  # noqa: S608  # the words are ours
    rows = tx.all(f"SELECT * FROM endpoints {where} {order} LIMIT ? OFFSET ?", *values, asked.most, asked.skip)  # noqa: S608
    return (counted["total"] if counted is not None else 0), rows


def _where(asked: Listing) -> tuple[str, list[str]]:
    terms: list[str] = []
    values: list[str] = []
    for column, value in (("project", asked.project), ("model", asked.model)):
        if value:
            terms.append(f"{column} = ?")
            values.append(value)
    if asked.name:
        terms.append("instr(name, ?) > 0")
        values.append(asked.name)
    for column, choices in (("id", asked.ids), ("status", asked.statuses), ("model_version", asked.versions)):
        if choices:
            terms.append(f"{column} IN ({', '.join('?' * len(choices))})")
            values += choices
    return (f"WHERE {' AND '.join(terms)}" if terms else ""), values


def _tagged(row: Row, asked: Listing) -> bool:
    tags = dict(json.loads(row["tags"]))
    return all(key in tags and (not values or tags[key] in values) for key, values in asked.tags)
