"""Whether a tree says what YAML 1.2 makes of the same text, or JSON of a JSON file; where it does not, why.

Where readers do not agree, some reader of the file would see something else than its reviewer did.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Final

from reconciler.load import events, quick
from reconciler.load.messages import shown
from reconciler.load.tree import MAX_DEPTH, Document, Node, Problem

# `quick` may be asked only what does not nest without end: each level takes a column, or stands on a line beside the one above.
_MAX_INDENT: Final = 500
DEEP: Final = re.compile(rf"^(?:[ \t]{{{_MAX_INDENT}}}|[ \t]*(?:[-?:][ \t]+){{{MAX_DEPTH}}})", re.MULTILINE)
_OLD_NUMBER: Final = re.compile(r"[-+]?(?:0[bxo][0-9a-fA-F_]+|[0-9._]+(?:[eE][-+]?[0-9_]+)?)")
# What it means -> Python's words for it.
_JSON: Final = (
    ("a key in double quotes is missing", "Expecting property name"),
    ("a comma or a closing bracket is missing", "delimiter"),
    ("a value is missing", "Expecting value"),
    ("text stands after its end", "Extra data"),
)


def disagreement(chunk: str, found: list[Document], first_line: int) -> Problem | None:
    """Why YAML 1.2 reads a piece in another way than `found` says, or None. Strings that hold tabs are set right."""
    deep = DEEP.search(chunk)
    if deep:
        message = f"the text is indented or nested more than {_MAX_INDENT} columns deep"
        return Problem("too-complex", message, "write it flatter", line_of(chunk, deep.start(), first_line), 1)
    try:
        meant = meant_by(chunk)
    except quick.Refused as refusal:
        line = first_line - 1 + min(refusal.line, chunk.count("\n"))
        return Problem("yaml-syntax", events.explained(refusal.problem), "", line, refusal.column)
    roots = [root for root in (each.root for each in found) if root is not None and root.plain() is not None]
    if len(roots) > 1 or (meant is None) is bool(roots):
        message = "YAML readers do not agree on where its documents begin and end"
        return Problem("yaml-syntax", message, "separate documents with ---", first_line, 1)
    return _first([_difference(root, meant) for root in roots]) or _tab(chunk, roots, first_line)


def meant_by(chunk: str) -> Any:
    """What YAML 1.2 makes of a piece; `quick` alone would refuse a tab right after a colon, which is allowed."""
    try:
        return quick.value(chunk)
    except quick.Refused:
        if ":\t" not in chunk:
            raise
        return quick.value(chunk.replace(":\t", ": "))


def line_of(chunk: str, at: int, first_line: int) -> int:
    return first_line + chunk.count("\n", 0, at)


def question(word: str, line: int, column: int) -> Problem:
    """What is wrong with a key or text that begins with a question mark."""
    message = (
        f"`{word[:60]}` begins with a question mark, which some YAML readers take for a part of it and others do not"
    )
    return Problem("yaml-syntax", message, "take the ? away, or put quotes around it", line, column)


def _first(problems: Iterable[Problem | None]) -> Problem | None:
    return next((each for each in problems if each is not None), None)


def _difference(node: Node, meant: Any) -> Problem | None:
    """The first place at which a tree says something else than `meant`, or None."""
    if node.entries is not None and isinstance(meant, dict):
        for name, other in zip_longest(node.entries, meant):
            if name != other:
                return _unequal(node.entries[name][0] if name is not None else node, name, other)
        return _first([_difference(value, meant[name]) for name, (_, value) in node.entries.items()])
    if node.items is not None and isinstance(meant, list):
        if len(node.items) != len(meant):
            return _unequal(node, f"{len(node.items)} items", f"{len(meant)}")
        return _first(map(_difference, node.items, meant))
    if node.entries is not None or node.items is not None or not _equal(node, meant):
        return _unequal(node, shown(node.plain()), shown(meant))
    if isinstance(node.value, str) and isinstance(meant, str) and node.value != meant:
        node.value = "".join(map(min, node.value, meant))  # the tabs that either of the two was given as spaces
    return None


def _equal(node: Node, meant: Any) -> bool:
    """Whether two scalars are one: a tab in a text counts as a space, and `quick` takes 1_000 for a number, as YAML 1.2 does not."""
    value = node.value
    if isinstance(value, str) and isinstance(meant, str):
        return value == meant or value.replace("\t", " ") == meant.replace("\t", " ")
    if isinstance(value, str) and isinstance(meant, int | float) and value == node.source:
        return _OLD_NUMBER.fullmatch(value) is not None
    return type(value) is type(meant) and value == meant


def _unequal(node: Node, name: object, other: object) -> Problem:
    if isinstance(other, str) and other.startswith("?"):
        return question(other, node.line, node.column)
    message = f"YAML readers do not agree on what this says: {name} or {other}"
    return Problem("yaml-syntax", message, "write it in a plainer way, or put quotes around it", node.line, node.column)


def _tab(chunk: str, roots: Iterable[Node], first_line: int) -> Problem | None:
    """The first block mapping or list that is indented with a tab, which no YAML allows."""
    if "\t" not in chunk:
        return None
    lines = chunk.split("\n")
    for node in _starts(roots):
        if "\t" in lines[node.line - first_line][: node.column - 1]:
            return Problem("yaml-syntax", events.explained("tab"), "", node.line, 1)
    return None


def _starts(nodes: Iterable[Node]) -> Iterator[Node]:
    """Each key and each collection that stands in block style: none has its bracket where it begins."""
    for node in nodes:
        if node.entries is not None:
            keys = [key for key, _ in node.entries.values()]
            if keys and (keys[0].line, keys[0].column) == (node.line, node.column):
                yield from keys
            yield from _starts(value for _, value in node.entries.values())
        else:
            yield from _starts(node.items or ())


def not_json(chunk: str, found: list[Document], first_line: int) -> Problem | None:
    """Why a text is not JSON, or None."""

    def constant(name: str) -> Any:
        raise json.JSONDecodeError(f"{name} does not exist", chunk, chunk.find(name))

    try:
        meant = json.loads(chunk, parse_constant=constant)
    except json.JSONDecodeError as error:
        said = next((words for words, meaning in _JSON if meaning in error.msg), error.msg)
        if chunk[: error.pos].rstrip().endswith(",") and chunk[error.pos] in "]}":
            said = "a comma stands before the closing bracket"
        return Problem("yaml-syntax", f"this is not JSON: {said}", "", first_line - 1 + error.lineno, error.colno)
    root = found[0].root if len(found) == 1 else None
    return _difference(root, meant) if root is not None else None
