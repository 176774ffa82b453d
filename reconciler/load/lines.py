"""The ordinary document, read line by line into plain values, many times faster than by any parser. It knows no positions.

Nothing here says what is wrong: a text that is not of the simplest form (block mappings of one-line values, short flow
mappings and lists, block lists of one-line values) is refused, and the parsers read it. What is read means what
they say; a property test holds the two against each other.
"""

import math
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from reconciler.load import credentials
from reconciler.load.tree import Scalar, resolve

# Where libyaml (YAML 1.1) and YAML 1.2 read differently, or libyaml is the laxer one, nothing of this matches: directives and
# document ends, explicit keys, tags, anchors, tabs, other line breaks, escapes and folding in quotes, and flow style
# other than short plain lists and mappings.
KEY: Final = r"[A-Za-z_][\w./-]*:"
PLAIN: Final = r"[A-Za-z0-9+._/][\w+./:@-]*(?<!:)(?:[ ][\w+./@-]+)*"
QUOTED: Final = r"""(?:"[^"\\\t\x85\u2028\u2029]*"|'[^'\t\x85\u2028\u2029]*')"""
INNER: Final = r"(?:[A-Za-z0-9_./][\w./-]*|\{\}|\[\])"
MAPPING: Final = rf"\{{(?:{KEY}[ ]{INNER}(?:,[ ]{KEY}[ ]{INNER})*)?\}}"
LIST: Final = rf"\[(?:{INNER}(?:,[ ]{INNER})*)?\]"
VALUE: Final = rf"(?:{PLAIN}|{QUOTED}|{MAPPING}|{LIST})"
COMMENT: Final = r"[ ]*(?:(?<=[ ])#[ -~]*)?"
_LINE: Final = re.compile(rf"([ ]*)(?:({KEY})(?:[ ]+({VALUE}))?|(-)[ ]+({VALUE})){COMMENT}", re.ASCII)
_SILENT: Final = re.compile(r"[ ]*(?:#[ -~]*)?", re.ASCII)
_HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_MAX_TEXT: Final = 64 * 1024
_MAX_LINE: Final = 1000  # YAML allows a key without `?` on its first 1,024 characters only


class _Line(NamedTuple):
    """`key` is "" in a line of a list; `value` is None where nothing is written."""

    indent: int
    key: str
    value: Any
    written: bool


_SAYS_NOTHING: Final = _Line(-1, "", None, written=False)
_SHARED: Final = (dict, list)  # values that equal lines must not share


def read(text: str) -> tuple[dict[str, Any], int] | None:
    """The mapping that a text of one document is, and the index of the line it starts on; None where a parser has to look."""
    if len(text) > _MAX_TEXT:
        return None
    lines = text.split("\n")
    root: dict[str, Any] = {}
    reader = _Reader(root)
    start = -1
    for index in range(1 if lines[0].rstrip(" ") == "---" else 0, len(lines)):
        line = _line(lines[index])
        if line is None:
            return None
        indent, key, value, written = line
        if indent < 0:
            continue
        if start < 0:
            start = index
        mapping = reader.mapping
        if key and indent == reader.indent and key not in mapping:  # what most lines are; the rest is for `take`
            mapping[key] = value.copy() if value.__class__ in _SHARED else value
            reader.waiting = None if written else key
            reader.items = None
        elif not reader.take(line):
            return None
    return (root, start) if root else None


class _Reader:
    """The open mappings, the outermost first, and the key or list that the next line may go on with."""

    __slots__ = ("indent", "items", "items_indent", "mapping", "open", "waiting")

    def __init__(self, root: dict[str, Any]) -> None:
        self.mapping = root
        self.indent = 0
        self.open: list[tuple[dict[str, Any], int]] = []
        self.waiting: str | None = None  # the key of `mapping` whose value is not written yet
        self.items: list[Any] | None = None
        self.items_indent = 0

    def take(self, line: _Line) -> bool:
        """One line; False where it does not fit what is above it in the simplest way."""
        indent, key, value, written = line
        if not key:
            return self.item(indent, value)
        if indent > self.indent:
            if self.waiting is None or self.items is not None:
                return False
            self.open.append((self.mapping, self.indent))
            inner: dict[str, Any] = {}
            self.mapping[self.waiting] = inner
            self.mapping, self.indent = inner, indent
        while indent < self.indent:
            self.mapping, self.indent = self.open.pop()
        if indent != self.indent or key in self.mapping:
            return False
        self.items = None
        self.mapping[key] = value.copy() if value.__class__ in _SHARED else value
        self.waiting = None if written else key
        return True

    def item(self, indent: int, value: Any) -> bool:
        if self.waiting is None or indent < self.indent:
            return False
        if self.items is None:
            self.items, self.items_indent = [], indent
            self.mapping[self.waiting] = self.items
        if indent != self.items_indent:
            return False
        self.items.append(value.copy() if value.__class__ in _SHARED else value)
        return True


@lru_cache(maxsize=8192)
def _line(text: str) -> _Line | None:
    """What a line says; None where that is not for us to tell."""
    if len(text) > _MAX_LINE:
        return None
    found = _LINE.fullmatch(text)
    if found is None:
        return _SAYS_NOTHING if _SILENT.fullmatch(text) else None
    spaces, key, of_key, _, of_item = found.groups()
    written = of_key or of_item
    name = _name(key) if key else ""
    if name is None or credentials.BEGINS in text:
        return None
    if not written:
        return _Line(len(spaces), name, None, written=False)
    value = _value(written)
    return None if value is _REFUSED else _Line(len(spaces), name, value, written=True)


_REFUSED: Final = object()


@lru_cache(maxsize=1024)
def _name(key: str) -> str | None:
    """A key with its colon, as text; None for one that is not text, such as `true:`, or that may name a credential."""
    name = key[:-1]
    return name if isinstance(resolve(name), str) and not credentials.is_name(name) else None


def _value(written: str) -> Any:
    first = written[0]
    if first in "\"'":
        return _REFUSED if _HIDDEN.search(written) else written[1:-1]
    if first == "{":
        return _mapping(written[1:-1])
    if first == "[":
        values = [_scalar(each) for each in written[1:-1].split(", ")] if len(written) > 2 else []
        return _REFUSED if _REFUSED in values else values
    return _scalar(written)


def _mapping(inside: str) -> Any:
    found: dict[str, Any] = {}
    for pair in inside.split(", ") if inside else ():
        key, _, value = pair.partition(" ")
        name = _name(key)
        meant = _scalar(value)
        if name is None or name in found or meant is _REFUSED:
            return _REFUSED
        found[name] = meant
    return found


def _scalar(text: str) -> Scalar | object:
    """A plain value; a collection in a collection and a number that nobody can keep are refused."""
    if text[0] in "{[":
        return _REFUSED
    value = resolve(text)
    return _REFUSED if isinstance(value, float) and not math.isfinite(value) else value
