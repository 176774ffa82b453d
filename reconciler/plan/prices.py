"""Prices in words, in the three groups of the platform's page: inference, LoRA fine-tuning, full fine-tuning. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from reconciler.state import Price

# Ark's charge items as people say them; an item that is not here is shown by its own name.
_WORDS: Final = {
    "InferencePrompt": "input",
    "InferenceCompletion": "output",
    "BatchInferencePrompt": "batch input",
    "BatchInferenceCompletion": "batch output",
    "FastInferencePrompt": "fast input",
    "FastInferenceCompletion": "fast output",
    "ContextSessionHit": "cache hit",
    "ContextSessionStorage": "cache storage",
    "LoraFinetune": "training",
    "Finetune": "training",
}
UNKNOWN: Final = "not known"


def grouped(prices: Iterable[Price]) -> Iterator[tuple[str, tuple[Price, ...]]]:
    """The name of each group and its prices, input before output; every group is there, also where it has none."""
    listed = sorted(prices, key=_rank)
    lora = tuple(price for price in listed if price.item.startswith("LoraFinetune"))
    full = tuple(price for price in listed if price.item.startswith("Finetune") and "Inference" not in price.item)
    yield "inference", tuple(price for price in listed if price not in lora and price not in full)
    yield "LoRA tuning", lora
    yield "full tuning", full


def groups(prices: Iterable[Price]) -> Iterator[tuple[str, str]]:
    """The name of each group and its prices in a phrase; every group is there, also where nothing is known."""
    return ((name, phrase(group)) for name, group in grouped(prices))


def phrase(prices: Iterable[Price]) -> str:
    """The prices with each unit said once: "input 0.80, output 2.00 to 8.00 CNY/1M tokens; storage not known"."""
    parts = []
    listed = sorted(prices, key=_rank)
    known = [price for price in listed if price.amount is not None]
    for unit, priced in groupby(known, key=lambda price: price.unit.partition(", ")[0]):
        said = [_priced(list(tiers)) for _, tiers in groupby(priced, key=lambda price: price.item)]
        parts.append(f"{', '.join(said)} {unit}".rstrip())
    if unknown := [word(price) for price in listed if price.amount is None]:
        parts.append(f"{', '.join(unknown)} {UNKNOWN}" if known else UNKNOWN)
    return "; ".join(parts) or UNKNOWN


def _rank(price: Price) -> int:
    """Input before output, what has no word of ours last."""
    return list(_WORDS).index(price.item) if price.item in _WORDS else len(_WORDS)


def _priced(tiers: Sequence[Price]) -> str:
    """A unit may say how its figure is meant: "CNY/1M tokens, from" is the lowest of several length tiers."""
    meant = [(price.unit.partition(", ")[2], price.amount) for price in tiers]
    match sorted(meant):
        case [("from", low), ("up to", high)]:
            return f"{word(tiers[0])} {low} to {high}"
        case _:
            return ", ".join(" ".join(filter(None, (word(tiers[0]), how, amount))) for how, amount in meant)


def word(price: Price) -> str:
    """What is charged for, in a word."""
    return _WORDS.get(price.item, price.item)
