"""How text is set on a terminal: widths, wrapping, colour, bars, and `safe`, through which every word from outside goes.

Pure. Text is built of spans and escaped where it is painted, so no control character that came from a file, a platform
or a ledger reaches a terminal, whoever wrote the line.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Final, TypeAlias

from reconciler.finding import Location

# Meaning -> SGR code. Colour only repeats what the words already say.
STYLES: Final = {
    "": "",
    "bold": "1",
    "dim": "2",
    "create": "32",
    "update": "33",
    "revert": "31",
    "error": "1;31",
    "warning": "33",
    "info": "36",
    "good": "32",
    "title": "1;4",
}
_WIDEST: Final = 120
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMMAND: Final = re.compile(r"##(?=\w*\[)")


@dataclass(frozen=True, slots=True)
class Span:
    """Some text in one style; `style` is a key of STYLES."""

    text: str
    style: str = ""


Piece: TypeAlias = str | Span


def safe(text: str) -> str:
    """The text with every character that a terminal would act on, or hide, written as an escape; so is what a CI's runner
    would carry out wherever it stands in a line of the log (`##[command]`, `##vso[...]`)."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, text))
    return _COMMAND.sub(r"#\\x23", text) if "##" in text else text


def inert(line: str) -> str:
    """A finished line of text that no CI's runner takes for a command: GitHub's start with `::`, whatever space is before it."""
    start = line.lstrip()
    return f"{line[: len(line) - len(start)]}:\\x3a{start[2:]}" if start.startswith("::") else line


@cache
def _shown(character: str) -> str:
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    code = ord(character)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def width(text: str) -> int:
    """How many columns the (safe) text takes: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@cache
def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def span(piece: Piece) -> Span:
    """The piece as a span, plain where it is a string."""
    return Span(piece) if isinstance(piece, str) else piece


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """The text, made safe, filled with spaces to `columns`; on the left where it is set `right`."""
    shown = safe(text)
    space = " " * max(0, columns - width(shown))
    return space + shown if right else shown + space


def no_frame(location: Location) -> str:  # noqa: ARG001  # the shape a frame has
    """Where the source text is not at hand there is no code frame."""
    return ""


_ROOMY: Final = 48  # columns in which even long text is read with ease
_TALL: Final = 2  # lines beyond which text in less than that is hard to read


@dataclass(frozen=True, slots=True)
class Layout:
    """What the text is laid out for. `frame` gives the lines around a location, "" where they are not at hand."""

    columns: int = 80
    color: bool = False
    frame: Callable[[Location], str] = no_frame

    def page(self) -> "Page":
        """An empty page of this layout; nobody reads lines that are longer than a page is wide."""
        return Page(min(self.columns, _WIDEST), self.color)


@dataclass(slots=True)
class Page:
    """Lines of spans, `columns` wide, painted at the end. The only place where an escape sequence is written."""

    columns: int = 80
    color: bool = False
    lines: list[tuple[Span, ...]] = field(default_factory=list)

    def line(self, *pieces: Piece) -> None:
        """One line, never wrapped; without pieces an empty one."""
        self.lines.append(tuple(map(span, pieces)))

    def gap(self) -> None:
        """An empty line, unless there is one already or nothing stands above."""
        if self.lines and self.lines[-1]:
            self.lines.append(())

    def wrapped(self, *pieces: Piece, indent: int = 0, hang: int | None = None) -> None:
        """A paragraph wrapped at the page's width, its first line indented by `indent`, the others by `hang`."""
        if len(pieces) == 1 and (whole := _fits(span(pieces[0]), self.columns - indent)):
            self.lines.append((Span(" " * indent), whole))
            return
        follow = indent if hang is None else hang
        line: list[Span] = [Span(" " * indent)]
        used = indent
        empty = True
        for space, word in _words(map(span, pieces)):
            wide = width(word.text)
            gap = 1 if space and not empty else 0
            if not empty and used + gap + wide > self.columns:
                self.lines.append(tuple(line))
                line, used, gap = [Span(" " * follow)], follow, 0
            line.append(Span(" " * gap + word.text, word.style))
            used, empty = used + gap + wide, False
        if not empty:
            self.lines.append(tuple(line))

    def aside(self, left: Iterable[Piece], right: str) -> None:
        """Pieces on the left and a dim word at the right edge; on a line of its own, indented, where there is no room."""
        spans = tuple(map(span, left))
        used = sum(width(safe(one.text)) for one in spans)
        wide = width(safe(right))
        if not right:
            self.line(*spans)
        elif used + 2 + wide <= self.columns:
            self.line(*spans, " " * (self.columns - used - wide), Span(right, "dim"))
        else:
            self.line(*spans)
            self.line("      ", Span(right, "dim"))

    def rows(self, rows: Iterable[tuple[Piece, ...]], indent: int = 0) -> None:
        """A table without lines, columns two spaces apart; the last column is wrapped under itself."""
        table = [tuple(map(span, row)) for row in rows]
        count = max(map(len, table), default=0)
        wide = [max((width(safe(row[i].text)) for row in table if i < len(row)), default=0) for i in range(count)]
        for row in table:
            start = indent + sum(wide[: len(row) - 1]) + 2 * (len(row) - 1)
            cells = [Span(pad(cell.text, wide[i] + 2), cell.style) for i, cell in enumerate(row[:-1])]
            self._ending(cells, row[-1], indent, start)

    def _ending(self, cells: list[Span], last: Span, indent: int, start: int) -> None:
        room, wide = self.columns - start, width(safe(last.text))
        tight = room < min(16, wide) or (room < _ROOMY and wide > _TALL * room)
        if tight or (room < wide and room < _longest(last.text) <= self.columns - indent - 2):  # no room beside: below
            self.line(" " * indent, *cells)
            self.wrapped(last, indent=indent + 2)
            return
        inner = Page(self.columns - start)
        inner.wrapped(last)
        first, *more = inner.lines or [()]
        self.line(" " * indent, *cells, *first)
        for line in more:
            self.line(" " * start, *line)

    def text(self) -> str:
        """The page as text, every span made safe and painted, without spaces at the ends of lines."""
        return "".join(inert(self._painted(line)) + "\n" for line in self.lines)

    def _painted(self, line: tuple[Span, ...]) -> str:
        plain = safe("".join([one.text for one in line])).rstrip()
        if not self.color:
            return plain
        painted, left = "", len(plain)
        for style, spans in groupby((one for one in line if one.text), key=lambda one: STYLES[one.style]):
            text = "".join(safe(one.text) for one in spans)[:left]
            left -= len(text)
            painted += f"\x1b[{style}m{text}\x1b[0m" if style and text else text
        return painted


