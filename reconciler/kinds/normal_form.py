"""What a resource looks like to a constraint, as JSON Schema: which keys `kinds.normalised` gives, and of what types. Pure."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.kinds import API_VERSION, registry
from reconciler.kinds.common import build


@cache
def schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema that every normalised resource of the kind meets. A key that is always there is `required`: in `spec`
    that is every one, null where it is not declared."""
    text = {"type": "string"}
    words = {"type": "object", "additionalProperties": text}
    metadata = {"name": text, "namespace": text, "labels": words, "annotations": words}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"type": "string", "enum": [API_VERSION]},
            "kind": {"type": "string", "enum": [kind]},
            "metadata": {"type": "object", "additionalProperties": False, "required": ["name"], "properties": metadata},
            "spec": spec(kind),
        },
    }


@cache
def spec(kind: str) -> Mapping[str, Any]:
    """The same of its spec alone."""
    model = registry()[kind].spec
    build(model)
    raw = model.model_json_schema(by_alias=True, mode="serialization")
    written: Mapping[str, Any] = _written_out(raw, raw.get("$defs", {}))
    return written


_KEPT = frozenset(("type", "properties", "additionalProperties", "items", "anyOf", "enum", "const"))


def _written_out(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A node without references and without bounds; all of its keys are there."""
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _written_out(definitions[node["$ref"].removeprefix("#/$defs/")], definitions)
    found: dict[str, Any] = {key: value for key, value in node.items() if key in _KEPT}
    if "properties" in found:
        found.pop("anyOf", None)  # only asks for one of its keys
        found["properties"] = {name: _written_out(inner, definitions) for name, inner in found["properties"].items()}
        found["required"] = list(found["properties"])
    for key in ("additionalProperties", "items"):
        if key in found:
            found[key] = _written_out(found[key], definitions)
    if "anyOf" in found:
        found["anyOf"] = [_written_out(inner, definitions) for inner in found["anyOf"]]
    return found
