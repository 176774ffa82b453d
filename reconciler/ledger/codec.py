"""Our values as the JSON text that the ledger keeps, and back. No I/O; old ledgers must stay readable.

A field that cannot be seen is kept as {"unobservable": true}; times are ISO 8601 in UTC.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.identity import Identity
from reconciler.state import UNOBSERVABLE, Attestation, Fields, Record, Target, Value

_UNSEEN: Final = {"unobservable": True}
_TIMES: Final = ("equal_at", "set_at", "removed_at", "refused_until")
_FIELDS: Final = ("baseline", "applied")
_PLAIN: Final = ("owner", "source", "deletion_policy", "protected", "renewal")
_LATER: Final = (
    "set_name",
    "labels",
    "renewal_unknown",
    "reverting",
)  # left out where empty, as the first version never wrote them


def text(value: Any) -> str:
    """JSON without blanks and with sorted keys: equal values, equal text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def time_of(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def fields_text(values: Fields) -> str:
    return text(_fields(values))


def fields_of(stored: str) -> Fields:
    return _fields_of(json.loads(stored))


def record_text(record: Record) -> str:
    """The record without its target, which has columns of its own."""
    body: dict[str, Any] = {name: getattr(record, name) for name in _PLAIN}
    body |= {name: getattr(record, name) or None for name in _LATER}
    for name in _FIELDS:
        values = getattr(record, name)
        body[name] = None if values is None else _fields(values)
    for name in _TIMES:
        moment = getattr(record, name)
        body[name] = moment and time_text(moment)
    body["corrections"] = [time_text(moment) for moment in record.corrections] or None
    if record.attestation:
        said = record.attestation
        body["attestation"] = {"fields": _fields(said.fields), "by": said.by, "at": time_text(said.at)}
    return text({name: value for name, value in body.items() if value is not None})


def record_of(target: Target, stored: str) -> Record:
    """The record in `stored`; what it does not say has its default, so that older ledgers stay readable."""
    body: Mapping[str, Any] = json.loads(stored)
    known: dict[str, Any] = {name: body[name] for name in (*_PLAIN, *_LATER) if name in body}
    known |= {name: _fields_of(body[name]) for name in _FIELDS if name in body}
    known |= {name: time_of(body[name]) for name in _TIMES if name in body}
    known["corrections"] = tuple(datetime.fromisoformat(moment) for moment in body.get("corrections", ()))
    if said := body.get("attestation"):
        known["attestation"] = Attestation(_fields_of(said["fields"]), said["by"], datetime.fromisoformat(said["at"]))
    return Record(target=target, **known)


def identity_text(identity: Identity) -> str:
    return text({field.name: getattr(identity, field.name) for field in fields(identity)})


def identity_of(stored: str) -> Identity:
    """The identity in `stored`; what a later version added to it is passed over."""
    body: Mapping[str, Any] = json.loads(stored)
    return Identity(**{field.name: str(body[field.name]) for field in fields(Identity) if field.name in body})


def _fields(values: Fields) -> dict[str, Any]:
    return {path: _UNSEEN if value is UNOBSERVABLE else value for path, value in values.items()}


def _fields_of(stored: Mapping[str, Any]) -> Fields:
    return {path: _value_of(value) for path, value in stored.items()}


def _value_of(stored: Any) -> Value:
    if stored == _UNSEEN:
        return UNOBSERVABLE
    return tuple(stored) if isinstance(stored, list) else stored
