"""What a limit lets a model cost at most: decimals, and nothing where a price that counts is not known. Pure.

The bound is of online use paid for by token, which is all that a limit counts (S16, S22): every token at the dearest price it
may have. Free tokens come first but are not taken off: what is shown of them may be an hour old (S18), so how many are left is
never certain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal, InvalidOperation
from typing import Final

from reconciler.plan import prices
from reconciler.state import Billing, Model, Price

FAST: Final = "fast-infer"  # the sub-service that has prices of its own
_BASE: Final = ("InferencePrompt", "InferenceCompletion")
_FAST: Final = ("FastInferencePrompt", "FastInferenceCompletion")
_UNIT: Final = re.compile(r"([A-Z]{3})/(1M|1k) tokens(?:, (from|up to))?")
_TOKENS: Final = {"1M": Decimal(1_000_000), "1k": Decimal(1_000)}
_CENT: Final = Decimal("0.01")
_EXACT: Final = Context(prec=60, rounding=ROUND_UP)


@dataclass(frozen=True, slots=True)
class Bound:
    """At most `amount` of `currency` for so many tokens, each at `price`. `tier` is "lowest" where a price has several length
    tiers of which only the lowest is known, "highest" where the bound is of the highest, "" where there is one price."""

    amount: Decimal
    currency: str
    price: Price
    tier: str = ""

    def __str__(self) -> str:
        """ "160.00 CNY"."""
        return f"{self.amount:,.2f} {self.currency}"

    @property
    def basis(self) -> str:
        """ "all at the output price, 16.0 CNY/1M tokens in the lowest price tier"."""
        unit = self.price.unit.partition(", ")[0]
        tier = f" in the {self.tier} price tier" if self.tier else ""
        return f"all at the {prices.word(self.price)} price, {self.price.amount} {unit}{tier}"


@dataclass(frozen=True, slots=True)
class _Rate:
    """A price by the token."""

    each: Decimal
    currency: str
    meant: str
    price: Price


def bound(model: Model, tokens: int, wanted: Iterable[str] = ()) -> Bound | None:
    """What so many online tokens of the model cost at most; `wanted` are sub-services that are to be on. None: not known."""
    if model.billing is not Billing.PAY_BY_TOKEN:
        return None
    services = model.sub_services if isinstance(model.sub_services, tuple) else (FAST,)  # unseen, so it may be on
    items = _BASE + (_FAST if FAST in {*services, *wanted} else ())
    rates = [_rate(price) for price in model.prices if price.item in items]
    known = [rate for rate in rates if rate is not None]
    whole = len(known) == len(rates) and {rate.price.item for rate in known} == set(items)
    if not whole or len({rate.currency for rate in known}) != 1:
        return None
    dearest = max(known, key=lambda rate: rate.each)
    try:
        amount = _EXACT.multiply(dearest.each, Decimal(tokens)).quantize(_CENT, context=_EXACT)
    except InvalidOperation:  # a price beyond all measure is no price
        return None
    capped = {rate.price.item for rate in known if rate.meant == "up to"}
    uncapped = any(rate.meant == "from" and rate.price.item not in capped for rate in known)
    tier = "lowest" if uncapped else "highest" if capped else ""
    return Bound(amount, dearest.currency, dearest.price, tier)


def _rate(price: Price) -> _Rate | None:
    """The price of one token, None where its amount is not known or it is not by the token."""
    unit = _UNIT.fullmatch(price.unit)
    if unit is None or price.amount is None:
        return None
    try:
        amount = Decimal(price.amount)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount < 0:
        return None
    return _Rate(_EXACT.divide(amount, _TOKENS[unit[2]]), unit[1], unit[3] or "", price)
