"""Text becomes parser events with their places, by ruamel.yaml. Its only home; what the events mean is `tree`'s business, and
whether YAML 1.2 reads the text in the same way is `exact`'s.

Never raises anything but `tree.Malformed`.
"""

from collections.abc import Iterator
from typing import Any, Final

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
    ("cannot start any token", "a reserved character (@, `, %) stands where a value should start; quote the text"),
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
    # what the fast reader says
    ("tab", "a tab stands where only spaces may indent; indent with spaces"),
    ("comments must be separated", "a # right after a value; put a space before it if a comment is meant, else quote the text"),
    ("invalid indentation", "a line within brackets or quotes is not indented further than the line that they begin on"),
    ("cannot start with '-'", "a - alone within brackets; quote it, or take it away"),
    ("directive", "a %directive below a document that no ... ends; directives belong to the top of the file"),
    ("surrogate", "an escape of half a character; write the character itself"),
    ("comment intercepting", "text goes on after a comment; quote the text, or take the comment away"),
)  # fmt: skip


def of(text: str) -> Iterator[Any]:
    """The events of a text."""
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
        problem = f"{error.context or ''} {error.problem or ''}".strip()
        raise Malformed(explained(problem), place[0] + 1, place[1] + 1) from error
    except (YAMLError, *_SLIPS) as error:
        raise Malformed("this is not YAML", place[0] + 1, place[1] + 1) from error


def explained(problem: str) -> str:
    """What a parser's words mean to the person who wrote the file."""
    for words, meaning in _PLAIN:
        if words in problem:
            return meaning
    return f"this is not YAML: {problem}"


def composed(text: str) -> tuple[Any, bool]:
    """The node tree of one well-formed document, each node with where it starts and ends, and whether it shares nodes."""
    from ruamel.yaml import YAML  # needed by few runs, and slow to import

    text = text.replace("\t", " ")  # as `exact` reads it: places stay the same
    shared = any(getattr(event, "anchor", None) is not None for event in of(text))
    return YAML(typ="safe", pure=True).compose(text), shared
