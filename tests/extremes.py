"""Every value that a kind accepts and nobody expects: each field of each kind, one extreme at a time, as documents.

The fields come from the kinds themselves, so that a new field or a new kind is tried without a word here: a value of the pool
that a field does not take simply gives no document.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from reconciler import schema
from reconciler.kinds import API_VERSION, registry
from reconciler.kinds.metadata import Metadata

TIMES: Final = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "0001-01-01T23:59:59.999999-23:59", "0999-12-31T00:00:00Z",
    "1900-02-28T12:00:00+05:30", "1970-01-01T00:00:00Z", "2000-02-29T00:00:00.000001Z", "2038-01-19T03:14:08Z",
    "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "9999-12-30T00:00:00+14:00",
)  # fmt: skip
NUMBERS: Final = (
    0,
    1,
    100,
    720,
    1_000_000,
    2**31 - 1,
    2**53 - 1,
    2**53,
    2**63 - 1,
    2**63,
    10**30,
    10**63,
    -1,
    1.5,
    1e308,
)
QUANTITIES: Final = ("1k", "0.001k", "9007199.254740991G", "0000000000000001k", "1.000000000000M")
ODD: Final = (
    "e\u0301" * 20, "\U0001f469\u200d\U0001f4bb", "\u0130\u0131", "\ufffd", "\u00a0x", "%s{0}$(x)`|<b>&amp;\\n,;:", "::error::##[group]",
    "", " ", "null", "true", "*", "[!a]", "a.b", "/", "..", "x\ny", "http://127.0.0.1:9/",
)  # fmt: skip
LONG: Final = (
    "a" * 63,
    "a" * 128,
    "a" * 253,
    "a" * 317,
    "a" * 1024,
    "\U0001d54f" * 63,
    "\U0001d54f" * 256,
    "\U0001d54f" * 1024,
)
SCALARS: Final = (None, True, False, *NUMBERS, *TIMES, *QUANTITIES, *LONG)
MANY: Final = (
    [],
    {},
    [f"a{n}" for n in range(64)],
    {f"k{n}": "v" for n in range(64)},
    {"k": {"k": {"k": [None, 1e308, 10**63]}}},
)
# What decides where a document goes; its extremes are tried apart, for no verb gets past them.
ELSEWHERE: Final = ("metadata.namespace", "spec.accountRef", "spec.platform", "spec.embedded.path")


def base(kind: str, number: int) -> dict[str, Any]:
    """The least that a document of the kind says, about a model and an endpoint that no other speaks of."""
    spec: Mapping[str, dict[str, Any]] = {
        "ModelActivation": {"model": f"m-{number}"},
        "InferenceLimit": {"model": f"m-{number}", "tokens": 1000},
        "EndpointRateOverride": {"endpoint": {"id": f"ep-{number}"}, "rpm": 60, "tpm": 6000},
        "PolicyConstraint": {"schema": {}, "message": "x", "match": {"models": [f"m-{number}"]}},
        "PlatformAccount": {"embedded": {"path": f"account-{number}.db"}},
    }
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": f"n-{number}"}, "spec": dict(spec[kind])}


def documents(kind: str, *, start: int = 0) -> Iterator[dict[str, Any]]:
    """Each document of the kind that has one extreme value in one field and is accepted, numbered from `start`."""
    number = start
    for field in schema.fields(kind):
        if not _written(field.path) or field.path.startswith(ELSEWHERE):
            continue
        for value in _values(field):
            document = _with(base(kind, number), field.path.split("."), value)
            if is_accepted(document):
                yield document
                number += 1


def _written(path: str) -> bool:
    """Whether a person writes a value there at all."""
    part, _, rest = path.partition(".")
    own = part == "spec" or rest.split(".")[0] in ("name", "labels", "annotations")
    return bool(rest) and part != "status" and own and "[]" not in path and "*" not in path


def _values(field: schema.FieldDoc) -> Iterator[Any]:
    yield from (*SCALARS, " ".join(ODD), *field.enum, *MANY, list(field.enum), list(field.enum) * 2)
    yield from ([*ODD], dict.fromkeys(filter(None, ODD), "v"), {f"k{place}": value for place, value in enumerate(ODD)})
    for value in (None, 1e308, 10**63, *LONG):
        yield from ([value], {"k": value}, {str(value): "v"})


def _with(document: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    at = made
    for step in path[:-1]:
        at = at.setdefault(step, {})
    at[path[-1]] = value
    return made


def is_accepted(document: Mapping[str, Any]) -> bool:
    """Whether the kind takes the document."""
    try:
        Metadata.model_validate(document["metadata"])
        registry()[document["kind"]].spec.model_validate(document["spec"])
    except ValidationError:
        return False
    return True
