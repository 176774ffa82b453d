"""Documents of one form, which differ in their scalars only, are each read by one expression once the form is known.

A repository holds thousands of documents of few forms. `lines` reads the first of each and so decides what the form means; a
text that does not fit a known form to the letter is left to `lines`. No positions, no findings.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from reconciler.load import credentials, lines
from reconciler.load.tree import Scalar, resolve

_PLAIN: Final = r"[A-Za-z0-9_./][\w./-]*+"
_QUOTED: Final = r'"[ !#-\[\]-~]*+"'
# Where a scalar may stand alone: to the end of its line, or to the next part of a short flow collection.
_SPOT: Final = re.compile(rf"(?:(?<=[:,-][ ])|(?<=\[))(?:{_PLAIN}(?=[\n,\}}\]]|\Z)|{_QUOTED}(?=\n|\Z))", re.ASCII)
_SAME: Final = (("apiVersion",), ("kind",))  # what a form is about: never another within it
_HEAD: Final = "---\n"
_SIGHTINGS: Final = 8  # an expression is compiled in the time in which `lines` reads some twenty documents
_MOST_FORMS: Final = 64
_MOST_SEEN: Final = 1024
_CHECKED: Final = 1000  # a shorter text has no line that is too long for `lines`

_resolve: Final = resolve.__wrapped__  # each scalar comes once: remembering it in two places only costs

Read = tuple[dict[str, Any], int]
Pieces = tuple[str, ...]


class Reader:
    """Reads documents, and comes to know their forms. One for each load: it keeps every scalar that it has met."""

    def __init__(self) -> None:
        self._forms: list[_Form] = []
        self._sightings: dict[Pieces, int] = {}
        self._meanings = _Meanings()

    def read(self, text: str) -> Read | None:
        """What `lines.read` says of a text, sooner."""
        if len(text) > _CHECKED or credentials.BEGINS in text:
            return lines.read(text)
        headed = text.startswith(_HEAD)
        body = text[len(_HEAD) :] if headed else text
        for place, form in enumerate(self._forms):
            found = form.match(body)
            if found is None:
                continue
            if place > 3:  # what is met most is asked first
                self._forms.insert(place // 2, self._forms.pop(place))
            try:
                return form.values([*map(self._meanings.__getitem__, found.groups())]), form.start + headed
            except LookupError:
                return lines.read(text)
        read = lines.read(text)
        if read is not None and len(self._forms) < _MOST_FORMS:
            self._sight(body)
        return read

    def _sight(self, text: str) -> None:
        """Counts a form that is not known yet, and makes it known once it has been met often enough to be worth it."""
        pieces = tuple(_SPOT.split(text))
        count = self._sightings.get(pieces, 0) + 1
        if count < _SIGHTINGS and (count > 1 or len(self._sightings) < _MOST_SEEN):
            self._sightings[pieces] = count
        elif count == _SIGHTINGS:
            self._sightings[pieces] = count
            form = _learnt(text)
            if form is not None:
                self._forms.append(form)


class _Meanings(dict[str, Scalar]):
    """What each scalar means, as it is written, with its quotation marks; LookupError for a number that nobody can keep."""

    def __missing__(self, written: str) -> Scalar:
        value = written[1:-1] if written[0] == '"' else _resolve(written)
        if value.__class__ is float and not math.isfinite(value):
            raise LookupError(written)
        self[written] = value
        return value


class _Form:
    """`match` finds the scalars of a text; `nodes` are its collections, the inner ones first: the entries of a mapping, or the
    items of a list, by their places among the scalars, `constants` and earlier nodes."""

    __slots__ = ("constants", "match", "nodes", "start")

    def __init__(self, pattern: str, constants: list[Any], nodes: "list[_Node]", start: int) -> None:
        self.match: Callable[[str], re.Match[str] | None] = re.compile(pattern, re.ASCII).fullmatch
        self.constants = constants
        self.nodes = nodes
        self.start = start

    def values(self, known: list[Any]) -> dict[str, Any]:
        known += self.constants
        for entries, items in self.nodes:
            known.append({key: known[place] for key, place in entries} if items is None else [known[i] for i in items])
        root: dict[str, Any] = known[-1]
        return root


_Node = tuple[tuple[tuple[str, int], ...], tuple[int, ...] | None]


def _learnt(text: str) -> _Form | None:
    """The form of a text that `lines` reads; None where no scalar of it can differ.

    A text with a mark in the place of each scalar is read: what comes back as a mark, alone and once, is a scalar that may differ.
    """
    mark = "x"
    while mark in text:
        mark += "x"
    pieces, spots = _SPOT.split(text), _SPOT.findall(text)
    marks = [f"{mark}{number}." for number in range(len(spots))]
    read = lines.read("".join(_woven(pieces, marks)))
    if read is None:
        return None
    met = [value for path, value in _leaves(read[0]) if path not in _SAME and value in marks]
    free = [one for one in marks if met.count(one) == 1]
    if not free:
        return None
    marked = "".join(_woven(pieces, [one if one in free else spot for one, spot in zip(marks, spots, strict=True)]))
    again = lines.read(marked)
    if again is None or [value for _, value in _leaves(again[0]) if value in free] != free:
        return None
    return _made(marked, free, again)


def _woven(pieces: list[str], spots: list[str]) -> Iterator[str]:
    for piece, spot in zip(pieces, [*spots, ""], strict=True):
        yield piece
        yield spot


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every scalar with the keys that lead to it, in the order of the text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, (*path, ""))
    else:
        yield path, value


def _made(marked: str, free: list[str], read: Read) -> _Form:
    pattern, rest = "", marked
    for mark in free:
        before, rest = rest.split(mark, 1)
        # Quotation marks are understood at the end of a line only: in flow collections `lines` knows none.
        choice = f"{_PLAIN}|{_QUOTED}" if rest[:1] in ("", "\n") else _PLAIN
        pattern += f"{re.escape(before)}({choice})"
    values, start = read
    constants = [value for _, value in _leaves(values) if value not in free]
    unused = iter(range(len(free), len(free) + len(constants)))
    first = len(free) + len(constants)
    nodes: list[_Node] = []

    def enter(value: Any) -> int:
        """The place of a value among scalars, constants and nodes."""
        if isinstance(value, dict):
            nodes.append((tuple([(key, enter(inner)) for key, inner in value.items()]), None))
        elif isinstance(value, list):
            nodes.append(((), tuple([enter(inner) for inner in value])))
        else:
            return free.index(value) if value in free else next(unused)
        return first + len(nodes) - 1

    enter(values)
    return _Form(pattern + re.escape(rest), constants, nodes, start)
