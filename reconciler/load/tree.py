"""A document as a tree that knows where each of its values stands, what is wrong with its text, and what a plain scalar means.

YAML 1.2's core schema decides that: `no`, `1_000` and `12:30` are text, `0o7` is seven. Values only; `building` makes the trees.
"""

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from reconciler.finding import Severity

MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000  # of one document, with every alias unfolded
MAX_SCALAR: Final = 256 * 1024  # characters: as much as Kubernetes allows all annotations of an object together
MAX_DIGITS: Final = 64

Scalar: TypeAlias = str | int | float | bool | None

_INT: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}


class Malformed(Exception):
    """A parser's refusal: what it said, at a line and column counted from 1 within what it was given."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the text of a document, before anyone asks what the document says."""

    rule: str
    message: str
    hint: str
    line: int
    column: int
    severity: Severity = Severity.ERROR


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands. A mapping has `entries` (key -> key's node, value's node), a sequence `items`."""

    line: int
    column: int
    value: Scalar = None
    entries: dict[str, tuple["Node", "Node"]] | None = None
    items: list["Node"] | None = None
    weight: int = 1  # how many nodes it unfolds to
    source: str = ""  # a plain scalar as it is written

    @property
    def absent(self) -> bool:
        """Whether nothing is written: a key without a value, an empty document."""
        return self.value is None and self.entries is None and self.items is None and not self.source

    def get(self, *path: str) -> "Node | None":
        """The node at a path of keys, or None."""
        node: Node = self
        for key in path:
            entry = node.entries.get(key) if node.entries is not None else None
            if entry is None:
                return None
            node = entry[1]
        return node

    def text(self, *path: str) -> str:
        """The text at a path of keys, "" where there is none."""
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, str) else ""

    def plain(self) -> Any:
        """The value without positions, in new dicts and lists."""
        if self.entries is not None:
            return {key: value.plain() for key, (_, value) in self.entries.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.value


class Slip(NamedTuple):
    """A line that was not typed as YAML wants it: what to say, the key that was meant, and how that was written."""

    problem: Problem
    key: str
    written: str


@dataclass(slots=True)
class Document:
    """One document: its tree as far as it could be read (None: empty), what is wrong with its text, and what may be the reason."""

    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    duplicates: set[str] = field(default_factory=set)
    line: int = 1
    slips: tuple["Slip", ...] = ()


@lru_cache(maxsize=8192)
def resolve(text: str) -> Scalar:
    """What a plain scalar means by the core schema of YAML 1.2. A number of too many digits comes back as infinity."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            return int(text, base) if len(text) <= MAX_DIGITS else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text