def _fits(one: Span, columns: int) -> Span | None:
    """The span where it is plain words that need no wrapping in so many columns, as most are; None otherwise."""
    text = one.text
    plain = text.isascii() and text.isprintable() and text.strip(" ") == text and "  " not in text
    return one if text and plain and len(text) <= columns else None


def _longest(text: str) -> int:
    """How many columns the longest word takes, which no line breaks."""
    return max((width(word.text) for _, word in _words((Span(text),))), default=0)


def _words(spans: Iterable[Span]) -> Iterator[tuple[bool, Span]]:
    """The words of the spans, each with whether a space stands before it; wide characters may each start a line."""
    space = False
    for one in spans:
        for index, word in enumerate(safe(one.text).split(" ")):
            space = space or index > 0
            for part in _parts(word):
                yield space, Span(part, one.style)
                space = False


def _parts(word: str) -> Iterable[str]:
    """A word as the pieces between which a line may end: CJK text anywhere, other words (URLs, paths) nowhere."""
    if word.isascii():
        return (word,) if word else ()
    parts: list[str] = []
    for character in word:
        columns = _columns(character)
        if parts and (columns == 0 or (columns == 1 and _columns(parts[-1][-1]) == 1)):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def bar(part: int, whole: int, columns: int = 20) -> str:
    """`part` of `whole` as a bar of plain characters that fills `columns` with its brackets: [######..........]."""
    inner = columns - 2
    share = 0.0 if whole <= 0 else min(1.0, max(0.0, part / whole))
    full = round(share * inner)
    if part > 0 and full == 0 and whole > 0:
        full = 1
    if part < whole and full == inner:
        full = inner - 1
    return "[" + "#" * full + "." * (inner - full) + "]"
