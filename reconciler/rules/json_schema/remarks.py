"""What a schema says that nobody hears: keywords that JSON Schema 2020-12 does not have, and those that ask for nothing where
they stand. Such a schema guards less than its author thinks, without a sign.

Pure: a schema in, remarks out. Whether a schema can be used at all is `bounded`'s to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from reconciler.rules.json_schema.keywords import KEYWORDS, Path, schemas
from reconciler.rules.json_schema.messages import closest, joined

OWN: Final = "x-"  # keywords of one's own begin so; they are notes


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a schema says in vain, and where."""

    message: str
    path: Path
    hint: str = ""


# Keywords of earlier drafts and of OpenAPI, with what says the same in 2020-12.
_INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dependencies": "Write dependentRequired for lists of names, dependentSchemas for schemas.",
        "additionalItems": "Write items; entries by their place stand in prefixItems.",
        "id": "Write $id, or leave it out.",
        "divisibleBy": "Write multipleOf.",
        "disallow": "Write not.",
        "extends": "Write allOf.",
        "nullable": "Write the type as a list with null in it.",
        "example": "Write examples, a list.",
        "discriminator": "Write if and then, or oneOf.",
        "$recursiveRef": "Write $ref.",
        "$recursiveAnchor": "Write $anchor.",
    }
)
# Known keywords that are notes here, although one may think that they are checked.
_NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "format": "Say it with pattern.",
        "contentEncoding": "Say it with pattern.",
        "contentMediaType": "Say it with pattern.",
        "contentSchema": "The text is not read as what it holds.",
    }
)
# Keywords that only speak together with others.
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "then": ("if",),
        "else": ("if",),
        "if": ("then", "else"),
        "minContains": ("contains",),
        "maxContains": ("contains",),
    }
)


def unknown(schema: Mapping[str, Any], fields: frozenset[str] = frozenset()) -> Iterator[Remark]:
    """Every keyword that JSON Schema does not have. `fields` are the names in what the schema is run over."""
    for path, part in schemas(schema).items():
        for name in part if isinstance(part, dict) else ():
            if name not in KEYWORDS and not name.startswith(OWN):
                message = f"`{name[:80]}` is no keyword of JSON Schema 2020-12, so it asks for nothing"
                yield Remark(message, (*path, name), _hint(name, fields))


def in_vain(schema: Mapping[str, Any]) -> Iterator[Remark]:
    """Every keyword that says nothing where it stands."""
    if all(name in KEYWORDS and not KEYWORDS[name].asks for name in schema):
        hint = "Say what must hold, for example properties: {spec: {properties: {...}}}."
        yield Remark("nothing is asked for, so everything meets it", (), hint)
    for path, part in schemas(schema).items():
        for name in part if isinstance(part, dict) else ():
            yield from _of_keyword(name, part, (*path, name))


def _of_keyword(name: str, part: Mapping[str, Any], path: Path) -> Iterator[Remark]:
    if name.startswith("x-kubernetes-"):
        yield Remark(f"`{name[:80]}` is for an API server and is not evaluated here", path, "Say it in JSON Schema.")
    keyword = KEYWORDS.get(name)
    if keyword is None:
        return
    if name in _NOTES:
        yield Remark(f"`{name}` is a note that nobody checks", path, _NOTES[name])
        return
    needed = _NEEDS.get(name, ())
    if needed and not any(other in part for other in needed):
        yield Remark(f"`{name}` says nothing without {' or '.join(f'`{other}`' for other in needed)}", path)
    types = part.get("type")
    listed = (
        [types]
        if isinstance(types, str)
        else [each for each in types if isinstance(each, str)]
        if isinstance(types, list)
        else []
    )
    if keyword.of and listed and not {*keyword.of} & {*listed}:
        yield Remark(f"`{name}` speaks of {joined(keyword.of)}, and here the type is {joined(listed)}", path)


def _hint(name: str, fields: frozenset[str]) -> str:
    if name in _INSTEAD:
        return _INSTEAD[name]
    if name in fields:
        return f"It is a field of the document: write properties: {{{name}: ...}}."
    near = closest(name, KEYWORDS)
    if near is not None:
        return f"Did you mean {near}?"
    return f"A note of your own begins with {OWN}."
