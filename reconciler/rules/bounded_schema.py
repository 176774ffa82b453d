"""JSON Schema made safe to run: the one home of jsonschema and of RE2. No schema can fetch, hang or crash a pass.

    form      a walk without recursion: JSON values only, bounded size and depth, references within the schema, RE2 patterns
    validity  the metaschema of 2020-12, also over every part that a reference reaches
    work      every keyword looked at is counted against a budget: counted, not timed, so the same input gives the same findings

jsonschema is heavy and is loaded when a constraint is first met. No findings here: `constraint` makes them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MOST_VALUES: Final = 10_000
MOST_LEVELS: Final = 64
MOST_PATTERN: Final = 1_000  # characters
MOST_INTEGER: Final = 2**63
MOST_TOLD: Final = 5  # faults of one value
FIRST_STEPS: Final = 100_000
STEPS_EACH: Final = 1_000
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Path = tuple[str | int, ...]
_Keyword = Callable[..., "Iterable[ValidationError] | None"]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a schema cannot be used, and where in it."""

    message: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a value breaks a schema: where in the value, by which keyword, and the keys that `required` misses."""

    path: Path
    message: str
    keyword: str
    missing: frozenset[str] = frozenset()


class _TooMuch(Exception):
    """A schema spent all its steps."""


@dataclass(slots=True)
class Budget:
    """How many keywords one schema may still look at in this pass."""

    left: int = FIRST_STEPS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _TooMuch


_budget: ContextVar[Budget] = ContextVar("_budget")


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that is safe to run, made ready once however many values it is run over."""

    _validator: "Validator"

    def faults(self, value: Mapping[str, Any], budget: Budget) -> Iterator[Fault] | None:
        """How the value breaks the schema, or None where telling takes too much work; draws on the budget."""
        budget.left += STEPS_EACH
        token = _budget.set(budget)
        try:
            return iter([_fault_of(error) for error in self._validator.iter_errors(value)])
        except (_TooMuch, RecursionError):
            budget.left = 0  # the next value gets its own share and no more
            return None
        finally:
            _budget.reset(token)


def _fault_of(error: "ValidationError") -> Fault:
    wanted = error.validator_value if error.validator == "required" and isinstance(error.validator_value, list) else []
    held = error.instance if isinstance(error.instance, dict) else {}
    missing = frozenset(key for key in wanted if key not in held)
    return Fault(tuple(error.absolute_path), _shortened(error.message), str(error.validator), missing)


