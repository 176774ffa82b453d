"""The kinds' models said in other tongues: JSON Schema for editors, CRDs for a cluster, field docs for `explain`. Pure.

The pydantic models in `kinds` (and the status shapes in `observed`) are the only origin; nothing is typed twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reconciler.kinds import API_VERSION, registry
from reconciler.kinds.metadata import Metadata
from reconciler.schema.crd import crd, crds
from reconciler.schema.observed import STATUSES
from reconciler.schema.shape import shape, without

__all__ = ["FieldDoc", "bundle", "crd", "crds", "fields", "json_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_CLUSTER_ONLY: Final = frozenset(("x-kubernetes-validations",))
_TYPES: Final = {
    "string": "text",
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "object": "mapping",
    "array": "list",
}


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """What may stand at `path` ("spec.tokens"; "[]" for a list's items, "*" for any key). `default` None: there is none."""

    path: str
    type: str
    default: Any
    description: str
    enum: tuple[str, ...]
    required: bool


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document of this kind, for an editor."""
    return {"$schema": _DIALECT, **_document(kind)}


def bundle() -> dict[str, Any]:
    """One JSON Schema for documents of every kind: `kind` decides which one holds."""
    kinds = list(registry())
    return {
        "$schema": _DIALECT,
        "description": "A modelpolicy declaration: which models are activated, how many tokens each may use, how fast each "
        "endpoint may run.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {
            "apiVersion": {"description": "The version of the declaration's form.", "const": API_VERSION},
            "kind": {"description": "What is declared.", "enum": kinds},
        },
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": {"$ref": f"#/$defs/{kind}"}}
            for kind in kinds
        ],
        "$defs": {kind: _document(kind) for kind in kinds},
    }


def fields(kind: str) -> tuple[FieldDoc, ...]:
    """Every field of the kind's metadata, spec and status, parents before children."""
    parts = (("metadata", Metadata), ("spec", registry()[kind].spec), ("status", STATUSES[kind]))
    return tuple(found for name, model in parts for found in _fields(name, shape(model), required=_needed(name, kind)))


def _needed(part: str, kind: str) -> bool:
    return part in _document(kind)["required"]


def _document(kind: str) -> dict[str, Any]:
    known = registry()[kind]
    spec = without(shape(known.spec), _CLUSTER_ONLY)
    return {
        "description": " ".join(known.doc.split()),
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", *(["spec"] if spec.get("required") else [])],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"description": "The version of the declaration's form.", "const": API_VERSION},
            "kind": {"description": " ".join(known.doc.split()), "const": kind},
            "metadata": shape(Metadata),
            "spec": spec,
            "status": {"description": "Written by the controller; not looked at in files.", "type": "object"},
        },
    }


def _fields(path: str, node: dict[str, Any], *, required: bool) -> Iterator[FieldDoc]:
    yield FieldDoc(
        path=path,
        type=_type(node),
        default=node.get("default"),
        description=node.get("description", ""),
        enum=tuple(str(choice) for choice in node.get("enum", node.get("items", {}).get("enum", ()))),
        required=required,
    )
    for name, inner in node.get("properties", {}).items():
        if inner.keys() <= {"description"}:
            continue  # what an API server adds to metadata and nobody looks at
        yield from _fields(f"{path}.{name}", inner, required=name in node.get("required", ()))
    for step, key in (("[]", "items"), (".*", "additionalProperties")):
        below = node.get(key)
        if isinstance(below, dict) and "properties" in below:
            yield from _fields(path + step, below, required=False)


def _type(node: dict[str, Any]) -> str:
    """The type in plain words."""
    if "type" not in node and "anyOf" in node:
        return "integer or quantity"
    if node.get("format") == "date-time":
        return "time"
    name = _TYPES.get(str(node.get("type")), "anything")
    return f"list of {_type(node['items'])}" if name == "list" and "items" in node else name
