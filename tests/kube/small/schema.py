"""A custom resource by its CRD's structural schema: unknown fields go, defaults come, and what is wrong is told at once."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final

from cel_expr_python import cel

Node = dict[str, Any]
_TYPES: Final = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
_ABSENT: Final = object()


def pruned(node: Node, value: Any) -> Any:
    """The value without fields that the schema does not know."""
    if isinstance(value, dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
        known, more = node.get("properties", {}), node.get("additionalProperties")
        return {
            key: pruned(known.get(key) or more, inner)
            for key, inner in value.items()
            if key in known or isinstance(more, dict)
        }
    if isinstance(value, list) and "items" in node:
        return [pruned(node["items"], inner) for inner in value]
    return value


def defaulted(node: Node, value: Any) -> Any:
    """The value with the schema's defaults, also where a null stands for a field that has one."""
    if isinstance(value, dict):
        filled = dict(value)
        for name, inner in node.get("properties", {}).items():
            if filled.get(name) is None and "default" in inner:
                filled[name] = inner["default"]
            if name in filled:
                filled[name] = defaulted(inner, filled[name])
        return filled
    if isinstance(value, list) and "items" in node:
        return [defaulted(node["items"], inner) for inner in value]
    return value


def wrong(node: Node, value: Any, path: str, old: Any = _ABSENT) -> Iterator[str]:
    """Everything that is wrong with a value, as the server says it; rules of CEL only where the rest is right."""
    told = list(_shape(node, value, path))
    yield from told
    if not told:
        yield from _rules(node, value, path, old)


def _shape(node: Node, value: Any, path: str) -> Iterator[str]:
    if value is None and not node.get("nullable"):
        yield f'{path}: Invalid value: "null": {path} in body must be of type {node.get("type", "object")}: "null"'
        return
    misfit = _misfit(node, value)
    if misfit:
        yield f"{path}: Invalid value: {value!r}: {path} in body must be {misfit}"
        return
    if "enum" in node and value not in node["enum"]:
        allowed = ", ".join(f'"{choice}"' for choice in node["enum"])
        yield f'{path}: Unsupported value: "{value}": supported values: {allowed}'
    yield from _bounds(node, value, path)
    if isinstance(value, dict):
        for name in node.get("required", ()):
            if name not in value:
                yield f"{path}.{name}: Required value"
        known, more = node.get("properties", {}), node.get("additionalProperties")
        for name, inner in value.items():
            below = known.get(name) or (more if isinstance(more, dict) else None)
            if below is not None:
                yield from _shape(below, inner, f"{path}.{name}")
    elif isinstance(value, list) and "items" in node:
        for index, inner in enumerate(value):
            yield from _shape(node["items"], inner, f"{path}[{index}]")


def _misfit(node: Node, value: Any) -> str:
    """The type that the value should have had, "" where it has it."""
    if node.get("x-kubernetes-int-or-string"):
        return "an integer or text" if isinstance(value, bool) or not isinstance(value, int | str) else ""
    wanted = node.get("type")
    numeric = wanted in ("integer", "number")
    fits = wanted is None or (isinstance(value, _TYPES[wanted]) and not (numeric and isinstance(value, bool)))
    return "" if fits else f"of type {wanted}"


def _bounds(node: Node, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > node.get("maxLength", len(value)):
            yield f"{path}: Too long: may not be more than {node['maxLength']} bytes"
        if len(value) < node.get("minLength", 0):
            yield f'{path}: Invalid value: "{value}": {path} in body should be at least {node["minLength"]} chars long'
        if "pattern" in node and not re.search(node["pattern"], value):
            yield f"{path}: Invalid value: \"{value}\": {path} in body should match '{node['pattern']}'"
        if node.get("format") == "date-time" and not _is_moment(value):
            yield f'{path}: Invalid value: "{value}": {path} in body must be of type date-time: "{value}"'
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if value < node.get("minimum", value):
            yield f"{path}: Invalid value: {value}: {path} in body should be greater than or equal to {node['minimum']}"
        if value > node.get("maximum", value):
            yield f"{path}: Invalid value: {value}: {path} in body should be less than or equal to {node['maximum']}"
    elif isinstance(value, list | dict):
        word = "Items" if isinstance(value, list) else "Properties"
        if len(value) > node.get(f"max{word}", len(value)):
            yield f"{path}: Too many: {len(value)}: must have at most {node[f'max{word}']} {word.lower()}"


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _rules(node: Node, value: Any, path: str, old: Any) -> Iterator[str]:
    """The CEL rules of a value and of all below it; one that speaks of oldSelf is asked only where there was one."""
    for rule in node.get("x-kubernetes-validations", ()):
        transition = "oldSelf" in rule["rule"]
        if transition and old is _ABSENT:
            continue
        known = {"self": value, "oldSelf": old if transition else None}
        if not _program(rule["rule"]).eval(data=known).value():
            yield f"{path}: Invalid value: {rule.get('message', 'failed rule: ' + rule['rule'])}"
    if isinstance(value, dict):
        for name, inner in node.get("properties", {}).items():
            if name in value:
                before = old.get(name, _ABSENT) if isinstance(old, dict) else _ABSENT
                yield from _rules(inner, value[name], f"{path}.{name}", before)


@cache
def _program(rule: str) -> Any:
    return cel.NewEnv(variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN}).compile(rule)
