"""Which keys and entries a schema has judged already, so that `unevaluatedProperties` and `unevaluatedItems` know the rest.

As jsonschema has it, with two differences: each schema that is asked is counted, so that none can double the work without end,
and keys are matched by RE2.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_Match = Callable[[str, str], bool]
_Count = Callable[[object], None]


def keys(validator: Any, instance: Mapping[str, Any], schema: Any, match: _Match, count: _Count) -> set[str]:
    """The keys of the instance that the schema speaks of where it is met."""
    if not isinstance(schema, dict):
        return set()
    count(instance)
    found = {*schema.get("properties", {})} & {*instance}
    found |= {key for key in instance if any(match(pattern, key) for pattern in schema.get("patternProperties", {}))}
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in schema:
            judge = validator.evolve(schema=schema[keyword])
            found |= {key for key, value in instance.items() if judge.is_valid(value)}
    for inner, at in _inner(validator, instance, schema):
        found |= keys(at, instance, inner, match, count)
    for key, inner in schema.get("dependentSchemas", {}).items():
        if key in instance:
            found |= keys(validator, instance, inner, match, count)
    return found


def places(validator: Any, instance: list[Any], schema: Any, count: _Count) -> set[int]:
    """The places of the instance whose entries the schema speaks of where it is met."""
    if not isinstance(schema, dict):
        return set()
    count(instance)
    if "items" in schema:
        return {*range(len(instance))}
    found = {*range(len(schema.get("prefixItems", ())))}
    for keyword in ("contains", "unevaluatedItems"):
        if keyword in schema:
            judge = validator.evolve(schema=schema[keyword])
            found |= {place for place, value in enumerate(instance) if judge.is_valid(value)}
    for inner, at in _inner(validator, instance, schema):
        found |= places(at, instance, inner, count)
    return found


def _inner(validator: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The schemas that judge the same instance and that it meets, each with the validator that knows where it stands."""
    reference = schema.get("$ref")
    if reference is not None:
        resolved = validator._resolver.lookup(reference)
        at = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
        yield resolved.contents, at
    for keyword in ("allOf", "oneOf", "anyOf"):
        for inner in schema.get(keyword, ()):
            if validator.evolve(schema=inner).is_valid(instance):
                yield inner, validator
    if "if" in schema:
        if validator.evolve(schema=schema["if"]).is_valid(instance):
            yield schema["if"], validator
            yield schema.get("then", True), validator
        else:
            yield schema.get("else", True), validator
