"""pydantic's schema of a model without its noise: references written out, no titles, no null for "may be left out"."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from reconciler.kinds.common import build, uncited

_NULL: Final = {"type": "null"}
_FIRST: Final[tuple[str, ...]] = ("description", "type", "enum", "format", "default", "required")


def shape(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of what may be written for `model`, self-contained; a new value with each call."""
    build(model)
    raw = model.model_json_schema(by_alias=True)
    return _clean(raw, raw.get("$defs", {}))


def without(node: Any, dropped: frozenset[str]) -> Any:
    """A schema without some of its keywords, at every depth; properties of those names stay."""
    if isinstance(node, list):
        return [without(item, dropped) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: without(inner, dropped) for name, inner in value.items()}
        if key == "properties"
        else value
        if key in ("default", "enum", "const")
        else without(value, dropped)
        for key, value in node.items()
        if key not in dropped
    }


def _clean(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """One schema node: what stands beside a reference wins over what it refers to."""
    node = {key: value for key, value in node.items() if key not in ("$defs", "title")}
    if "$ref" in node:
        referred = definitions[node.pop("$ref").removeprefix("#/$defs/")]
        node = {key: value for key, value in {**referred, **node}.items() if key != "title"}
    choices = [choice for choice in node.get("anyOf", ()) if choice != _NULL]
    if len(choices) == 1:
        node.pop("anyOf")
        return _clean({**choices[0], **node}, definitions)
    cleaned = {key: _inner(key, value, definitions) for key, value in node.items()}
    if "default" in cleaned:
        default = _without_nulls(cleaned.pop("default"))
        if default is not None and default != {} and default != []:
            cleaned["default"] = default
    if "description" in cleaned:
        cleaned["description"] = " ".join(uncited(str(cleaned["description"])).split())
    first = {key: cleaned.pop(key) for key in _FIRST if key in cleaned}
    return {**first, **cleaned}


def _inner(key: str, value: Any, definitions: Mapping[str, Any]) -> Any:
    if key == "properties":
        return {name: _clean(inner, definitions) for name, inner in value.items()}
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return _clean(value, definitions)
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {key: _without_nulls(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item is not None and item != {} and item != []}
    return value
