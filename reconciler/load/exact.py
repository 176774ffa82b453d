"""A text becomes documents whose every value has its place, read exactly: as YAML 1.2 says, or refused with the reason.

ruamel.yaml tells places; the parser of `quick` tells what YAML 1.2 makes of the same text. Where the two do not agree some reader
of the file would read something else than its reviewer did, so the document is refused. JSON is held to Python's own reader.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from reconciler.characters import invisible, named
from reconciler.finding import Severity
from reconciler.load import building, events, quick, text
from reconciler.load.messages import shown
from reconciler.load.tree import MAX_DEPTH, Document, Node, Problem

# `quick` may be asked only what does not nest without end: each level takes a column, or stands on a line beside the one above.
_MAX_INDENT: Final = 500
_DEEP: Final = re.compile(rf"^(?:[ \t]{{{_MAX_INDENT}}}|[ \t]*(?:[-?:][ \t]+){{{MAX_DEPTH}}})", re.MULTILINE)
_OLD_NUMBER: Final = re.compile(r"[-+]?(?:0[bxo][0-9a-fA-F_]+|[0-9._]+(?:[eE][-+]?[0-9_]+)?)")
_VERSION: Final = re.compile(r"^%YAML[ \t]+(?!1\.2(?!\S))", re.MULTILINE)
_QUOTES: Final = frozenset("'\"")
_SOME: Final = "YAML 1.2 allows this, but not every reader takes it"
_PLAINER: Final = (
    "write it in a plainer way: a key and its colon on one line, no blank line at the head of a text block"
)
_TAKE_OUT: Final = "take it out; in a quoted text write it as an escape where it is meant"
# What it means -> Python's words for it.
_JSON: Final = (
    ("a key in double quotes is missing", "Expecting property name"),
    ("a comma or a closing bracket is missing", "delimiter"),
    ("a value is missing", "Expecting value"),
    ("text stands after its end", "Extra data"),
)


def of_file(content: str, *, is_json: bool = False) -> Iterator[Document]:
    """The documents of a whole file."""
    for line, chunk in ((1, content),) if is_json else text.chunks(content):
        yield from documents(chunk, line, is_json=is_json)


def documents(chunk: str, first_line: int = 1, *, is_json: bool = False) -> Iterator[Document]:
    """The documents of a piece of a file that begins on `first_line`. Whatever is wrong with the text stands in their problems;
    the last of them is where reading ended."""
    if text.silent(chunk):
        yield from _remarks(chunk, first_line, [], [])
        return
    version = _VERSION.search(chunk)
    if version:
        message = "the file says that it is of another version of YAML than 1.2"
        line = _line(chunk, version.start(), first_line)
        yield Document(line=line, problems=[Problem("yaml-syntax", message, "take the %YAML line away", line, 1)])
        return
    chunk = chunk if chunk.endswith("\n") else f"{chunk}\n"
    scalars, found = _built(chunk, first_line, is_json)
    if "\t" in chunk and any(each.rule == "yaml-syntax" for document in found for each in document.problems):
        # A tab separates as a space does. Where it indents, or stands in a text, the other reader shows that.
        scalars, found = _built(chunk.replace("\t", " "), first_line, is_json)
    if not is_json:
        _soften(chunk, found)
    if "\t" in chunk:
        _name_tabs(chunk, found, first_line)
    if found and "?" in chunk:
        _ask(chunk, scalars, found, first_line)
    if not any(each.severity is Severity.ERROR for document in found for each in document.problems):
        problem = _json(chunk, found, first_line) if is_json else _agreement(chunk, found, first_line)
        if problem is not None:
            found = found or [Document(line=first_line)]
            _owner(found, problem.line).problems.append(problem)
    yield from found if chunk.isascii() else _remarks(chunk, first_line, scalars, found)


def _built(chunk: str, first_line: int, is_json: bool) -> tuple[list[Any], list[Document]]:
    """The scalars of a piece as events, and its documents."""
    scalars: list[Any] = []

    def noted() -> Iterator[Any]:
        for event in events.of(chunk):
            if type(event).__name__ == "ScalarEvent":
                scalars.append(event)
            yield event

    found = list(building.documents(noted(), first_line, json=is_json))
    return scalars, found


def _soften(chunk: str, found: list[Document]) -> None:
    """Says of what ruamel.yaml alone refuses that YAML 1.2 allows it."""
    for document in found:
        if document.problems and document.problems[-1].rule == "yaml-syntax" and not _DEEP.search(chunk):
            with suppress(quick.Refused):
                _meant(chunk)
                document.problems[-1] = replace(document.problems[-1], message=_SOME, hint=_PLAINER)


def _name_tabs(chunk: str, found: list[Document], first_line: int) -> None:
    """Says of a line that is indented with a tab and cannot be read that this is why."""
    lines = chunk.split("\n")
    for document in found:
        for number, problem in enumerate(document.problems):
            line = lines[problem.line - first_line]
            indent = line[: len(line) - len(line.lstrip())]
            if problem.rule == "yaml-syntax" and "\t" in indent:
                column = indent.index("\t") + 1
                document.problems[number] = replace(problem, message=events.explained("tab"), column=column)


def _ask(chunk: str, scalars: Iterable[Any], found: list[Document], first_line: int) -> None:
    """Names each key that begins with a question mark, which ruamel.yaml takes away."""
    for each in scalars:
        at = each.start_mark.index
        if each.value and at and chunk[at - 1] == "?":
            line, column = each.start_mark.line + first_line, each.start_mark.column
            owner = _owner(found, line)
            owner.problems = [
                one for one in owner.problems if one.rule != "duplicate-key"
            ]  # with its ? it may be another
            owner.problems.append(_question(f"?{each.value}", line, column))


def _question(word: str, line: int, column: int) -> Problem:
    message = (
        f"`{word[:60]}` begins with a question mark, which some YAML readers take for a part of it and others do not"
    )
    return Problem("yaml-syntax", message, "take the ? away, or put quotes around it", line, column)


def _owner(found: list[Document], line: int) -> Document:
    """The document that a line stands in."""
    return max((each for each in found if each.line <= line), key=lambda each: each.line, default=found[0])


def _agreement(chunk: str, found: list[Document], first_line: int) -> Problem | None:
    """Why YAML 1.2 reads a piece in another way than `found` says, or None. Strings that hold tabs are set right."""
    deep = _DEEP.search(chunk)
    if deep:
        message = f"the text is indented or nested more than {_MAX_INDENT} columns deep"
        return Problem("too-complex", message, "write it flatter", _line(chunk, deep.start(), first_line), 1)
    try:
        meant = _meant(chunk)
    except quick.Refused as refusal:
        line = first_line - 1 + min(refusal.line, chunk.count("\n"))
        return Problem("yaml-syntax", events.explained(refusal.problem), "", line, refusal.column)
    roots = [root for root in (each.root for each in found) if root is not None and root.plain() is not None]
    if len(roots) > 1 or (meant is None) is bool(roots):
        message = "YAML readers do not agree on where its documents begin and end"
        return Problem("yaml-syntax", message, "separate documents with ---", first_line, 1)
    return _first([_difference(root, meant) for root in roots]) or _tab(chunk, roots, first_line)


def _meant(chunk: str) -> Any:
    """What YAML 1.2 makes of a piece; `quick` alone would refuse a tab right after a colon, which is allowed."""
    try:
        return quick.value(chunk)
    except quick.Refused:
        if ":\t" not in chunk:
            raise
        return quick.value(chunk.replace(":\t", ": "))


def _line(chunk: str, at: int, first_line: int) -> int:
    return first_line + chunk.count("\n", 0, at)


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
        return _question(other, node.line, node.column)
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


def _json(chunk: str, found: list[Document], first_line: int) -> Problem | None:
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


def _remarks(chunk: str, first_line: int, scalars: Iterable[Any], found: list[Document]) -> Iterator[Document]:
    """The same documents with a warning for each line that hides characters outside of quotes."""
    spans = [(each.start_mark.index, each.end_mark.index) for each in scalars if each.style in _QUOTES]
    places: dict[int, list[int]] = {}
    for at in invisible(chunk):
        if not any(start < at < end for start, end in spans):
            places.setdefault(_line(chunk, at, first_line), []).append(at)
    owners = found or ([Document(line=first_line)] if places else [])
    for line, hidden in places.items():
        more = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        message = f"the line holds {named(chunk[hidden[0]])}{more}, which nobody sees"
        column = hidden[0] - chunk.rfind("\n", 0, hidden[0])
        _owner(owners, line).problems.append(
            Problem("hidden-character", message, _TAKE_OUT, line, column, Severity.WARNING)
        )
    yield from owners
