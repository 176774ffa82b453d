"""Text becomes parser events. The only home of the YAML parsers; what the events mean is `tree`'s business.

Never raises anything but `tree.Malformed`.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from reconciler.load import lines
from reconciler.load.tree import Malformed

# What ruamel.yaml's scanner lets slip on hostile input beside its own errors.
_SLIPS: Final = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    NotImplementedError,
)

# What a parser says -> what that means to the person who wrote the file. The first match wins.
_PLAIN: Final = (
    ("cannot start any token", "a tab or a reserved character stands where a value should start; indent with spaces"),
    ("mapping values are not allowed", "a second `key: value` on one line, or a wrongly indented one; check the indentation, quote text that holds `: `"),
    ("could not find expected ':'", "a key without a colon after it"),
    ("expected <block end>", "the indentation does not line up with the lines above"),
    ("while scanning a quoted scalar", "a quotation mark is not closed"),
    ("found unexpected end of stream", "a quotation mark or bracket is not closed before the file ends"),
    ("expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("unknown escape character", "an unknown escape after a backslash; use single quotes for text with backslashes"),
    ("expected the node content", "a value is missing or misplaced"),
    ("found undefined tag handle", "a tag that nothing declares; take it away"),
    ("expected '<document start>'", "text after the end of the document; separate documents with ---"),
)  # fmt: skip


# What both parsers read alike: `lines` says why each part is as it is.
_TAME: Final = re.compile(
    rf"(?:---)?[ ]*|(?:---[ ])?[ ]*#[ -~]*|[ ]*(?:-[ ])*(?:{lines.KEY}(?:[ ]{lines.VALUE})?|{lines.VALUE}){lines.COMMENT}",
    re.ASCII,
)


def of(text: str) -> Iterator[Any]:
    """The events of a text, by the fastest way that is certain to mean what `slow` would say."""
    if not all(map(_TAME.fullmatch, text.split("\n"))):
        return slow(text)
    events = fast(text)
    return slow(text) if events is None else iter(events)


def fast(text: str) -> list[Any] | None:
    """The events of a text by libyaml, or None where it refuses or is not there: what is wrong then is for `slow` to say."""
    import yaml  # most files are read by `lines` and never need it

    if not yaml.__with_libyaml__:
        return None
    parser = yaml.CBaseLoader(text)
    events: list[Any] = []
    try:
        while (event := parser.get_event()) is not None:
            events.append(event)
    except (yaml.YAMLError, ValueError):
        return None
    finally:
        parser.dispose()
    return events


def slow(text: str) -> Iterator[Any]:
    """The events of a text by ruamel.yaml in pure Python: YAML 1.2, and the reference for every other way."""
    from ruamel.yaml import YAML  # heavy, and ordinary files never need it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    place = (0, 0)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            place = (event.start_mark.line, event.start_mark.column)
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = (mark.line, mark.column)
        raise Malformed(
            _explained(str(error.context or ""), str(error.problem or "")), place[0] + 1, place[1] + 1
        ) from error
    except (YAMLError, *_SLIPS) as error:
        raise Malformed("this is not YAML", place[0] + 1, place[1] + 1) from error


def _explained(context: str, problem: str) -> str:
    said = f"{context} {problem}"
    for words, meaning in _PLAIN:
        if words in said:
            return meaning
    return f"this is not YAML: {problem or context}"


def composed(text: str) -> tuple[Any, bool]:
    """The node tree of one well-formed document, each node with where it starts and ends, and whether it shares nodes."""
    from ruamel.yaml import YAML  # needed by few runs, and slow to import

    shared = any(getattr(event, "anchor", None) is not None for event in slow(text))
    return YAML(typ="safe", pure=True).compose(text), shared
