"""What Ark's replies say becomes what is true, and what they do not say is never made up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platforms.ark import mapping
from reconciler.state import UNOBSERVABLE, ActivationState, Billing, FreeTokens, Limit, PauseReason, Rate

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc09-", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc09-", max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "State", "IsLimitedActivation", "ChargeItems", "SubServices", "InitialInferenceFreeUsage", "FreeResourcePackItems",
    "ResourcePackItems", "CurrentRateLimit", "FoundationModelTag", "RateLimit", "ModelReference", "ModelUnitId", "Id",
)  # fmt: skip


def model(activation: dict | None = None, charge: dict | None = None, **more: dict):
    replies = mapping.Replies(
        activations={"m": activation} if activation is not None else None,
        charges={"m": charge} if charge is not None else None,
        **{name: {"m": value} for name, value in more.items()},
    )
    return mapping.model("m", replies)


@pytest.mark.parametrize(
    ("activation", "state"),
    [
        ({"State": "Available"}, ActivationState.ACTIVATED),
        ({"State": "Unavailable"}, ActivationState.NOT_ACTIVATED),
        ({"State": "Unavailable", "IsLimitedActivation": True}, ActivationState.INVITE_ONLY),
        ({"State": "Available", "IsLimitedActivation": True}, ActivationState.ACTIVATED),
        ({"State": "SomethingNew"}, UNOBSERVABLE),
        ({}, UNOBSERVABLE),
    ],
)
def test_a_state_is_one_of_three_or_not_to_be_seen(activation: dict, state: object) -> None:
    assert model(activation).state is state


def test_free_tokens_come_from_the_initial_quota_then_from_packs_and_may_be_negative() -> None:
    assert model({"InitialInferenceFreeUsage": {"Total": "500000", "Consumed": 600000}}).free_tokens == FreeTokens(
        500_000, 600_000, -100_000
    )
    packs = [
        {"Type": "FreeInference", "Total": 10, "Consumed": 4, "Reclaimed": 1, "SyncTime": "2026-11-23T10:00:00+08:00"},
        {"Type": "DataPermission", "Total": 99, "Consumed": 0},
    ]
    seen = model({"State": "Available"}, {"ResourcePackItems": packs}).free_tokens
    assert seen == FreeTokens(10, 4, 5, datetime(2026, 11, 23, 2, tzinfo=UTC))
    assert model({"State": "Available"}, {"ResourcePackItems": packs[1:]}).free_tokens is None
    assert model({"State": "Available"}, {"ResourcePackItems": []}).free_tokens is None
    assert mapping.model("m", mapping.Replies()).free_tokens is UNOBSERVABLE


def test_each_model_has_a_page_of_its_own_whatever_it_is_called() -> None:
    replies = mapping.Replies(catalogue={"a/b?c": {}, "m": {}}, pages="https://console.example/ark")
    assert mapping.model("m", replies).docs_url == "https://console.example/ark/model/detail?Id=m"
    assert mapping.model("a/b?c", replies).docs_url == "https://console.example/ark/model/detail?Id=a%2Fb%3Fc"


def test_a_reply_without_a_word_of_free_packs_does_not_say_that_there_are_none() -> None:
    assert model({"State": "Available"}, {}).free_tokens is UNOBSERVABLE
    assert model({"State": "Unavailable"}, {"ResourcePackItems": "?"}).free_tokens is UNOBSERVABLE


def test_sub_services_with_an_unknown_status_are_not_to_be_seen() -> None:
    listed = [{"SubService": "base", "Status": "Available"}, {"SubService": "fast-infer", "Status": "Available"}]
    assert model({}, {"SubServices": listed}).sub_services == ("fast-infer",)
    assert model({}, {"SubServices": [{"SubService": "x", "Status": "Half"}]}).sub_services is UNOBSERVABLE
    assert model({}, {"State": "Available"}).sub_services is UNOBSERVABLE


@pytest.mark.parametrize(
    ("rate", "override"),
    [
        ({"Rpm": -1, "Tpm": -1}, None),
        ({"Rpm": None}, None),
        (None, None),
        ({"Rpm": 5, "Tpm": -1}, Rate(5, None)),
        ({"Rpm": "5", "Tpm": 7.0}, Rate(5, 7)),
    ],
)
def test_minus_one_null_and_absent_are_all_inherited(rate: object, override: object) -> None:
    reference = {"FoundationModel": {"Name": "m", "ModelVersion": "1"}}
    item = {"Id": "ep-1", "Name": "n", "RateLimit": rate, "ModelReference": reference}
    seen = mapping.endpoint(item, None)
    assert (seen.override, seen.model, seen.scale_tier, seen.batch_only) == (override, "m", UNOBSERVABLE, UNOBSERVABLE)
    told = mapping.endpoint(item, {**item, "ScaleTierId": "st-1", "BatchOnly": True})
    assert (told.scale_tier, told.batch_only) == ("st-1", True)


def test_a_model_priced_by_tokens_is_paid_by_token_and_of_any_other_nothing_is_known() -> None:
    assert model({}, {"ChargeItems": [{"Type": "InferencePrompt", "Price": 0.8}]}).billing is Billing.PAY_BY_TOKEN
    assert model({}, {"ChargeItems": [{"Type": "T2VCompletion"}]}).billing is UNOBSERVABLE


def test_limits_are_read_by_the_names_the_account_gives_and_a_used_up_one_has_paused_the_model() -> None:
    names = {"items": "A.B", "model": "N", "tokens": "T", "used": "U", "effectiveAt": "F"}
    reply = {"A": {"B": [{"N": "m", "T": "100", "U": 100, "F": "2026-07-30T09:59:53+08:00"}, {"N": "x", "T": 0}, 5]}}
    limits = mapping.limits(reply, names, ("m", "x"))
    assert limits == {"m": Limit(100, 100, datetime(2026, 7, 30, 1, 59, 53, tzinfo=UTC)), "x": None}
    seen = mapping.model("m", mapping.Replies(limits=limits))
    assert seen.pause.reason is PauseReason.LIMIT_REACHED
    assert mapping.limits({}, names, ()) == {}


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_reply_is_too_strange_to_be_read(one: dict, other: dict) -> None:
    assert model(one, other, rates=other, catalogue=one).name == "m"
    assert mapping.endpoint(one, other).scale_tier is not UNOBSERVABLE
