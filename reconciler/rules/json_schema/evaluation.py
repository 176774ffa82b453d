"""How a value is judged by a schema: jsonschema's 2020-12, with every keyword that is looked at counted against a budget."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.rules.json_schema import messages, patterns, unevaluated

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

FIRST_STEPS: Final = 100_000
# What one step pays for, chosen so that a step takes some ten microseconds at worst, whatever is judged.
_VALUES: Final = 32  # values within a mapping or a list, all of which may be looked at or written out
_CHARACTERS: Final = 4_096  # of a text
_NAMES: Final = 32  # names that are required or have a schema
_CHOICES: Final = 2  # values in an enum or a const, each of which is compared
_EACH: Final = 2  # entries that a keyword judges one by one
_MATCHED: Final = 1_000  # characters times the size of the pattern's program
_ONE_BY_ONE: Final = frozenset(
    ("items", "contains", "unevaluatedItems", "additionalProperties", "propertyNames", "patternProperties",
     "unevaluatedProperties", "uniqueItems")
)  # fmt: skip
_Keyword = Callable[..., "Iterable[ValidationError] | None"]


class TooMuch(Exception):
    """A schema spent all its steps."""


@dataclass(slots=True)
class Budget:
    """How many steps one schema may still take in this pass: one for each keyword looked at, and more where that is much work."""

    left: int = FIRST_STEPS
    sizes: dict[int, int] = field(default_factory=dict)  # of the mappings and lists in what is judged now, by identity

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooMuch

    def size(self, value: object) -> int:
        """Steps that looking at all of a value takes, rounded down."""
        if isinstance(value, str):
            return len(value) // _CHARACTERS
        return self.sizes.get(id(value), 0) // _VALUES


_budget: ContextVar[Budget] = ContextVar("_budget")


@contextmanager
def spending(budget: Budget, value: object) -> Iterator[None]:
    """The value is judged within, and that draws on the budget; `TooMuch` where it is spent."""
    budget.sizes = {}
    _measure(value, budget.sizes)
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)
        budget.sizes = {}


def _measure(value: object, sizes: dict[int, int]) -> int:
    """How many values there are in a value, kept for each mapping and list in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    count = 1 + sum(_measure(each, sizes) for each in inner)
    if count > 1:
        sizes[id(value)] = count
    return count


@cache
def evaluator() -> Any:
    """Draft 2020-12 with every keyword counted. Those that could take more than linear time are replaced, and those whose errors
    say in words alone which key they mean: here the message is the name, and `messages` makes the sentence."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own: dict[str, _Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unevaluated_properties,
        "unevaluatedItems": _unevaluated_items,
        "uniqueItems": _unique_items,
        "required": _required,
        "dependentRequired": _dependent_required,
    }
    keywords = {**Draft202012Validator.VALIDATORS, **own}
    return extend(  # type: ignore[no-untyped-call]  # the stubs leave it so
        Draft202012Validator, {name: _counted(name, keyword) for name, keyword in keywords.items()}
    )


def _counted(name: str, keyword: _Keyword) -> _Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> "Iterable[ValidationError] | None":
        budget = _budget.get()
        steps = 1 + budget.size(instance)
        if isinstance(value, dict | list):
            steps += _weight(value) // _CHOICES if name in ("enum", "const") else len(value) // _NAMES
        if name in _ONE_BY_ONE and isinstance(instance, dict | list):
            steps += len(instance) // _EACH
        budget.spend(steps)
        return keyword(validator, value, instance, schema)

    return run


def _weight(value: object) -> int:
    return _measure(value, {})


def _is_match(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text; draws on the budget by the length of both."""
    _budget.get().spend(len(text) * patterns.size(pattern) // _MATCHED)
    return patterns.found(pattern, text)


def _fault(message: str = "") -> "ValidationError":
    """An error whose words `messages` finds; one keyword may make many, so each is counted."""
    from jsonschema.exceptions import ValidationError

    _budget.get().spend()
    return ValidationError(message)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    if isinstance(instance, str) and not _is_match(pattern, instance):
        yield _fault()


def _pattern_properties(
    validator: Any, schemas_: Mapping[str, Any], instance: Any, schema: Any  # noqa: ARG001
) -> "Iterator[ValidationError]":  # fmt: skip
    if isinstance(instance, dict):
        for pattern, subschema in schemas_.items():
            for key in instance:
                if _is_match(pattern, key):
                    yield from validator.descend(instance[key], subschema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    if not isinstance(instance, dict):
        return
    named, by_pattern = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = sorted(key for key in instance if key not in named and not any(_is_match(one, key) for one in by_pattern))
    if isinstance(allowed, dict):
        for key in extras:
            yield from validator.descend(instance[key], allowed, path=key)
    elif allowed is False and extras:
        yield _fault(messages.joined(extras))


def _unevaluated_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    if isinstance(instance, dict):
        known = unevaluated.keys(validator, instance, schema, _is_match, _count)
        rest = [
            key for key in instance if key not in known and not validator.evolve(schema=allowed).is_valid(instance[key])
        ]
        if rest:
            yield _fault(messages.joined(sorted(rest)))


def _unevaluated_items(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    if isinstance(instance, list):
        known = unevaluated.places(validator, instance, schema, _count)
        rest = (place for place in range(len(instance)) if place not in known)
        if any(not validator.evolve(schema=allowed).is_valid(instance[place]) for place in rest):
            yield _fault()


def _count(instance: object) -> None:
    """Draw on the budget for a schema that is asked what it speaks of."""
    budget = _budget.get()
    budget.spend(1 + budget.size(instance))


def _required(validator: Any, names: Any, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    for name in names if isinstance(instance, dict) else ():
        if name not in instance:
            error = _fault(f"`{name}`")
            error.validator_value = [name]  # the one that it speaks of
            yield error


def _dependent_required(validator: Any, by_name: Any, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    for asking, names in by_name.items() if isinstance(instance, dict) else ():
        for name in names if asking in instance else ():
            if name not in instance:
                yield _fault(f"`{name}` is missing and `{asking}`")


def _unique_items(validator: Any, wanted: bool, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    if not wanted or not isinstance(instance, list):
        return
    known: set[str] = set()
    for item in instance:
        text = json.dumps(_canonical(item), sort_keys=True)
        if text in known:
            yield _fault(messages.written(item))
            return
        known.add(text)


def _canonical(value: Any) -> Any:
    """Equal for what JSON Schema calls equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return value
