"""Prices in words, in the three groups of the platform's page: inference, LoRA fine-tuning, full fine-tuning. Pure."""

from collections.abc import Iterable, Iterator
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
    """The name of each group and its prices; every group is there, also where it has none."""
    listed = list(prices)
    lora = tuple(price for price in listed if price.item.startswith("LoraFinetune"))
    full = tuple(price for price in listed if price.item.startswith("Finetune") and "Inference" not in price.item)
    yield "inference", tuple(price for price in listed if price not in lora and price not in full)
    yield "LoRA tuning", lora
    yield "full tuning", full


def groups(prices: Iterable[Price]) -> Iterator[tuple[str, str]]:
    """The name of each group and its prices in a phrase; every group is there, also where nothing is known."""
    return ((name, phrase(group)) for name, group in grouped(prices))


def phrase(prices: Iterable[Price]) -> str:
    """The prices with each unit said once: "input 0.80, output 2.00 CNY/1M tokens; storage not known"."""
    parts = []
    listed = list(prices)
    known = [price for price in listed if price.amount is not None]
    for unit, priced in groupby(known, key=lambda price: price.unit.partition(", ")[0]):
        parts.append(", ".join(map(_priced, priced)) + f" {unit}".rstrip())
    if unknown := [word(price) for price in listed if price.amount is None]:
        parts.append(f"{', '.join(unknown)} {UNKNOWN}" if known else UNKNOWN)
    return "; ".join(parts) or UNKNOWN


def _priced(price: Price) -> str:
    """A unit may say how its figure is meant: "CNY/1M tokens, from" is the lowest of several length tiers."""
    meant = price.unit.partition(", ")[2]
    return " ".join(filter(None, (word(price), meant, price.amount)))


def word(price: Price) -> str:
    """What is charged for, in a word."""
    return _WORDS.get(price.item, price.item)
