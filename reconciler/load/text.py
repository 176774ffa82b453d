"""Bytes become text, and text becomes chunks at its document markers, so that one broken document spoils no other.

Nothing here raises on what a file holds.
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.characters import LINE_ENDS, named
from reconciler.load.tree import Problem

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_CHUNK: Final = 1024 * 1024  # of one document: what an API server takes, and seconds at most for the slow parser

MARK: Final = b"\xef\xbb\xbf"  # that some editors begin UTF-8 with

_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_SHOWN: Final = bytes((9, 10, 13, *range(32, 127)))
_MARKER: Final = re.compile(r"^(?:---(?=\s|\Z)|\.\.\.(?=\s|\Z)[^\n]*\n?)", re.MULTILINE)
_DIRECTIVES: Final = re.compile(r"(?:(?:[ \t]*+(?:#[^\n]*+)?|%[^\n]*+)\n)*+")
_SILENT: Final = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\n)*+(?:\.\.\.[ \t]*+(?:(?<=[ \t])#[^\n]*+)?\n?)?")
_BREAK: Final = re.compile(r"\r\n|\r|\n")


def decode(content: bytes) -> str | Problem:
    """The text with line breaks as \\n and without its byte order mark, or why it cannot be read."""
    if len(content) > MAX_BYTES:
        message = f"the file is larger than the {MAX_BYTES // 1024 // 1024} MiB that are read"
        return Problem("too-large", message, "split it into several files", 1, 1)
    if content.startswith(_WIDE):
        return Problem("not-utf8", "the file is UTF-16 or UTF-32 text", "save it as UTF-8", 1, 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8-sig", "replace"))
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8 text"
        return Problem("not-utf8", message, "save the file as UTF-8", line, column)
    # Most files are plain ASCII, which is told at once to hold nothing that hides.
    hidden = _HIDDEN.search(text) if content.translate(None, _SHOWN) else None
    if hidden:
        line, column = _place(text[: hidden.start()])
        return Problem("control-character", _said_of(hidden.group()), "take it out", line, column)
    return _BREAK.sub("\n", text) if "\r" in text else text


def _said_of(character: str) -> str:
    message = f"the file holds the control character {named(character)}"
    return f"{message}, which ends a line for some readers only" if character in LINE_ENDS else message


def _place(before: str) -> tuple[int, int]:
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """The text cut before each `---` line and after each `...` line, each piece with the line it starts on. No YAML scalar can
    hold such a line. %directives stay with the document below them."""
    line, start = 1, 0
    for marker in _MARKER.finditer(text):
        cut = marker.end() if marker.group()[0] == "." else marker.start()
        piece = text[start:cut]
        if piece and (marker.group() != "---" or "%" not in piece or _DIRECTIVES.fullmatch(piece) is None):
            yield line, piece
            line += piece.count("\n")
            start = cut
    if start < len(text) or not start:
        yield line, text[start:]


def silent(chunk: str) -> bool:
    """Whether a piece holds no document: blank lines, comments, and an end of what is not there."""
    return _SILENT.fullmatch(chunk) is not None
