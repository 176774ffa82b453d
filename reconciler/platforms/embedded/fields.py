"""The fields of a seed file: what each may be, and which columns it becomes. Values and positions in, values out.

pydantic checks declarations at their own door; a seed is no declaration, and its file stays readable without it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from reconciler.load.messages import did_you_mean, shown
from reconciler.load.tree import Node
from reconciler.platforms.embedded.control import MAX_RATE, MAX_TOKENS, SUB_SERVICES

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNITS: Final = {"k": 10**3, "M": 10**6, "G": 10**9}
DOMAINS: Final = ("LLM", "VLM", "Audio", "ComputerVision", "MultiModal", "Embedding")


@dataclass(frozen=True, slots=True)
class Said:
    """One problem, at a node."""

    node: Node
    message: str
    hint: str = ""


class Refused(Exception):
    """A value is not what its field wants; the message is the rest of a sentence that starts with the field's path."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


Check: TypeAlias = Callable[[Node], Any]
Checks: TypeAlias = Mapping[str, "Check | Nested"]


def mapping(node: Node, path: str, checks: Checks) -> Iterator[Said | tuple[str, Any]]:
    """Each key with its checked value, or what is wrong with it."""
    if node.entries is None:
        yield Said(
            node, f"{path or 'the file'} must be a mapping with {', '.join(checks)}; it is {shown(_plain(node))}"
        )
        return
    for key, (key_node, value) in node.entries.items():
        where = f"{path}.{key}" if path else key
        check = checks.get(key)
        if check is None:
            yield Said(key_node, f"{where} is not a field of a seed file", did_you_mean(key, checks))
        elif isinstance(check, Nested):
            inner: dict[str, Any] = {}
            for said in mapping(value, where, check.checks):
                if isinstance(said, Said):
                    yield said
                else:
                    inner[said[0]] = said[1]
            yield key, inner
        else:
            try:
                yield key, check(value)
            except Refused as refused:
                yield Said(value, f"{where} {refused}", refused.hint)


@dataclass(frozen=True, slots=True)
class Nested:
    """A mapping within a mapping, whose own fields are checked one by one."""

    checks: "Checks"


class Rows:
    """A list, as its nodes; null and nothing are an empty one."""

    def __call__(self, node: Node) -> list[Node]:
        if node.items is None and _plain(node) is not None:
            raise Refused(f"must be a list, not {shown(_plain(node))}")
        return node.items or []


class Anything:
    """Any value, as its node."""

    def __call__(self, node: Node) -> Node:
        return node


def name(node: Node) -> str:
    """A model's name or an endpoint's id."""
    value = _scalar_text(node)
    if not _NAME.fullmatch(value):
        raise Refused(f"{shown(value)} must be letters, digits, dots, dashes and underscores")
    return value


def free_text(node: Node) -> str:
    """Any text of a sensible length."""
    value = _scalar_text(node)
    if not value or len(value) > 1024:
        raise Refused("must be text of 1 to 1024 characters")
    return value


def flag(node: Node) -> int:
    """true or false."""
    if not isinstance(node.value, bool):
        raise Refused(f"must be true or false, not {shown(_plain(node))}")
    return int(node.value)


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from `least` to `most`, or a quantity such as 500k, 2M or 1.5G where `most` is in tokens."""

    least: int
    most: int

    def __call__(self, node: Node) -> int:
        value = _plain(node)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,12})?[kMG]", value):
            exact = Decimal(value[:-1]) * _UNITS[value[-1]]
            value = int(exact) if exact == int(exact) else value
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise Refused(f"must be a whole number from {self.least} to {self.most}, not {shown(value)}")
        return value


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def __call__(self, node: Node) -> str:
        value = _plain(node)
        if value not in self.words:
            raise Refused(
                f"must be one of {', '.join(self.words)}, not {shown(value)}", did_you_mean(str(value), self.words)
            )
        return str(value)


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words, each by its own check; kept without repeats."""

    check: Check

    def __call__(self, node: Node) -> str:
        return ",".join(dict.fromkeys(self.check(item) for item in Rows()(node)))


def prices(node: Node) -> str:
    """A list of {item, amount, unit}; the amount a decimal, or unknown."""
    rows = []
    for number, item in enumerate(Rows()(node)):
        said = list(mapping(item, f"[{number}]", {"item": free_text, "amount": _amount, "unit": free_text}))
        for problem in said:
            if isinstance(problem, Said):
                raise Refused(f"has a problem: {problem.message}", problem.hint)
        values = dict(one for one in said if not isinstance(one, Said))
        if "item" not in values:
            raise Refused(f"[{number}] needs item")
        rows.append([values["item"], values.get("amount"), values.get("unit", "")])
    return json.dumps(rows, separators=(",", ":"))


def _amount(node: Node) -> str | None:
    value = node.source or _scalar_text(node)
    if value in ("unknown", "null", "~"):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or len(value) > 32:
        raise Refused(f"must be a decimal amount such as 0.80, or unknown, not {shown(value)}")
    return value


def _plain(node: Node) -> Any:
    if node.entries is not None:
        return {}
    return [] if node.items is not None else node.value


def _scalar_text(node: Node) -> str:
    """Text, or a number as it is written: versions such as 251015 need no quotes."""
    value = _plain(node)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return node.source or str(value)
    raise Refused(f"must be text, not {shown(value)}")


_TOKENS: Final = Whole(0, MAX_TOKENS)
_RATE: Final = Nested({"rpm": Whole(1, MAX_RATE), "tpm": Whole(1, MAX_RATE)})

MODEL: Final[Checks] = {
    "name": name,
    "displayName": free_text,
    "domain": OneOf(DOMAINS),
    "taskTypes": Words(name),
    "versions": Words(name),
    "inviteOnly": flag,
    "deprecated": flag,
    "billing": OneOf(("PayByToken", "ModelUnit")),
    "rateLimit": _RATE,
    "freeTokens": _TOKENS,
    "state": OneOf(("Activated", "NotActivated")),
    "subServices": Words(OneOf(SUB_SERVICES)),
    "prices": prices,
    "docsUrl": free_text,
    "used": Nested({"online": _TOKENS, "batch": _TOKENS}),
}
ENDPOINT: Final[Checks] = {
    "id": name,
    "name": free_text,
    "model": name,
    "modelVersion": name,
    "rateLimit": _RATE,
    "scaleTier": Nested({"tpm": Whole(1, MAX_RATE)}),
    "modelUnits": Whole(1, 1_000_000),
    "batchOnly": flag,
}
ACCOUNT: Final[Checks] = {"freeTokensOnly": flag, "freeTokensOnlyEnded": flag, "verified": flag}

_COLUMNS: Final = {
    "displayName": "display_name",
    "taskTypes": "task_types",
    "inviteOnly": "invite_only",
    "freeTokens": "free_total",
    "subServices": "sub_services",
    "docsUrl": "docs_url",
    "modelVersion": "model_version",
    "modelUnits": "model_units",
    "batchOnly": "batch_only",
    "freeTokensOnly": "free_tokens_only",
    "freeTokensOnlyEnded": "free_tokens_only_ended",
}


def columns_of(key: str, value: Any) -> dict[str, Any]:
    """The columns that a checked field becomes; `name`, `id` and `used` stay what they are."""
    if key == "rateLimit":
        return {half: value.get(half) for half in ("rpm", "tpm")}
    if key == "scaleTier":
        return {"scale_tpm": value.get("tpm")}
    if key == "state":
        return {"activated": int(value == "Activated")}
    if key == "subServices":
        return {"sub_services": ",".join(sorted(value.split(",")))}
    return {_COLUMNS.get(key, key): value}
