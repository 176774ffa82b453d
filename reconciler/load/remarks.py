"""Warnings about a text that hold up nothing: characters that nobody sees, and quotation marks that are none. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from reconciler.characters import invisible, named
from reconciler.finding import Severity
from reconciler.load.tree import Problem

_MOST: Final = 20  # lines of a document that are named
_QUOTES: Final = frozenset("'\"")
_OPENING: Final = "“‘「『"
_CLOSING: Final = "”’」』"
_TAKE_OUT: Final = "take it out; in a quoted text write it as an escape where it is meant"


def of(chunk: str, first_line: int, scalars: Sequence[Any]) -> Iterator[Problem]:
    """What is to be said of a piece of a file that begins on `first_line`; `scalars` are its scalars as parser events."""
    if not chunk.isascii():
        yield from _quotes(scalars, first_line)
        yield from _hidden(chunk, first_line, Spans(each for each in scalars if each.style in _QUOTES))


class Spans:
    """Places in a text, as from where to where scalars stand in it, in their order."""

    def __init__(self, scalars: Iterable[Any]) -> None:
        self._spans = [(each.start_mark.index, each.end_mark.index) for each in scalars]

    def hold(self, at: int) -> bool:
        """Whether a place is within one of them."""
        place = bisect_right(self._spans, (at, at)) - 1
        return place >= 0 and at < self._spans[place][1]


def _quotes(scalars: Iterable[Any], first_line: int) -> Iterator[Problem]:
    """A warning for each unquoted text that stands within quotation marks of typography, which then are a part of it."""
    for each in scalars:
        text = each.value
        if not each.style and len(text) > 1 and text[0] in _OPENING and text[-1] == _CLOSING[_OPENING.index(text[0])]:
            message = (
                f"the quotation marks {text[0]} and {text[-1]} are typographic, which YAML takes for a part of the text"
            )
            line, column = each.start_mark.line + first_line, each.start_mark.column + 1
            yield Problem("look-alike", message, f'write "{text[1:-1][:60]}"', line, column, Severity.WARNING)


def _hidden(chunk: str, first_line: int, spans: Spans) -> Iterator[Problem]:
    """A warning for each line that holds what nobody sees outside of quotes."""
    line, last, end, count = first_line, 0, -1, 0
    for at in invisible(chunk):
        if at < end or spans.hold(at):
            continue  # one a line
        line, last, end, count = line + chunk.count("\n", last, at), at, chunk.find("\n", at), count + 1
        message = f"the line holds {named(chunk[at])}, which nobody sees"
        column = at - chunk.rfind("\n", 0, at)
        yield Problem("hidden-character", message, _TAKE_OUT, line, column, Severity.WARNING)
        if count == _MOST:
            return
