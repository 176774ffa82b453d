"""What a person means who writes an amount in a way that no field takes: `50 M`, `5000万`, `50_000_000`, `5e6`. Pure.

Only ever used to say what to write; nothing is converted.
"""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from reconciler.characters import SPACES, named

_MOST: Final = 40  # characters of an amount
_QUOTES: Final = " \"'“”‘’"
_UNITS: Final = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "m": 10**6, "G": 10**9, "g": 10**9, "B": 10**9, "b": 10**9, "T": 10**12, "t": 10**12,
    "w": 10**4, "W": 10**4, "MM": 10**6, "mm": 10**6, "kk": 10**6, "mn": 10**6, "mio": 10**6, "mln": 10**6, "bn": 10**9,
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "kb": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_NUMERALS: Final = "零〇一二两三四五六七八九十百千万亿"
_WRITTEN: Final = re.compile(
    r"(?P<number>[0-9][0-9_,' .]*)(?:[eE](?P<exponent>\+?[0-9]{1,3}))?(?P<gap> *)"
    r"(?P<unit>[A-Za-z]*?|[十百千万亿]*)(?P<word> *(?:[tT]okens?|个|次|条|[rt]pm|RPM|TPM|(?:/|per) *min(?:ute)?)*)"
)
_GROUPS: Final = re.compile(r"[0-9]{1,3}(?:([_,' .])[0-9]{3})+|[0-9]+(?:\.[0-9]+)?|[0-9]+(?:_[0-9]+)+")

_SEPARATORS: Final = {"_": "YAML 1.2 has no _ in numbers", ",": "a number has no commas", "'": "a number has no apostrophes",
                      " ": "a number has no spaces", ".": "a number has no points between its thousands"}  # fmt: skip
_GAP: Final = "no space stands between a number and its unit"
_OTHER: Final = "it is not written as a number is"
UNITS_ALONE: Final = frozenset((_GAP, _OTHER))  # the reasons that are none where no unit is allowed


class Amount(NamedTuple):
    """A whole number, and why the way in which it is written is not one."""

    number: int
    why: str


def meant(text: str) -> Amount | None:
    """The amount that a text most likely means, None where it means none."""
    if len(text) > _MOST:
        return None
    plain = unicodedata.normalize("NFKC", text).strip(f"{_QUOTES},;.。、")
    if plain and set(plain) <= set(_NUMERALS):
        number = _of_numerals(plain)
        return Amount(number, "a number is written in digits") if number else None
    found = _WRITTEN.fullmatch(plain)
    grouped = _GROUPS.fullmatch(found["number"].strip()) if found else None
    unit = _unit(found["unit"]) if found else None
    if found is None or grouped is None or unit is None:
        return None
    digits = found["number"].strip()
    separator = (
        grouped[1] if grouped[1] and (grouped[1] != "." or digits.count(".") > 1) else "_" if "_" in digits else ""
    )
    try:
        exact = (
            Decimal(digits.replace(separator, "") if separator else digits) * unit * 10 ** int(found["exponent"] or 0)
        )
        number = int(exact)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    if not 0 < exact == number < 10**18:
        return None
    return Amount(number, _why(text, plain, separator, found))


def _unit(name: str) -> int | None:
    if not set(name) <= set(_NUMERALS):
        return _UNITS.get(name)
    factor = 1
    for numeral in name:
        factor *= int(unicodedata.numeric(numeral))
    return factor


def _of_numerals(text: str) -> int:
    """五千万 is 50,000,000."""
    total = section = digit = 0
    for numeral in text.replace("两", "二"):
        value = int(unicodedata.numeric(numeral))
        if value < 10:
            digit = value
        elif value < 10**4:
            section, digit = section + (digit or 1) * value, 0
        elif value == 10**4:
            total, section, digit = total + (section + digit) * value, 0, 0
        else:
            total, section, digit = (total + section + digit) * value, 0, 0
    return total + section + digit


def _why(text: str, plain: str, separator: str, found: re.Match[str]) -> str:
    """The first thing that a reader of numbers would stumble over."""
    bare, unit, space = text.strip(_QUOTES), found["unit"], re.search(SPACES, text)
    reasons = (
        (bare != text.strip(" \"'"), "its quotation marks are typographic, which YAML takes for letters"),
        (space is not None, f"it holds {named(space[0])}" if space else ""),
        (plain != unicodedata.normalize("NFKC", bare), "punctuation stands beside it"),
        (plain != bare, "its characters are full-width ones"),
        (separator, _SEPARATORS.get(separator, "")),
        (found["exponent"], "a number with an exponent is no integer"),
        ("." in found["number"] and not unit, "a number with a point is no integer"),
        (unit == "m", "m is a thousandth in Kubernetes, and M a million here"),
        (unit == "K", "the unit of a thousand is a small k"),
        (unit.endswith(("i", "iB")), f"{unit} is a power of 1,024, and the units here are of 1,000: k, M and G"),
        (unit not in ("", "k", "M", "G"), f"{unit} is no unit here; k, M and G are"),
        (found["word"].strip(), "what is counted is not written beside the number"),
        (unit and " " in plain, _GAP),
        (True, _OTHER),
    )
    return next(reason for holds, reason in reasons if holds)


def shortest(number: int) -> str:
    """The amount as a quantity with a unit where that is exact, and in digits."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number % (size // 10) == 0 and size <= number < 1000 * size:
            whole = f"{number // size}" if number % size == 0 else f"{number / size:.1f}"
            return f"{whole}{unit} ({number:,})"
    return str(number)
