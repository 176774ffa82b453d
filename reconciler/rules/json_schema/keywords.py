"""The keywords of JSON Schema 2020-12: what the value of each looks like, of which values it speaks, and a walk over all parts
of a schema that are schemas themselves. What stands under `const`, `enum`, `default` or `examples` is data and no schema.

Pure and without recursion; what does not look like a schema is passed over, never raised.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

Path = tuple[str | int, ...]
_PLACES: Final = frozenset(map(str, range(1000)))  # of a list, as a reference names them


class Form(Enum):
    """What the value of a keyword is, in the words of a message."""

    SCHEMA = "a schema: a mapping, true or false"
    SCHEMA_BY_NAME = "a mapping of schemas by name"
    SCHEMAS = "a list of at least one schema"
    TYPE = "a type or a list of types"
    NUMBER = "a number"
    POSITIVE = "a number above 0"
    COUNT = "a whole number from 0"
    TEXT = "text"
    FLAG = "true or false"
    NAMES = "a list of names, each once"
    NAMES_BY_NAME = "a mapping of lists of names"
    LIST = "a list"
    ANYTHING = "anything"


class Keyword(NamedTuple):
    """`of`: the types of the values it speaks of, () all; `asks` False: it demands nothing of a value by itself."""

    form: Form
    of: tuple[str, ...] = ()
    asks: bool = True


_OBJECT, _ARRAY, _STRING, _NUMBERS = ("object",), ("array",), ("string",), ("number", "integer")
TYPES: Final = ("null", "boolean", "object", "array", "number", "string", "integer")
KEYWORDS: Final[Mapping[str, Keyword]] = MappingProxyType(
    {
        "$schema": Keyword(Form.TEXT, asks=False),
        "$id": Keyword(Form.TEXT, asks=False),
        "$anchor": Keyword(Form.TEXT, asks=False),
        "$ref": Keyword(Form.TEXT),
        "$dynamicRef": Keyword(Form.TEXT),
        "$dynamicAnchor": Keyword(Form.TEXT, asks=False),
        "$vocabulary": Keyword(Form.ANYTHING, asks=False),
        "$comment": Keyword(Form.TEXT, asks=False),
        "$defs": Keyword(Form.SCHEMA_BY_NAME, asks=False),
        "definitions": Keyword(Form.SCHEMA_BY_NAME, asks=False),  # its name before 2019, still a place for references
        "allOf": Keyword(Form.SCHEMAS),
        "anyOf": Keyword(Form.SCHEMAS),
        "oneOf": Keyword(Form.SCHEMAS),
        "not": Keyword(Form.SCHEMA),
        "if": Keyword(Form.SCHEMA),
        "then": Keyword(Form.SCHEMA),
        "else": Keyword(Form.SCHEMA),
        "dependentSchemas": Keyword(Form.SCHEMA_BY_NAME, _OBJECT),
        "prefixItems": Keyword(Form.SCHEMAS, _ARRAY),
        "items": Keyword(Form.SCHEMA, _ARRAY),
        "contains": Keyword(Form.SCHEMA, _ARRAY),
        "properties": Keyword(Form.SCHEMA_BY_NAME, _OBJECT),
        "patternProperties": Keyword(Form.SCHEMA_BY_NAME, _OBJECT),
        "additionalProperties": Keyword(Form.SCHEMA, _OBJECT),
        "propertyNames": Keyword(Form.SCHEMA, _OBJECT),
        "unevaluatedItems": Keyword(Form.SCHEMA, _ARRAY),
        "unevaluatedProperties": Keyword(Form.SCHEMA, _OBJECT),
        "type": Keyword(Form.TYPE),
        "const": Keyword(Form.ANYTHING),
        "enum": Keyword(Form.LIST),
        "multipleOf": Keyword(Form.POSITIVE, _NUMBERS),
        "maximum": Keyword(Form.NUMBER, _NUMBERS),
        "exclusiveMaximum": Keyword(Form.NUMBER, _NUMBERS),
        "minimum": Keyword(Form.NUMBER, _NUMBERS),
        "exclusiveMinimum": Keyword(Form.NUMBER, _NUMBERS),
        "maxLength": Keyword(Form.COUNT, _STRING),
        "minLength": Keyword(Form.COUNT, _STRING),
        "pattern": Keyword(Form.TEXT, _STRING),
        "maxItems": Keyword(Form.COUNT, _ARRAY),
        "minItems": Keyword(Form.COUNT, _ARRAY),
        "uniqueItems": Keyword(Form.FLAG, _ARRAY),
        "maxContains": Keyword(Form.COUNT, _ARRAY),
        "minContains": Keyword(Form.COUNT, _ARRAY),
        "maxProperties": Keyword(Form.COUNT, _OBJECT),
        "minProperties": Keyword(Form.COUNT, _OBJECT),
        "required": Keyword(Form.NAMES, _OBJECT),
        "dependentRequired": Keyword(Form.NAMES_BY_NAME, _OBJECT),
        "title": Keyword(Form.TEXT, asks=False),
        "description": Keyword(Form.TEXT, asks=False),
        "default": Keyword(Form.ANYTHING, asks=False),
        "deprecated": Keyword(Form.FLAG, asks=False),
        "readOnly": Keyword(Form.FLAG, asks=False),
        "writeOnly": Keyword(Form.FLAG, asks=False),
        "examples": Keyword(Form.LIST, asks=False),
        "format": Keyword(Form.TEXT, _STRING, asks=False),
        "contentEncoding": Keyword(Form.TEXT, _STRING, asks=False),
        "contentMediaType": Keyword(Form.TEXT, _STRING, asks=False),
        "contentSchema": Keyword(Form.SCHEMA, _STRING, asks=False),
    }
)


def parts(schema: Any) -> Iterator[tuple[Path, Any]]:
    """The schemas that stand directly within a schema, each with its path from there."""
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        form = KEYWORDS[name].form if name in KEYWORDS else None
        if form is Form.SCHEMA:
            yield (name,), value
        elif form is Form.SCHEMA_BY_NAME and isinstance(value, dict):
            yield from (((name, key), each) for key, each in value.items())
        elif form is Form.SCHEMAS and isinstance(value, list | tuple):
            yield from (((name, place), each) for place, each in enumerate(value))


def schemas(root: Mapping[str, Any], *, referred: bool = True) -> dict[Path, Any]:
    """Every schema within a schema by its path: itself, those of its keywords, and (`referred`) those that only a reference
    reaches."""
    found: dict[Path, Any] = {}
    waiting: list[tuple[Path, Any]] = [((), root)]
    while waiting:
        path, schema = waiting.pop()
        if path in found:
            continue
        found[path] = schema
        waiting += [((*path, *step), part) for step, part in parts(schema)]
        reference = schema.get("$ref") if referred and isinstance(schema, dict) else None
        reached = pointed(root, reference) if isinstance(reference, str) else None
        if reached is not None:
            waiting.append(reached)
    return dict(sorted(found.items(), key=lambda pair: [str(step) for step in pair[0]]))


def pointed(root: Mapping[str, Any], reference: str) -> tuple[Path, Any] | None:
    """Where a reference within the schema leads, and what stands there; None where that is nothing, or only an anchor knows."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    path: Path = ()
    value: Any = root
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            path, value = (*path, name), value[name]
        elif isinstance(value, list) and name in _PLACES and int(name) < len(value):
            path, value = (*path, int(name)), value[int(name)]
        else:
            return None
    return path, value
