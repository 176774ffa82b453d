"""Characters that are not what they seem: those that nobody sees, and those that only look like what a file needs. Pure.

`INVISIBLE` and `LOOKALIKES` are character classes for regular expressions.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# What Unicode says to draw as nothing (Default_Ignorable_Code_Point), what turns the direction of the text after it, and blank
# letters: zero-width spaces and joiners, bidirectional controls, soft hyphens, fillers, variation selectors, tags.
INVISIBLE: Final = (
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Spaces that are none to YAML, full-width forms of its punctuation, and quotation marks and brackets of typography.
SPACES: Final = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
LOOKALIKES: Final = (
    "[\u00a0\u1680\u2000-\u200a\u2018-\u201f\u2039\u203a\u00ab\u00bb\u202f\u205f\u3000-\u3002\u3008-\u3011\u3014\u3015"
    "\u301d-\u301f\ufe30-\ufe6f\uff01-\uff5e\uff61-\uff65]"
)
# What readers before YAML 1.2, and editors, take for the end of a line. YAML 1.2 does not.
LINE_ENDS: Final = "\x85\u2028\u2029"
_INVISIBLE: Final = re.compile(INVISIBLE)
_EMOJI: Final = re.compile("[\u00a9\u00ae\u203c-\u2bff\u3030-\u3299\U0001f000-\U0001faff]")
_DRESSED: Final = "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # in colour; of a skin
_KEYCAPS: Final = frozenset("0123456789#*")


def invisible(text: str) -> Iterator[int]:
    """The place of each character of the text that nobody sees. What holds an emoji together is none."""
    for found in _INVISIBLE.finditer(text):
        if not _of_an_emoji(text, found.start()):
            yield found.start()


def _of_an_emoji(text: str, at: int) -> bool:
    before = text[max(0, at - 3) : at].rstrip(_DRESSED)[-1:] if text[at] == "\u200d" else text[at - 1 : at]
    if text[at] == "\ufe0f":
        return _EMOJI.match(before) is not None or (before in _KEYCAPS and text[at + 1 : at + 2] == "\u20e3")
    return text[at] == "\u200d" and _EMOJI.match(before) is not None and _EMOJI.match(text, at + 1) is not None


def straightened(text: str) -> str:
    """The text with YAML's own punctuation and ordinary spaces in the places of what looks like them."""
    return text.translate(_STRAIGHT)


def named(character: str) -> str:
    """The character as a person can look it up: U+200B zero width space."""
    name = unicodedata.name(character, "").lower() or ("next line" if character == "\x85" else "")
    return f"U+{ord(character):04X} {name}".strip()


def escaped(text: str) -> str:
    """The text with what nobody sees, and what ends a line for some, written as escapes."""
    return _HIDING.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_HIDING: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|{INVISIBLE}")
# Of LOOKALIKES: full-width forms are 0xfee0 above their own, and the rest is what typography and Chinese write in their place.
_STRAIGHT: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys(map(ord, "“”„‟「」『』〝〞〟«»"), '"'),
    **dict.fromkeys(map(ord, "‘’‚‛‹›"), "'"),
    **dict.fromkeys(map(ord, "、，﹐﹑､"), ","),
    **dict.fromkeys(map(ord, "：﹕︓"), ":"),
    **dict.fromkeys(map(ord, "【〔〖"), "["),
    **dict.fromkeys(map(ord, "】〕〗"), "]"),
    **dict.fromkeys(map(ord, "–—−"), "-"),
}
