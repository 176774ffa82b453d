"""Whether a schema can say anything of what it is run over: names that no document has, keywords for values of another type,
values that never occur, and keys asked for that are always there. Told only where the shape of the document proves it.

Pure and without recursion: a schema and the shapes of what it is run over in, remarks out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from reconciler.rules.json_schema import patterns
from reconciler.rules.json_schema.keywords import KEYWORDS, Path, parts, pointed
from reconciler.rules.json_schema.messages import TYPE_WORDS, closest, joined, shown
from reconciler.rules.json_schema.remarks import Remark

Shape = Mapping[str, Any]
MAX_STEPS: Final = 20_000  # a schema that leads to more places is not followed to its end
_TOP: Final = "the document"
_IN_PLACE: Final = frozenset(
    ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$defs", "definitions")
)


class _At(NamedTuple):
    """A schema at `path`, which judges the value at `place`; `shapes` are all that can stand there, () where that is not known."""

    path: Path
    schema: Any
    place: Path
    shapes: tuple[Shape, ...]


def remarks(schema: Mapping[str, Any], shapes: Sequence[Shape]) -> Iterator[Remark]:
    """What the schema says in vain of any of these."""
    names = _every_name(shapes)
    seen: set[tuple[Path, tuple[int, ...]]] = set()
    waiting = [_At((), schema, (), tuple(one for shape in shapes for one in _flat(shape)))]
    while waiting and len(seen) < MAX_STEPS:
        at = waiting.pop()
        key = (at.path, tuple(map(id, at.shapes)))
        if key in seen or not isinstance(at.schema, dict) or not at.shapes:
            continue
        seen.add(key)
        yield from _said_in_vain(at, names)
        waiting += _below(at, schema)


def fields(shapes: Iterable[Shape]) -> frozenset[str]:
    """The name of every field that the shapes have anywhere."""
    return frozenset(_every_name(shapes))


def _every_name(shapes: Iterable[Shape]) -> Mapping[str, Path]:
    """Each name with one place where it stands, the one that is nearest to the top."""
    found: dict[str, Path] = {}
    waiting: list[tuple[Path, Shape]] = [((), shape) for shape in shapes]
    for path, shape in waiting:  # grows while it is walked, so that what is near comes first
        for one in _flat(shape):
            for name, inner in one.get("properties", {}).items():
                found.setdefault(name, (*path, name))
                waiting.append(((*path, name), inner))
            if "items" in one:
                waiting.append((path, one["items"]))
    return found


def _flat(shape: Shape) -> tuple[Shape, ...]:
    """The shape as alternatives of one type each."""
    return tuple(one for each in shape["anyOf"] for one in _flat(each)) if "anyOf" in shape else (shape,)


def _below(at: _At, root: Mapping[str, Any]) -> Iterator[_At]:
    """The schemas within it, each with what it judges; a definition judges nothing where it stands."""
    for step, inner in parts(at.schema):
        name, path = step[0], (*at.path, *step)
        if name in ("$defs", "definitions"):
            continue
        if name in _IN_PLACE:
            yield _At(path, inner, at.place, at.shapes)
        elif name == "properties":
            yield _At(path, inner, (*at.place, step[1]), _child(at.shapes, str(step[1])))
        elif name in ("items", "prefixItems", "contains"):
            yield _At(path, inner, at.place, _items(at.shapes))
    reference = at.schema.get("$ref")
    reached = pointed(root, reference) if isinstance(reference, str) else None
    if reached is not None:
        yield _At(*reached, at.place, at.shapes)


def _child(shapes: Iterable[Shape], name: str) -> tuple[Shape, ...]:
    """What can stand under a key; () where that is nothing, or not known."""
    found: list[Shape] = []
    for shape in shapes:
        inner = shape.get("properties", {}).get(name, shape.get("additionalProperties", False))
        if "type" not in shape or inner is True:
            return ()
        found += _flat(inner) if isinstance(inner, dict) else ()
    return tuple(found)


def _items(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    return tuple(one for shape in shapes if "items" in shape for one in _flat(shape["items"]))


def _is_possible(shapes: Iterable[Shape], name: str) -> bool:
    """Whether any of the shapes can have the key, or is not known."""
    return any(
        "type" not in shape
        or (
            shape["type"] == "object"
            and (name in shape.get("properties", {}) or shape.get("additionalProperties", True))
        )
        for shape in shapes
    )


def _said_in_vain(at: _At, names: Mapping[str, Path]) -> Iterator[Remark]:
    types = {shape.get("type") for shape in at.shapes}
    if None in types:
        return
    for name in at.schema:
        keyword = KEYWORDS.get(name)
        if keyword is not None and keyword.of and keyword.asks and not {*keyword.of} & types:
            message = f"`{name}` says nothing of {_called(at.place)}, which is {_types(types)}"
            yield Remark(message, (*at.path, name))
    if "object" in types:
        yield from _unknown_keys(at, names)
        yield from _always_there(at)
    yield from _never_equal(at)


def _unknown_keys(at: _At, names: Mapping[str, Path]) -> Iterator[Remark]:
    """Keys that are spoken of and that no document has."""
    for keyword in ("properties", "dependentSchemas", "dependentRequired", "required"):
        value = at.schema.get(keyword)
        for place, name in enumerate(value) if isinstance(value, dict | list) else ():
            if isinstance(name, str) and not _is_possible(at.shapes, name):
                end = "so nothing can meet this" if keyword == "required" else "so nothing is asked"
                step = place if keyword == "required" else name
                yield Remark(
                    f"{_called(at.place)} never has `{name[:80]}`, {end}",
                    (*at.path, keyword, step),
                    _hint(at, name, names),
                )
    by_pattern = at.schema.get("patternProperties")
    for pattern in by_pattern if isinstance(by_pattern, dict) else ():
        if patterns.why_unfit(pattern) or any(
            shape.get("additionalProperties", True) for shape in at.shapes if shape["type"] == "object"
        ):
            continue
        if not any(patterns.found(pattern, name) for shape in at.shapes for name in shape.get("properties", {})):
            message = f"no key of {_called(at.place)} is matched by {shown(pattern)}, so nothing is asked"
            yield Remark(message, (*at.path, "patternProperties", pattern))


def _hint(at: _At, name: str, names: Mapping[str, Path]) -> str:
    own = sorted({key for shape in at.shapes for key in shape.get("properties", {})})
    near = closest(name, own)
    if near is not None:
        return f"Did you mean {near}?"
    if name in names:
        return f"It is {_dotted(names[name])}."
    return f"There are {joined(own)}." if own else ""


def _always_there(at: _At) -> Iterator[Remark]:
    """Keys asked for that are there in every document, null where nobody declared them; fine where it is said what they must be."""
    said = at.schema.get("properties")
    told = said if isinstance(said, dict) else {}
    required, dependent = at.schema.get("required"), at.schema.get("dependentRequired")
    asked: list[tuple[Path, object]] = []
    asked += [(("required", place), name) for place, name in enumerate(required if isinstance(required, list) else ())]
    for asking, wanted in dependent.items() if isinstance(dependent, dict) else ():
        asked += [
            (("dependentRequired", asking, place), name)
            for place, name in enumerate(wanted if isinstance(wanted, list) else ())
        ]
    mappings = [shape for shape in at.shapes if shape["type"] == "object"]
    for step, name in asked:
        if (
            not isinstance(name, str)
            or name in told
            or not all(name in shape.get("required", ()) for shape in mappings)
        ):
            continue
        if any(one.get("type") == "null" for one in _child(mappings, name)):
            message = f"`{name}` is always there in {_called(at.place)}, null where it is not declared, so asking for it asks for nothing"
            yield Remark(
                message, (*at.path, *step), f'Say what it must be: properties: {{{name}: {{not: {{type: "null"}}}}}}.'
            )


def _never_equal(at: _At) -> Iterator[Remark]:
    """`const` and `enum` whose values can never stand there: a misspelt choice, a quantity where a number is read."""
    types = {str(shape["type"]) for shape in at.shapes}
    allowed = _choices(at.shapes)
    for step, value in _wanted_values(at.schema):
        if {*_JSON.get(type(value), ())} & types and (not allowed or value in allowed):
            continue
        near = closest(value, [each for each in allowed if isinstance(each, str)]) if isinstance(value, str) else None
        what = f"one of {', '.join(map(shown, allowed))}" if allowed else _types(types)
        message = f"{_called(at.place)} is never {shown(value)}: it is {what}"
        yield Remark(message, (*at.path, *step), f"Did you mean {near}?" if near else "")


def _choices(shapes: Sequence[Shape]) -> list[Any]:
    """All values that can stand there; [] where they are not numbered."""
    if any("enum" not in shape and shape["type"] != "null" for shape in shapes):
        return []
    return list(dict.fromkeys(value for shape in shapes for value in shape.get("enum", [None])))


def _wanted_values(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    if "const" in schema:
        yield ("const",), schema["const"]
    for place, value in enumerate(schema["enum"] if isinstance(schema.get("enum"), list) else ()):
        yield ("enum", place), value


_JSON: Final[Mapping[type, tuple[str, ...]]] = {
    type(None): ("null",), bool: ("boolean",), int: ("integer", "number"), float: ("integer", "number"), str: ("string",),
    dict: ("object",), list: ("array",),
}  # fmt: skip


def _types(types: Iterable[object]) -> str:
    return " or ".join(TYPE_WORDS[str(one)] for one in sorted(map(str, types)))


def _called(place: Path) -> str:
    return f"`{_dotted(place)}`" if place else _TOP


def _dotted(place: Path) -> str:
    return ".".join(str(step) for step in place)
