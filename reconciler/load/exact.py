"""A text becomes documents whose every value has its place, read exactly: as YAML 1.2 says, or refused with the reason.

ruamel.yaml tells places; the parser of `quick` tells what YAML 1.2 makes of the same text. Where the two do not agree some reader
of the file would read something else than its reviewer did, so the document is refused. JSON is held to Python's own reader.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from reconciler.finding import Severity
from reconciler.load import agreement, building, events, quick, remarks, slips, text
from reconciler.load.tree import Document, Problem

_VERSION: Final = re.compile(r"^%YAML[ \t]+(?!1\.2(?!\S))", re.MULTILINE)
_SOME: Final = "YAML 1.2 allows this, but not every reader takes it"
_PLAINER: Final = (
    "write it in a plainer way: a key and its colon on one line, no blank line at the head of a text block"
)


def of_file(content: str, *, is_json: bool = False) -> Iterator[Document]:
    """The documents of a whole file."""
    for line, chunk in ((1, content),) if is_json else text.chunks(content):
        yield from documents(chunk, line, is_json=is_json)


def documents(chunk: str, first_line: int = 1, *, is_json: bool = False) -> Iterator[Document]:
    """The documents of a piece of a file that begins on `first_line`. Whatever is wrong with the text stands in their problems;
    the last of them is where reading ended."""
    if text.silent(chunk):
        notes = list(remarks.of(chunk, first_line, ()))
        if notes:
            yield Document(line=first_line, problems=notes)
        return
    version = _VERSION.search(chunk)
    if version:
        message = "the file says that it is of another version of YAML than 1.2"
        line = agreement.line_of(chunk, version.start(), first_line)
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
        problem = (
            agreement.not_json(chunk, found, first_line)
            if is_json
            else agreement.disagreement(chunk, found, first_line)
        )
        if problem is not None:
            found = found or [Document(line=first_line)]
            _owner(found, problem.line).problems.append(problem)
    _add_slips(chunk, first_line, scalars, found)
    for note in remarks.of(chunk, first_line, scalars) if found else ():
        _owner(found, note.line).problems.append(note)
    yield from found


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
        if document.problems and document.problems[-1].rule == "yaml-syntax" and not agreement.DEEP.search(chunk):
            with suppress(quick.Refused):
                agreement.meant_by(chunk)
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
    """Names each key that begins with a question mark, which ruamel.yaml takes away; without it keys may seem to be given twice."""
    marked = [
        each for each in scalars if each.value and chunk[each.start_mark.index - 1 : each.start_mark.index] == "?"
    ]
    if not marked:
        return
    for document in found:
        document.problems = [one for one in document.problems if one.rule != "duplicate-key"]
    for each in marked:
        line, column = each.start_mark.line + first_line, each.start_mark.column
        _owner(found, line).problems.append(agreement.question(f"?{each.value}", line, column))


def _owner(found: list[Document], line: int) -> Document:
    """The document that a line stands in."""
    return max((each for each in found if each.line <= line), key=lambda each: each.line, default=found[0])


def _add_slips(chunk: str, first_line: int, scalars: Iterable[Any], found: list[Document]) -> None:
    """What people typed where YAML wants something else, for whoever finds a mistake in the documents."""
    spans = remarks.Spans(each for each in scalars if each.style)
    known = tuple(slips.found(chunk, first_line, spans))
    for document in found:
        document.slips = known
        broken = next((each for each in document.problems if each.rule == "yaml-syntax"), None)
        if broken is not None and not any(broken.line - 1 <= slip.problem.line <= broken.line for slip in known):
            document.slips += tuple(slips.on_line(chunk, first_line, spans, broken))
