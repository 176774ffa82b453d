"""What people really type where YAML wants something else, found by its looks and named with the line to write. Pure.

Only asked about a document that has a mistake: a full-width colon is an ordinary character of Chinese text.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from pydantic import BaseModel

from reconciler.characters import LOOKALIKES, SPACES, named, straightened
from reconciler.kinds import registry
from reconciler.kinds.metadata import Metadata
from reconciler.load.messages import names_within
from reconciler.load.remarks import Spans
from reconciler.load.tree import Problem, Slip

RULE: Final = "yaml-syntax"
_KEY: Final = r"[A-Za-z][\w.-]*+"
# A key at the head of a line, or of an entry between brackets, with what stands around its colon.
_ENTRY: Final = re.compile(
    rf"(?:^(?P<indent>(?:[ ]|{SPACES})*(?:-[ ]+)*)|(?<=[{{,，｛]))(?P<lead>[ ]*)(?P<key>{_KEY})(?P<before>(?:[ ]|{SPACES})*)"
    rf"(?P<colon>[:：﹕︓=＝])(?P<after>[ ]*{SPACES}*)(?=(?P<value>[^\n]{{0,200}}))",
    re.MULTILINE,
)
_LOOKALIKE: Final = re.compile(LOOKALIKES)
_SPACE: Final = re.compile(SPACES)
_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#", re.MULTILINE)
_SHOWN: Final = 60
_MOST: Final = 20  # slips of a document that are named
_LONG: Final = 2000  # characters of a line that nobody typed


def found(chunk: str, first_line: int, spans: Spans) -> Iterator[Slip]:
    """The slips in a piece of a file that begins on `first_line`; `spans` are its quoted texts and text blocks, which are left out."""
    count = 0
    for match in _ENTRY.finditer(chunk):
        said = _said(match)
        if said and count < _MOST and not _apart(chunk, match.start("key"), spans):
            count += 1
            yield _slip(chunk, match, said, first_line)


def on_line(chunk: str, first_line: int, spans: Spans, problem: Problem) -> Iterator[Slip]:
    """The reason why a line cannot be read, where something on it, or on the line above, only looks like punctuation."""
    lines = chunk.split("\n")
    for line in (problem.line, problem.line - 1):
        index = line - first_line
        if not 0 <= index < len(lines) or len(lines[index]) > _LONG:
            continue
        start = sum(map(len, lines[:index])) + index
        for match in _LOOKALIKE.finditer(lines[index]):
            if not _apart(chunk, start + match.start(), spans):
                text = straightened(lines[index].split(" #")[0].strip())
                said = f"{match[0]} is {named(match[0])}, which YAML takes for a letter"
                yield Slip(Problem(RULE, said, f"write {text[:_SHOWN]}", line, match.start() + 1), "", match[0])
                return


def _said(match: re.Match[str]) -> str:
    """What is wrong with how a key and its colon are typed, "" where nothing is."""
    key, colon, value = match["key"], match["colon"], match["value"]
    indent, space = _SPACE.search(match["indent"] or ""), _SPACE.search(match["before"] + match["after"])
    if colon == "=" and key not in _names():
        return ""
    if colon != ":":
        return f"`{key}` is followed by {colon}, which is {named(colon)} and no colon to YAML"
    if indent is not None:
        return f"the line is indented with {named(indent[0])}, which YAML takes for a letter"
    if space is not None:
        return f"{named(space[0])} stands beside the colon of `{key}`, where YAML wants an ordinary space"
    glued = value and value[0] not in ":/ " and not match["before"] + match["after"] and key in _names()
    return f"no space stands after `{key}:`, so YAML reads a word and no field" if glued else ""


def _slip(chunk: str, match: re.Match[str], said: str, first_line: int) -> Slip:
    at, key = match.start("key"), match["key"]
    line, column = first_line + chunk.count("\n", 0, at), at - chunk.rfind("\n", 0, at)
    text = straightened(match["value"].split(" #")[0]).strip()
    text = text if match["indent"] is not None else re.split(r"[,}]", text)[0]
    hint = f"write {key}: {text[:_SHOWN]}".rstrip(" ,")
    return Slip(Problem(RULE, said, hint, line, column), key, f"{key}{match['before']}{match['colon']}")


def _apart(chunk: str, at: int, spans: Spans) -> bool:
    """Whether a place is within a quoted text, a text block or a comment."""
    if spans.hold(at):
        return True
    start = chunk.rfind("\n", 0, at) + 1
    return any(not spans.hold(found.end() - 1) for found in _COMMENT.finditer(chunk, start, at))


@cache
def _names() -> frozenset[str]:
    """Every field that a document of ours may have, at whatever depth."""
    models: list[type[BaseModel]] = [Metadata, *(kind.spec for kind in registry().values())]
    return frozenset(
        ("apiVersion", "kind", "metadata", "spec", *(name for model in models for name in names_within(model)))
    )
