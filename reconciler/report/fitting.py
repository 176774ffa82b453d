"""A page that must not be longer than so much: each block has a shortest form that always stands, and takes more room as long
as there is any, in the order of what matters. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# The block's text in at most so many characters where it can be; what it gives for 0 is its shortest form.
Form: TypeAlias = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page. `rank`: which block gets room first, the lower the earlier. "" is no block."""

    rank: int
    form: Form


def size(text: str) -> int:
    """How long a text is for who counts UTF-16 units, which no counting of characters exceeds."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(blocks: Sequence[Block], room: int, between: str = "\n\n") -> list[str]:
    """The blocks' texts in the order given, as long as all of them fit into `room` with `between` after each."""
    texts = [block.form(0) for block in blocks]
    left = room - sum(size(text) + size(between) for text in texts if text)
    for place in sorted(range(len(blocks)), key=lambda place: (blocks[place].rank, place)):
        old = size(texts[place])
        new = blocks[place].form(max(0, old + left - (0 if old else size(between))))
        spent = size(new) - old + (0 if old or not new else size(between))
        if spent <= left:
            texts[place], left = new, left - spent
    return [text for text in texts if text]


def fixed(text: str) -> Form:
    """A block that is what it is."""
    return lambda _: text


def first_that_fits(forms: Iterable[Form]) -> Form:
    """The first form that fits into the room; the last where none does."""
    known = tuple(forms)

    def form(room: int) -> str:
        text = ""
        for each in known:
            text = each(room)
            if size(text) <= room:
                break
        return text

    return form


def listed(
    head: str, lines: Sequence[str], more: Callable[[int], str], tail: str = "", most: int | None = None
) -> Form:
    """Lines under a head, as many as fit (and at most `most`), and what `more` says of the number of those that do not."""

    def form(room: int) -> str:
        limit = len(lines) if most is None else min(most, len(lines))
        left = room - size(head) - size(tail) - size(more(len(lines))) - 1
        taken = 0
        while taken < limit and size(lines[taken]) + 1 <= left:
            left -= size(lines[taken]) + 1
            taken += 1
        shown = [*lines[:taken], *([more(len(lines) - taken)] if taken < len(lines) else [])]
        return head + "\n".join(filter(None, shown)) + tail if shown else ""

    return form


def whole(head: str, lines: Sequence[str]) -> Form:
    """All the lines under a head, however long that is."""
    text = head + "\n".join(lines)
    return fixed(text if lines else "")
