"""pydantic's refusals in plain language: which field, what is wrong with its value, what to write instead."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from reconciler.characters import named, straightened
from reconciler.load import amounts

Path = tuple[str | int, ...]

# The words of YAML 1.1 that are text in YAML 1.2, with what their author most likely meant.
_ONCE_FLAGS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_TYPES: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_TYPE_OF_CUSTOM: Final = frozenset(("tokens", "tokens_quoted", "moment"))
_AMOUNTS: Final = frozenset(("tokens", "int_type", "int_from_float"))
_WITHOUT: Final = frozenset(
    ("unlimited", "infinite", "infinity", "none", "no limit", "不限", "无限", "无限制", "不限制")
)
_COMBINATIONS: Final = frozenset(("endpoint_ref", "override_empty"))


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal of one field, ready to be placed. `on_key`: the place is the key, not its value."""

    rule: str
    path: Path
    message: str
    hint: str = ""
    on_key: bool = False


def explained(
    error: ValidationError, model: type[BaseModel], root: Path, written: Callable[[Path], str] = lambda _: ""
) -> Iterator[Said]:
    """Each of pydantic's errors on `model`, whose values stand under the path `root`; `written` says how a plain one is written."""
    for detail in error.errors(include_url=False):
        said = _amount(detail, root, written)
        yield _said(detail, model, root) if said is None else said


