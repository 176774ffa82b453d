"""Text from outside in Markdown, so that it shows as itself and makes no markup: code spans, prose, cuts. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from reconciler.report.as_text import safe
from reconciler.report.as_text.of_findings import NAMED

NAME: Final = 120  # characters of a name
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~&@#$!^])")


def name(text: str | None) -> str:
    """A name or a place as a code span, cut where it is longer than a reader reads."""
    return code(clip(text or "", NAME))


def names(several: Iterable[str]) -> str:
    """A handful of names, then how many more there are."""
    known = [each for each in several if each]
    more = f" and {len(known) - NAMED:,} more" if len(known) > NAMED else ""
    return ", ".join(map(name, known[:NAMED])) + more


def message(text: str, most: int) -> str:
    """A sentence, cut where it is longer than so many characters."""
    return prose(clip(text, most))


def clip(text: str, most: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def code(text: str) -> str:
    """The text as a code span that it cannot end: nothing in it is markup, a mention or a reference."""
    shown = safe(text)
    ticks = "`" * (longest_run(shown) + 1)
    pad = " " if not shown or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def prose(text: str) -> str:
    """The text as it is, with every character that could be markup escaped, and mentions, issue numbers and links cut.

    GitHub and GitLab look for those after the backslashes are gone, so a zero-width space (as an entity, to be seen in
    the source) parts the sign from what follows it.
    """
    escaped = _MARKUP.sub(r"\\\1", safe(text).lstrip())  # four spaces at its start would make code of it
    cut = re.sub(r"([@#!~%$:&^])(?=\S)", r"\1&#8203;", escaped)
    cut = re.sub(r"(?i)\b(www|gh)(?=[.-])", r"\1&#8203;", cut)
    return re.sub(r"^([-+=]|\d+(?=[.)]))", _not_a_list, cut)  # last: its own entity must not be cut


def _not_a_list(start: re.Match[str]) -> str:
    """A text may start with what would make a list of it; a backslash before a digit would be seen, so that is cut."""
    return f"{start[1]}&#8203;" if start[1].isdigit() else f"\\{start[1]}"


def longest_run(text: str) -> int:
    """How many backticks stand together at most: a fence or span needs one more."""
    return max(map(len, re.findall("`+", text)), default=0)
