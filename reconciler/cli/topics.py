"""What `explain` knows, by group: the names, and which are near to one that it does not know. No text of its own."""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from reconciler import guards, platforms, rules, schema
from reconciler.cli.exits import Exit
from reconciler.kinds import registry
from reconciler.load import CHECKS
from reconciler.reasons import Reason
from reconciler.report.status_words import PAUSES
from reconciler.status.values import ConditionType

EXIT_CODES: Final = "exit-codes"
_SUGGESTIONS: Final = 3
_LETTERS: Final = 3  # so many at least, before a name that only holds them is near


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """The names of each group, in an order that suits who reads them from the first."""
    return {
        "Kinds": tuple(registry()),
        "Rules": tuple(rules.registry()),
        "Checks of the loader": tuple(sorted(CHECKS)),
        "Guards": tuple(guards.GUARDS),
        "Condition types": tuple(type_.value for type_ in ConditionType),
        "Reasons": tuple(reason.value for reason in Reason),
        "Why a model is paused": tuple(PAUSES),
        "Exit codes": (EXIT_CODES, *(str(code.value) for code in Exit)),
        "Facts of the platform": tuple(platforms.facts()),
    }


@cache
def fields() -> tuple[str, ...]:
    """Every field as KIND.FIELD, what stands in `spec` by its name alone."""
    return tuple(f"{kind}.{one.path.removeprefix('spec.')}" for kind in registry() for one in schema.fields(kind))


def names() -> Iterator[str]:
    """Everything that can be asked for, fields last."""
    for found in groups().values():
        yield from found
    yield from fields()


def near(name: str) -> tuple[str, ...]:
    """What was probably meant, at most three: a field of that name, else names that look alike, else names of which it is a part."""
    wanted = name.lower()
    by_name = {known.lower(): known for known in names()}
    by_name |= {short: kind.name for kind in registry().values() for short in (kind.plural, *kind.short_names)}
    pool = [known for known in by_name if ("." in known) == ("." in wanted)]
    named = [known for known in by_name if known.partition(".")[2] == wanted]
    alike = difflib.get_close_matches(wanted, pool, n=_SUGGESTIONS, cutoff=0.7)
    parts = set(re.split(r"[-./ ]", wanted)) if len(wanted) >= _LETTERS else set()
    holding = sorted((known for known in pool if parts and parts <= set(re.split(r"[-./]", known))), key=len)
    found = named or alike or holding or difflib.get_close_matches(wanted, pool, n=_SUGGESTIONS)
    return tuple(dict.fromkeys(by_name[known] for known in found))[:_SUGGESTIONS]


def spans(listed: tuple[str, ...]) -> str:
    """The names in a phrase, numbered ones as a span: "S1 to S32, D1 to D17"."""
    series: dict[str, list[str]] = {}
    for name in listed:
        numbered = re.fullmatch(r"([A-Z])\d+", name)
        series.setdefault(numbered[1] if numbered else name, []).append(name)
    return ", ".join(held[0] if len(held) == 1 else f"{held[0]} to {held[-1]}" for held in series.values())
