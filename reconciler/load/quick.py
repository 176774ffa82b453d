"""The ordinary document, read at once by a YAML 1.2 parser in Rust, where its text shows that nothing can be lost on the way.

The parser refuses a key that is given twice, but it tells no places, forgets tags and anchors, and takes some numbers of other
times for numbers. So it is believed only where the text holds nothing that `exact` would say a word about. Any doubt is None,
and `exact` reads; a property test holds the two together. The only home of the package yaml_rs, which ends the process
on what nests without end: who calls `value` has made sure that the text does not.
"""

import re
from typing import Any, Final

import yaml_rs

from reconciler.characters import INVISIBLE, LOOKALIKES
from reconciler.load import credentials

_MAX_TEXT: Final = 64 * 1024
_MAX_UNFOLDED: Final = 200_000  # parser events that aliases may stand for
_INDENT: Final = 32  # columns; with the runs of dashes below it bounds how deep a text can nest before it is parsed
# Where none of these occurs nothing of `_DOUBTFUL` does, but for what `_ZERO` finds. Looking for them takes no time.
_MARKS: Final = ("\t", "\\", "&", "*", "!", "|", ">", "%", "?", "@", "`", "<", "_", credentials.BEGINS, "- -", "-  ", " " * (_INDENT + 1))  # fmt: skip
_ZERO: Final = re.compile(r"0(?:(?<![\w.:/+-]0)|(?<=[\s\[{,:][-+]0))[0-9xob]")
_DOUBTFUL: Final = re.compile(
    r"[\t\\]|<<"  # tabs; escapes; merge keys
    r"|(?<![^\s\[{,:])(?:[&*!|>%?@`]"  # where a scalar may begin: an indicator,
    r"|[-+]?(?:0[0-9xob]|[0-9.]*_[0-9._]*(?![\w-])))"  # a number that readers differ on
    rf"|{credentials.BEGINS}|://[^\s/]*(?:@|%40)"  # what may hold a key
    rf"|^[ ]{{{_INDENT + 1}}}|-[ ]+-(?!\S)"  # what could nest deeply
    rf"|{INVISIBLE}|^[^#\n\"']*{LOOKALIKES}",
    re.MULTILINE,
)
# A bracket that is closed on its line: a key that goes on in the next line is read by few.
_CLOSED: Final = re.compile(r"[\[{](?:[^\[\]{}\n\"']|\"[^\"\[\]{}\n]*+\"|'[^'\[\]{}\n]*+')*+[\]}]")
_NESTED: Final = 4
# What stands above the root of a document that is a block mapping.
_BEGIN: Final = re.compile(r"(?:---[ ]*+(?:(?<=[ ])#[^\n]*+)?\n)?(?:[ ]*+(?:#[^\n]*+)?\n)*+(?=[A-Za-z])")
_PLAIN: Final = frozenset((str, bool))
_MOST: Final = 10**18  # beyond it integers are not ordinary
_MOST_NAMES: Final = 4096
_SAID: Final = re.compile(r"(?:.*) at line (\d+), column (\d+)\n.*\n(.*)\n?", re.DOTALL)

Read = tuple[dict[str, Any], int]
_names: set[str] = set()  # keys that were met and are fine; what is written in policies are few


class Refused(Exception):
    """The parser's refusal: what it said, at a line and column counted from 1."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


class _Doubt(Exception):
    """Something came back that only the exact reader may judge."""


def value(text: str) -> Any:
    """What a text of one document says; None for an empty one. Raises Refused."""
    try:
        limits = yaml_rs.AliasLimits(max_total_replayed_events=_MAX_UNFOLDED)
        return yaml_rs.loads(text, parse_datetime=False, alias_limits=limits)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        said = _SAID.fullmatch(str(error))
        raise Refused(said[3], int(said[1]), int(said[2])) if said else Refused(str(error), 1, 1) from error


def tame(text: str) -> bool:
    """Whether nothing in a text is doubtful: told at once of a whole file, its documents need not be asked one by one."""
    return text.isascii() and not any(mark in text for mark in _MARKS) and _ZERO.search(text) is None


def read(text: str, *, is_tame: bool = False) -> Read | None:
    """The mapping that a text of one document is, and the index of the line it starts on; None where `exact` has to look."""
    if len(text) > _MAX_TEXT or not (is_tame or tame(text) or _DOUBTFUL.search(text) is None):
        return None
    start = _BEGIN.match(text)
    if start is None or not _closed(text):
        return None
    try:
        found = yaml_rs.loads(text, parse_datetime=False)
        if found.__class__ is not dict:
            return None
        _look(found)
    except (ValueError, TypeError, _Doubt):
        return None
    return found, text.count("\n", 0, start.end())


def _closed(text: str) -> bool:
    """Whether every bracket is closed on its own line."""
    for _ in range(_NESTED):
        if "{" not in text and "[" not in text:
            return True
        text = _CLOSED.sub("", text)
    return "{" not in text and "[" not in text


def _look(mapping: Any) -> None:
    """Raises _Doubt for what is not plain: a key or value that is no text, integer or boolean, a key that may name a credential."""
    if not _names.issuperset(mapping):
        _meet(mapping)
    for inner in mapping.values():
        kind = inner.__class__
        if kind is dict:
            _look(inner)
        elif kind not in _PLAIN:
            _within(inner)


def _within(inner: Any) -> None:
    kind = inner.__class__
    if kind is dict:
        _look(inner)
    elif kind is list:
        for each in inner:
            if each.__class__ not in _PLAIN:
                _within(each)
    elif kind is not int or not -_MOST < inner < _MOST:
        raise _Doubt


def _meet(mapping: Any) -> None:
    for key in mapping:
        if key.__class__ is not str or credentials.is_name(key):
            raise _Doubt
    if len(_names) > _MOST_NAMES:
        _names.clear()
    _names.update(mapping)
