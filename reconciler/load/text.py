"""Bytes become text, and text becomes chunks at its document markers, so that one broken document spoils no other.

Nothing here raises on what a file holds.
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.load.tree import Problem

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_CHUNK: Final = 1024 * 1024  # of one document: what an API server takes, and seconds at most for the slow parser

MARK: Final = b"\xef\xbb\xbf"  # that some editors begin UTF-8 with

_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SHOWN: Final = bytes((9, 10, 13, *range(32, 127)))
_MARKER: Final = re.compile(r"\n---(?=\s|\Z)")
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
        message = f"the file holds the control character U+{ord(hidden.group()):04X}"
        return Problem("control-character", message, "take it out", line, column)
    return _BREAK.sub("\n", text) if "\r" in text else text


def _place(before: str) -> tuple[int, int]:
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """The text cut before each `---` line, each piece with the line it starts on. No YAML scalar can hold such a line.

    A text with %directives is one piece, because a directive belongs to the document after it.
    """
    if "%" in text and (text.startswith("%") or "\n%" in text):
        yield 1, text
        return
    line, start = 1, 0
    for marker in _MARKER.finditer(text):
        end = marker.start() + 1
        chunk = text[start:end]
        yield line, chunk
        line += chunk.count("\n")
        start = end
    yield line, text[start:]
