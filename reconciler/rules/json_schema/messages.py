"""jsonschema's errors in the words that a policy file is written in: null, a mapping, a list, true and false, text in quotes.

No judgement here: an error in, a sentence out.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from reconciler.rules.json_schema.keywords import KEYWORDS, TYPES, Form

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MAX_SHOWN: Final = 60  # characters of a value
MAX_MESSAGE: Final = 240
TYPE_WORDS: Final = {
    "null": "null",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "number": "a number",
    "string": "text",
    "integer": "a whole number",
}


def shown(value: object) -> str:
    """A value as YAML would write it, short."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return written(value)


def written(value: object) -> str:
    """A value of a schema in full, as far as there is room."""
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return _cut(json.dumps(value[:MAX_SHOWN], ensure_ascii=False), MAX_SHOWN)
    return _cut(json.dumps(value, ensure_ascii=False, default=str), MAX_SHOWN)


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a word most likely means, whatever its case; None where none is near."""
    by_case = {choice.casefold(): choice for choice in sorted(choices)}
    found = difflib.get_close_matches(word[:128].casefold(), list(by_case), n=1, cutoff=0.65)
    return by_case[found[0]] if found else None


def of(error: "ValidationError") -> str:
    """What a value breaks."""
    said = _cut(_SAID[str(error.validator)](error) if str(error.validator) in _SAID else error.message, MAX_MESSAGE)
    return f"the key {said}" if keyword_at(error.relative_schema_path, "propertyNames") else said


def of_schema(error: "ValidationError") -> tuple[str, str]:
    """What is wrong with a schema by the metaschema, and what to write instead."""
    name = keyword_at(error.absolute_path)
    if name is None:
        last = error.absolute_path[-1] if error.absolute_path else ""
        message = f"{shown(error.instance)} stands where a schema belongs: a mapping, true or false"
        return message, _instead(str(last), error.instance)
    form, value = KEYWORDS[name].form, error.instance
    if form is Form.TYPE and isinstance(value, str):
        near = closest(value, TYPES)
        return f"{shown(value)} is no type; there are {', '.join(TYPES)}", f"Did you mean {near}?" if near else ""
    if form is Form.TEXT and isinstance(value, str):
        return f"`{name}` is {shown(value)}, which is no such name", ""
    verb = "is" if error.absolute_path[-1] == name else "holds"
    return f"`{name}` {verb} {shown(value)}, and must be {form.value}", _instead(name, value)


def keyword_at(path: Iterable[str | int], wanted: str | None = None) -> str | None:
    """The keyword in whose value a path into a schema ends, None where it ends at a schema; or, where one is `wanted`, that one
    if the path leads through it. A property may bear a keyword's name, so the path is followed from the start."""
    within: str | None = None
    naming = False
    for step in path:
        if naming:
            within, naming = None, False
        elif within is None and isinstance(step, str) and step in KEYWORDS:
            if step == wanted:
                return step
            form = KEYWORDS[step].form
            naming = form in (Form.SCHEMA_BY_NAME, Form.SCHEMAS)
            within = None if form is Form.SCHEMA else step
    return None if wanted else within


def _instead(name: str, value: object) -> str:
    """What replaces a form that earlier drafts had."""
    if name == "items" and isinstance(value, list):
        return "Since 2020-12 entries by their place stand in prefixItems."
    if name in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
        return f"Since draft 6 it is the bound itself: {name}: 5."
    if name == "required" and isinstance(value, bool):
        return "Since draft 4 it stands beside properties and lists their names."
    return ""


def _asked(error: "ValidationError") -> Any:
    """The keyword's own value."""
    return error.validator_value


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _joined(words: Iterable[str], by: str = "or") -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} {by} {last}" if most else last


def _counted(number: int, noun: str, plural: str) -> str:
    return f"{number:,} {noun if number == 1 else plural}"


def _type(error: "ValidationError") -> str:
    return f"{shown(error.instance)} is not {_joined(TYPE_WORDS.get(one, str(one)) for one in _listed(_asked(error)))}"


def _enum(error: "ValidationError") -> str:
    allowed = _joined(map(written, _asked(error)))
    return f"{shown(error.instance)} is not {allowed}" if allowed else f"{shown(error.instance)} is not allowed here"


def _bound(how: str) -> Callable[["ValidationError"], str]:
    return lambda error: f"{shown(error.instance)} is {how} {shown(_asked(error))}"


def _length(noun: str, plural: str, most: str) -> Callable[["ValidationError"], str]:
    def said(error: "ValidationError") -> str:
        instance: Any = error.instance
        held, asked = len(instance), int(_asked(error))
        return f"has {_counted(held, noun, plural)}; it must have at {most} {asked:,}"

    return said


def _contains(error: "ValidationError") -> str:
    if error.validator == "maxContains" or "Too many" in error.message:
        return "has more entries than it may have of those that `contains` describes"
    return "has no entry, or too few, of those that `contains` describes"


def _alternatives(error: "ValidationError") -> str:
    """Which alternative came closest, and what keeps it from holding."""
    from jsonschema.exceptions import by_relevance

    count = len(_asked(error))
    if not error.context:  # oneOf, and more than one of them holds
        return f"is as more than one of the {count} alternatives asks, and must be so of one only"
    best = min(error.context, key=by_relevance())  # the one that lies deepest
    where = ".".join(str(step) for step in best.relative_path)
    return f"is as none of the {count} alternatives asks ({f'{where}: ' if where else ''}{of(best)})"


def _not(error: "ValidationError") -> str:
    anything = _asked(error) in ({}, True)
    return f"{shown(error.instance)} is {'not allowed here' if anything else 'as it must not be'}"


def joined(keys: Iterable[str]) -> str:
    """Keys in one list: `a`, `b` and `c`."""
    return _joined((f"`{key}`" for key in keys), "and")


_SAID: Final[Mapping[str, Callable[["ValidationError"], str]]] = MappingProxyType(
    {
        "type": _type,
        "enum": _enum,
        "const": lambda error: f"{shown(error.instance)} is not {written(_asked(error))}",
        "minimum": _bound("less than"),
        "maximum": _bound("more than"),
        "exclusiveMinimum": _bound("not more than"),
        "exclusiveMaximum": _bound("not less than"),
        "multipleOf": _bound("not a multiple of"),
        "pattern": _bound("not matched by the pattern"),
        "minLength": _length("character", "characters", "least"),
        "maxLength": _length("character", "characters", "most"),
        "minItems": _length("entry", "entries", "least"),
        "maxItems": _length("entry", "entries", "most"),
        "minProperties": _length("key", "keys", "least"),
        "maxProperties": _length("key", "keys", "most"),
        "uniqueItems": lambda error: f"has an entry twice: {error.message}",
        "required": lambda error: f"{error.message} is missing",
        "dependentRequired": lambda error: f"{error.message} is there",
        "contains": _contains,
        "minContains": _contains,
        "maxContains": _contains,
        "anyOf": _alternatives,
        "oneOf": _alternatives,
        "not": _not,
        "additionalProperties": lambda error: f"{error.message} must not be there",
        "unevaluatedProperties": lambda error: f"{error.message} must not be there",
        "unevaluatedItems": lambda _: "has entries that are not allowed",
        "items": lambda _: "has more entries than are allowed",
        "prefixItems": lambda _: "has more entries than are allowed",
        "None": lambda error: f"{shown(error.instance)} is not allowed here",
    }
)