def _shortened(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."


def compiled(schema: Mapping[str, Any]) -> Schema | Unfit:
    """The schema made ready, or why it cannot be used."""
    return _oddity(schema) or _ready(json.dumps(schema))


def _oddity(schema: Mapping[str, Any]) -> Unfit | None:
    """The first thing about the schema's form that keeps it from being used. A walk without recursion."""
    stack: list[tuple[Path, Any]] = [((), schema)]
    count = 0
    while stack:
        path, value = stack.pop()
        count += 1
        if count > MOST_VALUES:
            return Unfit(f"has more than {MOST_VALUES:,} values")
        if len(path) > MOST_LEVELS:
            return Unfit(f"is nested deeper than {MOST_LEVELS} levels", path[:2])
        if isinstance(value, dict):
            found = _odd_key(path, value)
            if found is not None:
                return found
            stack += [((*path, key), each) for key, each in reversed(value.items())]
        elif isinstance(value, list | tuple):
            stack += [((*path, index), each) for index, each in enumerate(value)]
        elif not isinstance(value, str | bool | int | float | None):
            return Unfit(f"holds a {type(value).__name__}, which is no JSON value", path)
        elif isinstance(value, int) and abs(value) >= MOST_INTEGER:
            return Unfit("holds an integer of more than 63 bits", path)
    return None


def _odd_key(path: Path, value: Mapping[Any, Any]) -> Unfit | None:
    if not all(isinstance(key, str) for key in value):
        return Unfit("has a key that is not a string", path)
    ref, dialect = value.get("$ref"), value.get("$schema")
    if isinstance(ref, str) and not ref.startswith("#"):
        return Unfit(
            f"refers to {ref[:100]!r}; only references within the schema (#/$defs/...) are followed", (*path, "$ref")
        )
    if isinstance(dialect, str) and dialect.rstrip("#") != _DIALECT:
        return Unfit(f"is written for {dialect[:100]!r}; only 2020-12 is understood", (*path, "$schema"))
    for key in ("$dynamicRef", "$id"):
        if isinstance(value.get(key), str):
            return Unfit(f"uses {key}, which is not supported within a constraint", (*path, key))
    patterns = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
    by_pattern = value.get("patternProperties")
    patterns += by_pattern if isinstance(by_pattern, dict) else ()
    for pattern in patterns:
        why = _bad_pattern(pattern)
        if why:
            return Unfit(f"has the pattern {pattern[:100]!r}, which cannot be used: {why}", path)
    return None


def _bad_pattern(pattern: object) -> str:
    import re2

    if not isinstance(pattern, str) or len(pattern) > MOST_PATTERN:
        return f"it is longer than {MOST_PATTERN:,} characters"
    try:
        _regex(pattern)
    except re2.error as error:
        text = error.args[0] if error.args else b""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    except UnicodeError:
        return "it is not valid Unicode"
    return ""


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


@lru_cache(maxsize=256)
def _ready(text: str) -> Schema | Unfit:
    """The schema made ready once, however many resources it is run over."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    schema = json.loads(text)
    unfit = _invalid(schema)
    if unfit is not None:
        return unfit
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for ref in sorted(_references(schema)):
        try:
            reached = resolver.lookup(ref).contents
        except (Unresolvable, ValueError, TypeError):
            return Unfit(f"refers to {ref[:100]!r}, which is not in it")
        unfit = _invalid(reached)
        if unfit is not None:
            return unfit
    if "unevaluatedProperties" in text and "patternProperties" in text:
        return Unfit("uses unevaluatedProperties beside patternProperties, which is not supported within a constraint")
    return Schema(_bounded_class()(schema, registry=Registry()))


def _invalid(schema: Any) -> Unfit | None:
    """What the metaschema has against it."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema, format_checker=FormatChecker(formats=()))
    except RecursionError:
        return Unfit("is nested too deeply")
    except SchemaError as error:
        return Unfit(f"is no valid JSON Schema: {_shortened(error.message)}", tuple(error.absolute_path))
    return None


def _references(schema: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    stack: list[Any] = [schema]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            found |= {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return found


@cache
def _bounded_class() -> Any:
    """Draft 2020-12 with every keyword counted, and those that could take more than linear time replaced."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own: dict[str, _Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
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


def _fault(message: str) -> "ValidationError":
    from jsonschema.exceptions import ValidationError

    return ValidationError(message)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    if isinstance(instance, str) and not _regex(pattern).search(instance):
        yield _fault(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any  # noqa: ARG001
) -> "Iterator[ValidationError]":  # fmt: skip
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            for key in instance:
                if _regex(pattern).search(key):
                    yield from validator.descend(instance[key], subschema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> "Iterator[ValidationError]":
    if not isinstance(instance, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = sorted(
        key for key in instance if key not in named and not any(_regex(one).search(key) for one in patterns)
    )
    if isinstance(allowed, dict):
        for key in extras:
            yield from validator.descend(instance[key], allowed, path=key)
    elif allowed is False and extras:
        yield _fault(f"unexpected: {', '.join(extras)}")


def _unique_items(validator: Any, wanted: bool, instance: Any, schema: Any) -> "Iterator[ValidationError]":  # noqa: ARG001
    if wanted and isinstance(instance, list):
        texts = {json.dumps(item, sort_keys=True) for item in instance}
        if len(texts) < len(instance):
            yield _fault("has items that are equal")