def _amount(detail: Mapping[str, Any], root: Path, written: Callable[[Path], str]) -> Said | None:
    """What to write for an amount that is written as people do, each way with its own reason."""
    kind, value, path = detail["type"], detail.get("input"), root + tuple(detail["loc"])
    if kind not in _AMOUNTS or isinstance(value, bool) or not isinstance(value, str | float):
        return None
    text = written(path) or str(value)
    amount = None if text.isdigit() and text.isascii() else amounts.meant(text)
    if amount is None:
        return None
    quoted = shown(value) if isinstance(value, str) else text[:60]
    form = amounts.shortest(amount.number) if kind == "tokens" else str(amount.number)
    why = "digits alone are read here" if kind != "tokens" and amount.why in amounts.UNITS_ALONE else amount.why
    rule = "wrong-type" if kind != "tokens" or not isinstance(value, str) else "invalid-value"
    return Said(rule, path, f"`{dotted(path)}` is {quoted}: {why}", f"write {form}")


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` most likely means, or None; case, hyphens and underscores do not count."""
    by_bare = {_bare(choice): choice for choice in sorted(choices)}
    found = difflib.get_close_matches(_bare(word[:128]), list(by_bare), n=1, cutoff=0.6)
    return by_bare[found[0]] if found else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint for a mistyped word: the closest choice, else all of them."""
    known = sorted(choices)
    match = closest(word, known)
    return f"did you mean {match}?" if match else f"choose from {', '.join(known)}" if known else ""


def shown(value: object) -> str:
    """A value as a message quotes it: short, and text in quotes."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = " ".join(text.split()) if isinstance(value, str) else text
    return text if len(text) <= 60 else f"{text[:56]}..."


def dotted(path: Path) -> str:
    """A path as people write it: spec.allowedNamespaces[2]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step[:80]}" if text else step[:80]
    return text


def _said(detail: Mapping[str, Any], model: type[BaseModel], root: Path) -> Said:
    loc: Path = tuple(detail["loc"])
    on_key = bool(loc) and loc[-1] == "[key]"
    path = root + (loc[:-1] if on_key else loc)
    name, kind, value = dotted(path), detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        fields = field_names(model, loc[:-1])
        return Said("unknown-field", path, f"`{name}` is not a field", did_you_mean(str(loc[-1]), fields), on_key=True)
    if kind == "missing":
        return Said("missing-field", path[:-1], f"`{name}` is missing", _docs(model, loc), on_key=True)
    if kind in _TYPES:
        message = f"`{name}` is {shown(value)}; it must be {_TYPES[kind]}"
        return Said("wrong-type", path, message, _type_hint(kind, value))
    if kind == "enum":
        choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        message = f"`{name}` is {shown(value)}; it must be one of {', '.join(choices)}"
        match = closest(value, choices) if isinstance(value, str) else None
        return Said("invalid-value", path, message, f"did you mean {match}?" if match else "")
    if kind in _COMBINATIONS:
        return Said("invalid-combination", path, f"`{name}` {detail['msg']}")
    if isinstance(value, dict | BaseModel):
        return Said("invalid-combination", path, f"`{name}`: {detail['msg']}")
    rule = (
        "wrong-type"
        if (kind in _TYPE_OF_CUSTOM and not isinstance(value, str)) or kind == "tokens_quoted"
        else "invalid-value"
    )
    bound = _bound(detail)
    joint = ", which" if bound.startswith("is ") else ";"
    return Said(rule, path, f"`{name}` is {shown(value)}{joint} {bound}", _straight(value), on_key)


def _bound(detail: Mapping[str, Any]) -> str:
    """What a value must be, from the error's type and limits."""
    ctx = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"it must be {ctx['ge']} or more"
        case "less_than_equal":
            return f"it must be {ctx['le']} or less"
        case "string_too_short":
            return "it must not be empty"
        case "string_too_long":
            return f"it must have at most {ctx['max_length']} characters"
        case "too_long":
            return f"it must have at most {ctx['max_length']} entries"
        case "string_pattern_mismatch":
            return f"it must match {ctx['pattern']}"
        case "timezone_aware":
            return "it must name its time zone, e.g. 2026-12-01T00:00:00Z"
        case "datetime_parsing" | "datetime_from_date_parsing" | "datetime_object_invalid":
            return "it must be a time such as 2026-12-01T00:00:00Z"
    text = str(detail["msg"])
    return text if text.startswith(("it ", "is ")) else f"it {text}"


def _type_hint(kind: str, value: object) -> str:
    if kind == "bool_type" and isinstance(value, str):
        meant = _ONCE_FLAGS.get(value.lower()) or {"true": "true", "false": "false"}.get(value.lower())
        return f"write {meant} without quotes; YAML 1.2 knows only true and false" if meant else ""
    if kind == "string_type" and isinstance(value, int | float):
        return f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind == "int_type" and isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        return "write it without quotes"
    return ""


def _straight(value: object) -> str:
    """A hint for text with punctuation of another alphabet: what it is in YAML's own."""
    if isinstance(value, str) and value.strip().casefold() in _WITHOUT:
        return "to have no limit, leave the document out"
    if not isinstance(value, str) or value.isascii():
        return ""
    plain = straightened(value)
    odd = next((character for character, other in zip(value, plain, strict=False) if character != other), "")
    return f"write {plain[:60]}; {odd} is {named(odd)}, which YAML takes for a letter" if odd else ""


def _docs(model: type[BaseModel], loc: Path) -> str:
    """The first sentence of a missing field's description."""
    owner = _at(model, loc[:-1])
    for name, info in owner.model_fields.items() if owner else ():
        if (info.alias or name) == loc[-1] and info.description:
            return re.split(r"(?<!e\.g)(?<!i\.e)\. ", info.description)[0].rstrip(".")
    return ""


def field_names(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that the mapping at `loc` may have."""
    owner = _at(model, loc)
    return [info.alias or name for name, info in owner.model_fields.items()] if owner else []


def names_within(model: type[BaseModel]) -> Iterator[str]:
    """The keys that a mapping of this model may have, and those of the mappings within it."""
    for name, info in model.model_fields.items():
        yield info.alias or name
        inner = _unwrapped(info.annotation)
        for each in (inner, *map(_unwrapped, get_args(inner))):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from names_within(each)


def _at(model: type[BaseModel], loc: Path) -> type[BaseModel] | None:
    """The model that the mapping at `loc` is checked against, or None where it is none."""
    current: Any = model
    for step in loc:
        current = _step(current, step)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _step(annotation: Any, step: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if (info.alias or name) == step:
                return _unwrapped(info.annotation)
        return None
    values = get_args(annotation)
    return _unwrapped(values[0 if isinstance(step, int) else -1]) if values else None


def _unwrapped(annotation: Any) -> Any:
    """An annotation without Annotated and without the None of an optional."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _unwrapped(next(arg for arg in get_args(annotation) if arg is not NoneType))
    return annotation


def _bare(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()
