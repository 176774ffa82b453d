"""How a value is judged by a schema: jsonschema's 2020-12, with every keyword that is looked at counted against a budget."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.rules.json_schema import messages, patterns

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

FIRST_STEPS: Final = 100_000
_Keyword = Callable[..., "Iterable[ValidationError] | None"]


class TooMuch(Exception):
    """A schema spent all its steps."""


@dataclass(slots=True)
class Budget:
    """How many keywords one schema may still look at in this pass."""

    left: int = FIRST_STEPS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooMuch


_budget: ContextVar[Budget] = ContextVar("_budget")


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """Whatever is judged within draws on the budget; `TooMuch` where it is spent."""
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


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
        "uniqueItems": _unique_items,
        "required": _required,
        "dependentRequired": _dependent_required,
    }
    keywords = {**Draft202012Validator.VALIDATORS, **own}
    return extend(  # type: ignore[no-untyped-call]  # the stubs leave it so
        Draft202012Validator, {name: _counted(keyword) for name, keyword in keywords.items()}
    )


def _counted(keyword: _Keyword) -> _Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> "Iterable[ValidationError] | None":
        _budget.get().spend()
        return keyword(validator, value, instance, schema)

    return run


def _fault(message: str = "") -> "ValidationError":
    """An error whose words `messages` finds."""
    from jsonschema.exceptions import ValidationError

    return ValidationError(message)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    if isinstance(instance, str) and not patterns.found(pattern, instance):
        yield _fault()


def _pattern_properties(
    validator: Any, schemas_: Mapping[str, Any], instance: Any, schema: Any  # noqa: ARG001
) -> "Iterator[ValidationError]":  # fmt: skip
    if isinstance(instance, dict):
        for pattern, subschema in schemas_.items():
            for key in instance:
                if patterns.found(pattern, key):
                    yield from validator.descend(instance[key], subschema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    if not isinstance(instance, dict):
        return
    named, by_pattern = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = sorted(
        key for key in instance if key not in named and not any(patterns.found(one, key) for one in by_pattern)
    )
    if isinstance(allowed, dict):
        for key in extras:
            yield from validator.descend(instance[key], allowed, path=key)
    elif allowed is False and extras:
        yield _fault(messages.joined(extras))


def _required(validator: Any, names: Any, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    for name in names if isinstance(instance, dict) else ():
        if name not in instance:
            yield _fault(f"`{name}`")


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
