"""The lines around a finding, with a caret under the place. Pure; the renderer decides whether to show it."""

import unicodedata
from typing import Final

from reconciler.finding import Location
from reconciler.load.credentials import hidden

_WIDTH: Final = 96  # columns of source shown of a long line
_TAB: Final = "→"


def frame(content: bytes, location: Location, context: int = 1) -> str:
    """`context` lines before and after the location with line numbers and a caret; "" where there is nothing to show.

    Tabs, control and invisible characters are made visible; long lines are cut around the caret.
    """
    lines = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not 1 <= location.line <= len(lines):
        return ""
    first = max(1, location.line - context)
    last = min(len(lines), location.line + context)
    if last > location.line and not lines[-1]:
        last = min(last, len(lines) - 1)  # the empty piece after the final line break is no line
    gutter = len(str(last))
    column = max(0, location.column - 1)
    start = max(0, column - _WIDTH // 2) if len(lines[location.line - 1]) > _WIDTH else 0
    shown: list[str] = []
    for number in range(first, last + 1):
        line = hidden(lines[number - 1], lines[number - 2] if number > 1 else "")
        shown.append(f"{number:>{gutter}} | {_cut(line, start)}".rstrip())
        if number == location.line:
            before = _cut(lines[number - 1][:column], start)
            shown.append(f"{' ' * gutter} | {' ' * _columns(before)}^")
    return "\n".join(shown)


def _cut(line: str, start: int) -> str:
    """The part of a line from `start` that is shown, with an ellipsis where something is left out."""
    piece = line[start : start + _WIDTH]
    text = "".join(map(_visible, piece))
    return ("…" if start else "") + text + ("…" if len(line) > start + _WIDTH else "")


def _visible(character: str) -> str:
    if character == "\t":
        return _TAB
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "␡"
    if not character.isprintable():
        return f"\\u{ord(character):04x}"
    return character


def _columns(text: str) -> int:
    """How many terminal columns a text takes: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
