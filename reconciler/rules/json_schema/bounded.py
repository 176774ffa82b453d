"""JSON Schema made safe to run. No schema can fetch, hang or crash a pass.

    form      a walk without recursion: JSON values only, bounded size and depth, references within the schema, RE2 patterns
    validity  the metaschema of 2020-12, also over every part that a reference reaches
    work      every keyword looked at is counted against a budget: counted, not timed, so the same input gives the same findings

jsonschema is heavy and is loaded when a constraint is first met. No findings here: the rules make them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.rules.json_schema import messages, patterns
from reconciler.rules.json_schema.evaluation import Budget, TooMuch, evaluator, spending
from reconciler.rules.json_schema.keywords import Path, pointed, schemas

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MOST_VALUES: Final = 10_000
MOST_LEVELS: Final = 64
MOST_INTEGER: Final = 2**63
MOST_TOLD: Final = 5  # faults of one value
STEPS_EACH: Final = 1_000
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a schema cannot be used, and where in it."""

    message: str
    path: Path = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a value breaks a schema: where in the value, by which keyword, and the key that `required` misses."""

    path: Path
    keyword: str
    missing: frozenset[str]
    _error: "ValidationError"

    @property
    def message(self) -> str:
        """What is wrong there, made when it is asked for: of many faults few are told."""
        return messages.of(self._error)


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that is safe to run, made ready once however many values it is run over."""

    _validator: "Validator"

    def faults(self, value: Mapping[str, Any], budget: Budget) -> Iterator[Fault] | None:
        """How the value breaks the schema, or None where telling takes too much work; draws on the budget."""
        budget.left += STEPS_EACH
        try:
            with spending(budget, value):
                return iter([_fault_of(error) for error in self._validator.iter_errors(value)])
        except (TooMuch, RecursionError):
            budget.left = 0  # the next value gets its own share and no more
            return None


def _fault_of(error: "ValidationError") -> Fault:
    missing = error.validator_value if error.validator == "required" and isinstance(error.validator_value, list) else ()
    return Fault(tuple(error.absolute_path), str(error.validator), frozenset(missing), error)


def compiled(schema: Mapping[str, Any]) -> Schema | Unfit:
    """The schema made ready, or why it cannot be used."""
    return _oversized(schema) or _oddity(schema) or _ready(json.dumps(schema))


def _oversized(schema: Mapping[str, Any]) -> Unfit | None:
    """The first value in the schema that is none of JSON's, or one too many. A walk without recursion."""
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
            if not all(isinstance(key, str) for key in value):
                return Unfit("has a key that is not text", path)
            stack += [((*path, key), each) for key, each in reversed(value.items())]
        elif isinstance(value, list | tuple):
            stack += [((*path, index), each) for index, each in enumerate(value)]
        elif not isinstance(value, str | bool | int | float | None):
            return Unfit(f"holds a {type(value).__name__}, which is no JSON value", path)
        elif isinstance(value, int) and abs(value) >= MOST_INTEGER:
            return Unfit("holds an integer of more than 63 bits", path)
    return None


def _oddity(schema: Mapping[str, Any]) -> Unfit | None:
    """The first thing that one of the schemas within the schema asks for and that is not done here."""
    parts = schemas(schema)
    for path, part in parts.items():
        found = _odd(path, part) if isinstance(part, dict) else None
        if found is not None:
            return found
    return None


def _odd(path: Path, part: Mapping[str, Any]) -> Unfit | None:
    ref, dialect = part.get("$ref"), part.get("$schema")
    if isinstance(ref, str) and not ref.startswith("#"):
        return Unfit(
            f"refers to {ref[:100]!r}; only references within the schema (#/$defs/...) are followed", (*path, "$ref")
        )
    if isinstance(dialect, str) and dialect.rstrip("#") != _DIALECT:
        return Unfit(f"is written for {dialect[:100]!r}; only 2020-12 is understood", (*path, "$schema"))
    for key in ("$dynamicRef", "$id"):
        if isinstance(part.get(key), str) and (path or key != "$id"):  # the whole schema's own name changes nothing
            return Unfit(f"uses {key}, which is not supported within a constraint", (*path, key))
    wanted = [part["pattern"]] if isinstance(part.get("pattern"), str) else []
    by_pattern = part.get("patternProperties")
    wanted += by_pattern if isinstance(by_pattern, dict) else ()
    for pattern in wanted:
        why = patterns.why_unfit(pattern)
        if why:
            return Unfit(f"has the pattern {pattern[:100]!r}, which cannot be used: {why}", path)
    return None


@lru_cache(maxsize=256)
def _ready(text: str) -> Schema | Unfit:
    """The schema made ready once, however many resources it is run over."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    schema = json.loads(text)
    unfit = _invalid(schema, ())
    if unfit is not None:
        return unfit
    schema.pop("$id", None)  # it would be the base of every reference, and those stay within
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    judged, resolved = {*schemas(schema, referred=False)}, set()
    for path, part in schemas(schema).items():
        ref = part.get("$ref") if isinstance(part, dict) else None
        if not isinstance(ref, str) or ref in resolved:
            continue
        resolved.add(ref)
        try:
            reached = resolver.lookup(ref).contents
        except (Unresolvable, ValueError, TypeError):
            return Unfit(f"refers to {ref[:100]!r}, which is not in it", (*path, "$ref"))
        target = pointed(schema, ref)
        unfit = _invalid(reached, (*path, "$ref")) if target is not None and target[0] not in judged else None
        if unfit is not None:
            return unfit
        judged |= {target[0]} if target else set()
    _write_out_forbidden(schema)
    return Schema(evaluator()(schema, registry=Registry()))


def _write_out_forbidden(schema: dict[str, Any]) -> None:
    """Write out `false` where it forbids a key or an entry: jsonschema tells no place for it."""
    for part in schemas(schema).values():
        for name in ("properties", "patternProperties", "prefixItems") if isinstance(part, dict) else ():
            inner = part.get(name)
            places = inner.items() if isinstance(inner, dict) else enumerate(inner or ())
            for place in [place for place, value in places if value is False]:
                inner[place] = {"not": {}}


def _invalid(schema: Any, at: Path) -> Unfit | None:
    """What the metaschema has against it; `at` is where it is asked for, () where it is the whole schema."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import best_match

    judge = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=FormatChecker(formats=()))
    try:
        error = best_match(judge.iter_errors(schema))
    except RecursionError:
        return Unfit("is nested too deeply")
    if error is None:
        return None
    message, hint = messages.of_schema(error)
    return Unfit(f"is no valid JSON Schema: {message}", at or tuple(error.absolute_path), hint)
