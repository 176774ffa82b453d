"""What a plan says that a change costs at most is said in decimals, of the dearest price, and only where every price is known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.plan import costs, make
from reconciler.state import UNOBSERVABLE, ActivationState, Billing, FreeTokens, Limit, Model, Price
from tests import builders as b

UNIT = "CNY/1M tokens"


def priced(*prices: tuple[str, str | None, str], **more: object) -> Model:
    known = tuple(Price(item, amount, unit) for item, amount, unit in prices)
    return b.model("m", **{"state": ActivationState.ACTIVATED, "prices": known, **more})


IN, OUT = ("InferencePrompt", "3.2", UNIT), ("InferenceCompletion", "16.0", UNIT)


def said(model: Model, tokens: int = 10_000_000, *wanted: str) -> str:
    most = costs.bound(model, tokens, wanted)
    return f"{most}, {most.basis}" if most else "nothing"


def test_a_bound_is_every_token_at_the_dearest_price() -> None:
    assert said(priced(IN, OUT)) == "160.00 CNY, all at the output price, 16.0 CNY/1M tokens"
    assert said(
        priced(("InferencePrompt", "0.008", "USD/1k tokens"), ("InferenceCompletion", "0.002", "USD/1k tokens")), 1
    ) == ("0.01 USD, all at the input price, 0.008 USD/1k tokens")


def test_amounts_are_decimals_rounded_up_to_the_cent() -> None:
    model = priced(("InferencePrompt", "0.1", UNIT), ("InferenceCompletion", "0.3", UNIT))
    assert costs.bound(model, 3_000_000) == replace(costs.bound(model, 3_000_000), amount=Decimal("0.90"))  # type: ignore[type-var]
    assert said(model, 3_000_001).startswith("0.91 CNY")
    assert said(model, 10**18).startswith("300,000,000,000.00 CNY")


@pytest.mark.parametrize(
    ("prices", "tier"),
    [
        ([("InferencePrompt", "0.8", UNIT), ("InferenceCompletion", "2", f"{UNIT}, from"), ("InferenceCompletion", "8", f"{UNIT}, up to")],
         "80.00 CNY, all at the output price, 8 CNY/1M tokens in the highest price tier"),
        ([("InferencePrompt", "3.2", f"{UNIT}, from"), ("InferenceCompletion", "16.0", f"{UNIT}, from")],
         "160.00 CNY, all at the output price, 16.0 CNY/1M tokens in the lowest price tier"),
        ([("InferencePrompt", "0.8", f"{UNIT}, from"), ("InferenceCompletion", "2", f"{UNIT}, from"), ("InferenceCompletion", "8", f"{UNIT}, up to")],
         "80.00 CNY, all at the output price, 8 CNY/1M tokens in the lowest price tier"),
    ],
)  # fmt: skip
def test_the_tier_of_a_price_is_said_and_only_a_highest_tier_is_called_that(
    prices: list[tuple[str, str | None, str]], tier: str
) -> None:
    assert said(priced(*prices)) == tier


@pytest.mark.parametrize(
    "model",
    [
        priced(),
        priced(OUT),
        priced(IN, ("InferenceCompletion", None, UNIT)),
        priced(IN, ("InferenceCompletion", "?", UNIT)),
        priced(IN, ("InferenceCompletion", "NaN", UNIT)),
        priced(IN, ("InferenceCompletion", "-1", UNIT)),
        priced(IN, ("InferenceCompletion", "1e999", UNIT)),
        priced(IN, ("InferenceCompletion", "16.0", "USD/1M tokens")),
        priced(IN, ("InferenceCompletion", "16.0", "千tokens")),
        priced(IN, ("InferenceCompletion", "16.0", "CNY/1M tokens (image)")),
        priced(("T2ICompletion", "0.30", "CNY/image")),
        priced(IN, OUT, billing=Billing.MODEL_UNIT),
        priced(IN, OUT, billing=UNOBSERVABLE),
        priced(IN, OUT, sub_services=("fast-infer",)),
        priced(IN, OUT, sub_services=UNOBSERVABLE),
    ],
)
def test_where_a_price_that_counts_is_not_known_nothing_is_said(model: Model) -> None:
    assert said(model) == "nothing"


def test_fast_inference_counts_at_its_own_price_where_it_is_on_or_wanted() -> None:
    fast = [("FastInferencePrompt", "6", UNIT), ("FastInferenceCompletion", "48", UNIT)]
    assert said(priced(IN, OUT, *fast)).startswith("160.00 CNY")
    assert said(priced(IN, OUT, *fast, sub_services=("fast-infer",))).startswith(
        "480.00 CNY, all at the fast output price"
    )
    assert said(priced(IN, OUT, *fast), 10_000_000, "fast-infer").startswith("480.00 CNY")
    assert said(priced(IN, OUT, *fast, sub_services=UNOBSERVABLE)).startswith("480.00 CNY")


def notes(declared: list[object], model: Model) -> list[str]:
    plan = make(b.question(b.declared(*declared), b.snapshot(model)))  # type: ignore[arg-type]
    return [note for change in plan.changes for note in change.notes if "cost" in note and "consent" not in note]


def test_a_plan_says_what_a_limit_costs_at_most() -> None:
    (note,) = notes([b.limit("m", tokens=10_000_000)], priced(IN, OUT))
    assert note == (
        "online use costs at most 160.00 CNY until the limit pauses it, all at the output price, 16.0 CNY/1M tokens"
    )


def test_free_tokens_whose_number_may_be_an_hour_old_are_not_taken_off() -> None:
    free = FreeTokens(500_000, 0, 500_000, b.NOW)
    (note,) = notes([b.limit("m", tokens=500_000)], priced(IN, OUT, free_tokens=free))
    assert "at most 8.00 CNY" in note


def test_an_activation_says_what_the_limit_that_is_there_lets_it_cost_or_that_nothing_bounds_it() -> None:
    idle = {"state": ActivationState.NOT_ACTIVATED}
    limited = priced(IN, OUT, **idle, limit=Limit(10_000_000, 4_000_000, b.NOW - b.hours(3)))
    (note,) = notes([b.activation("m")], limited)
    assert note.startswith("online use costs at most 96.00 CNY until the limit it has pauses it")
    assert notes([b.activation("m")], priced(IN, OUT, **idle, limit=None)) == [
        "no limit is declared or set, so nothing bounds what it costs"
    ]
    assert notes([b.activation("m")], priced(IN, OUT, **idle, limit=UNOBSERVABLE)) == []
    (both,) = notes([b.activation("m"), b.limit("m", tokens=10_000_000)], priced(IN, OUT, **idle, limit=None))
    assert both.startswith("online use costs at most 160.00 CNY until the limit pauses it")
