"""The rules on inference limits."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.finding import Severity
from reconciler.kinds.inference_limit import is_set_again, next_set_at, tokens_left
from reconciler.reasons import Reason
from reconciler.rules.limit_unsupported_modality import UNSUPPORTED
from reconciler.state import UNOBSERVABLE, ActivationState, Attestation, Billing, FreeTokens, Limit, Model
from tests.builders import (
    NOW,
    M,
    account,
    activation,
    declared,
    endpoint,
    history,
    hours,
    limit,
    model,
    record,
    snapshot,
)
from tests.rules.helpers import at, placed, says

OFF, INVITE = ActivationState.NOT_ACTIVATED, ActivationState.INVITE_ONLY


def used(tokens_an_hour: int, for_hours: int = 24) -> tuple[tuple[Any, int], ...]:
    return tuple((NOW - hours(back), tokens_an_hour) for back in range(for_hours - 1, -1, -1))


# --- S25: activation, billing ---


def test_a_limit_of_a_model_that_is_not_activated_is_an_error() -> None:
    (found,) = says("limit-needs-activation", declared(placed(limit(), "spec", "model")), snapshot(model(state=OFF)))
    assert found.message == f"{M} is not activated; limits exist for activated models only"
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.RULE_VIOLATION, (7, 11))


@pytest.mark.parametrize("state", [ActivationState.ACTIVATED, UNOBSERVABLE])
def test_a_limit_of_a_model_that_is_activated_or_unseen_is_fine(state: Any) -> None:
    assert not says("limit-needs-activation", declared(limit()), snapshot(model(state=state)))


def test_a_limit_may_be_declared_beside_the_activation_that_comes_first() -> None:
    assert not says("limit-needs-activation", declared(activation(), limit()), snapshot(model(state=OFF)))
    assert says("limit-needs-activation", declared(activation(), limit()), snapshot(model(state=INVITE)))
    assert says(
        "limit-needs-activation", declared(activation(state="NotActivated"), limit()), snapshot(model(state=OFF))
    )


def test_an_activation_that_is_only_observed_does_not_carry_a_limit() -> None:
    """It is never written, so the model stays as it is and the platform would refuse the limit at every pass."""
    watched = activation(management="Observe")
    (found,) = says("limit-needs-activation", declared(watched, limit()), snapshot(model(state=OFF)))
    assert found.message.startswith(f"{M} is not activated and its activation is only observed")
    assert not says("limit-needs-activation", declared(watched, limit()), snapshot(model()))


def test_prefix_cache_that_is_on_stays_on_where_its_declaration_is_only_observed() -> None:
    on, rule = model(sub_services=("context-cache",)), "limit-conflicts-prefix-cache"
    assert not says(rule, declared(activation(sub_services=[]), limit()), snapshot(on))
    assert says(rule, declared(activation(sub_services=[], management="Observe"), limit()), snapshot(on))


def test_a_limit_needs_billing_by_token() -> None:
    rule = "limit-needs-postpaid"
    (found,) = says(rule, declared(placed(limit(), "spec", "model")), snapshot(model(billing=Billing.MODEL_UNIT)))
    assert found.message == f"{M} is billed as ModelUnit; limits exist for PayByToken models only"
    assert (found.reason, at(found)) == (Reason.RULE_VIOLATION, (7, 11))
    assert not says(rule, declared(limit()), snapshot(model()))
    assert not says(rule, declared(limit()), snapshot(model(billing=UNOBSERVABLE)))


# --- S24 ---


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"domain": "Audio"}, "speech"),
        ({"domain": "ComputerVision"}, "vision"),
        ({"domain": "Embedding", "task_types": ("MultimodalEmbedding",)}, "multimodal embedding"),
        ({"domain": "LLM"}, ""),
        ({"domain": "VLM", "task_types": ("VisualQuestionAnswering",)}, ""),
        ({"domain": "Embedding", "task_types": ("TextEmbedding",)}, ""),
        ({"domain": ""}, ""),
    ],
)
def test_a_limit_is_refused_for_the_modalities_of_the_dated_list(fields: dict[str, Any], word: str) -> None:
    found = says("limit-unsupported-modality", declared(placed(limit(), "spec", "model")), snapshot(model(**fields)))
    assert [at(one) for one in found] == ([(7, 11)] if word else [])
    assert all(f"is a {word} model" in one.message and "2026-11-23" in one.message for one in found)


def test_every_row_of_the_list_of_modalities_has_a_source_and_a_date() -> None:
    assert all(row.source and row.read and (row.domain or row.task) for row in UNSUPPORTED)


# --- S23 ---


def test_a_declared_prefix_cache_and_a_declared_limit_exclude_each_other_offline() -> None:
    cache = placed(activation(sub_services=["context-cache"]), "spec", "subServices", line=8)
    found = says("limit-conflicts-prefix-cache", declared(cache, limit()))
    assert {one.resource for one in found} == {cache.address, f"InferenceLimit/{M}"}
    assert (8, 11) in [at(one) for one in found]
    assert {one.reason for one in found} == {Reason.RULE_VIOLATION}
    assert not says("limit-conflicts-prefix-cache", declared(activation(sub_services=["fast-infer"]), limit()))


def test_a_limit_conflicts_with_a_live_prefix_cache_that_nobody_switches_off() -> None:
    live = snapshot(model(sub_services=("context-cache",)))
    rule = "limit-conflicts-prefix-cache"
    assert len(says(rule, declared(limit()), live)) == 1
    assert len(says(rule, declared(limit(), activation()), live)) == 1
    assert not says(rule, declared(limit(), activation(sub_services=[])), live)
    assert not says(rule, declared(limit()), snapshot(model(sub_services=UNOBSERVABLE)))


def test_a_prefix_cache_conflicts_with_a_live_limit() -> None:
    cache = declared(activation(sub_services=["context-cache"]))
    (found,) = says("limit-conflicts-prefix-cache", cache, snapshot(model(limit=2000)))
    assert "it has a limit of 2,000 tokens on the platform" in found.message
    assert not says("limit-conflicts-prefix-cache", cache, snapshot(model(limit=UNOBSERVABLE)))


# --- S26, S22 ---


@pytest.mark.parametrize(
    ("capacity", "what"),
    [({"scale_tier": "st-1"}, "a TPM guarantee package"), ({"model_units": "mu-1"}, "model units")],
)
def test_prepaid_capacity_of_an_endpoint_blocks_the_models_limit(capacity: dict[str, Any], what: str) -> None:
    everything = declared(placed(limit(), "spec", "model"))
    (found,) = says("limit-blocked-by-capacity", everything, snapshot(endpoint(name="search", **capacity)))
    assert found.message == f"{M} cannot have a limit: endpoint search (ep-1) has {what}"
    assert (found.reason, at(found)) == (Reason.RULE_VIOLATION, (7, 11))


def test_endpoints_without_prepaid_capacity_and_those_of_other_models_block_nothing() -> None:
    seen = snapshot(endpoint(scale_tier=UNOBSERVABLE), endpoint("ep-2", "other", scale_tier="st-1"))
    assert not says("limit-blocked-by-capacity", declared(limit()), seen)


def test_a_batch_only_endpoint_is_outside_the_limit() -> None:
    seen = snapshot(endpoint(name="nightly", batch_only=True))
    (found,) = says("limit-online-only", declared(placed(limit(), "spec", "model")), seen)
    assert "nightly (ep-1)" in found.message
    assert (found.severity, found.reason, at(found)) == (Severity.INFO, None, (7, 11))
    for batch_only in (False, UNOBSERVABLE):
        assert not says("limit-online-only", declared(limit()), snapshot(endpoint(batch_only=batch_only)))


# --- S21 ---


def test_a_limit_that_was_set_an_hour_ago_is_deferred_with_the_time() -> None:
    live = snapshot(model(limit=Limit(5, effective_at=NOW - hours(1))))
    (found,) = says("limit-change-interval", declared(placed(limit(tokens=6), "spec", "tokens")), live)
    assert "2026-11-23T13:00:00Z" in found.message
    assert (found.severity, found.reason, at(found)) == (Severity.INFO, Reason.COOLING_DOWN, (7, 11))


def test_a_limit_that_is_as_declared_waits_for_nothing() -> None:
    just_set = snapshot(model(limit=Limit(5, effective_at=NOW)))
    assert not says("limit-change-interval", declared(limit(tokens=5)), just_set)


@pytest.mark.parametrize("seconds", [7200, 7201])
def test_two_hours_after_the_last_setting_nothing_waits(seconds: int) -> None:
    live = snapshot(model(limit=Limit(5, effective_at=NOW - timedelta(seconds=seconds))))
    assert not says("limit-change-interval", declared(limit(tokens=6)), live)


def test_a_renewal_counts_as_a_setting_only_where_the_last_one_is_remembered() -> None:
    everything, live = declared(limit(tokens=5, renewal="b")), snapshot(model(limit=Limit(5, effective_at=NOW)))
    assert says("limit-change-interval", everything, live, history(record(limit(), renewal="a")))
    assert not says("limit-change-interval", everything, live, history(record(limit(), renewal="b")))
    assert not says("limit-change-interval", everything, live)


def test_a_removal_and_an_attestation_start_the_interval_too() -> None:
    bare = snapshot(model())
    for known in ({"removed_at": NOW}, {"set_at": NOW}, {"attestation": Attestation({}, "kim", NOW)}):
        assert says("limit-change-interval", declared(limit()), bare, history(record(limit(), **known)))
    assert not says("limit-change-interval", declared(limit()), bare)


def test_the_next_setting_is_two_hours_after_the_latest_one_known() -> None:
    past = record(limit(), set_at=NOW - hours(3), removed_at=NOW - hours(1))
    assert next_set_at(Limit(5, effective_at=NOW - hours(2)), past) == NOW + hours(1)
    assert next_set_at(UNOBSERVABLE, past) == NOW + hours(1)
    assert next_set_at(None, None) is None


def test_what_is_left_of_a_limit_is_all_of_it_when_it_is_set_again_and_unknown_where_its_use_is() -> None:
    spec = limit(tokens=10).spec
    assert tokens_left(spec, model(limit=Limit(10, used=4)), None) == 6
    assert tokens_left(spec, model(limit=Limit(10, used=40)), None) == 0
    assert tokens_left(spec, model(limit=Limit(10)), None) is None
    assert tokens_left(spec, model(limit=Limit(11, used=4)), None) == 10
    assert tokens_left(spec, model(limit=None), None) == 10
    assert not is_set_again(spec, UNOBSERVABLE, None)


# --- S18, S19, S13: free quota ---


def quota(remaining: int, **fields: Any) -> Model:
    return model(free_tokens=FreeTokens(500_000, 500_000 - remaining, remaining), **fields)


def test_a_free_quota_limit_that_is_not_below_the_displayed_remaining_is_a_warning() -> None:
    wanted = placed(limit(tokens=1000, free_quota_only=True), "spec", "tokens")
    (found,) = says("limit-not-below-free-quota", declared(wanted), snapshot(quota(1000)))
    assert "1,000 tokens but 1,000 free ones remain" in found.message
    assert found.hint.startswith("Set tokens to at most 999;")
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, None, (7, 11))


def test_the_busiest_recent_hour_is_kept_as_a_margin() -> None:
    rule, wanted = "limit-not-below-free-quota", declared(limit(tokens=800, free_quota_only=True))
    assert not says(rule, wanted, snapshot(quota(1000)))
    (found,) = says(rule, wanted, snapshot(quota(1000, hourly_use=((NOW, 300), (NOW - hours(30), 900)))))
    assert found.hint.startswith("Set tokens to at most 699;")


def test_a_free_quota_limit_in_force_is_compared_by_what_it_leaves() -> None:
    wanted = declared(limit(tokens=1000, free_quota_only=True))
    assert not says("limit-not-below-free-quota", wanted, snapshot(quota(200, limit=Limit(1000, used=900))))
    assert says("limit-not-below-free-quota", wanted, snapshot(quota(200, limit=Limit(1000, used=700))))


def test_the_hint_never_asks_for_a_limit_that_cannot_be_set() -> None:
    (found,) = says(
        "limit-not-below-free-quota", declared(limit(tokens=5, free_quota_only=True)), snapshot(quota(-100_000))
    )
    assert "Set tokens" not in found.hint


@pytest.mark.parametrize("free", [None, UNOBSERVABLE])
def test_without_a_known_free_quota_or_without_the_intent_nothing_is_compared(free: Any) -> None:
    wanted = limit(tokens=1000, free_quota_only=True)
    assert not says("limit-not-below-free-quota", declared(wanted), snapshot(model(free_tokens=free)))
    assert not says("limit-not-below-free-quota", declared(limit(tokens=1000)), snapshot(quota(1)))


def test_free_quota_never_covers_batch_use() -> None:
    wanted = placed(limit(free_quota_only=True), "spec", "freeQuotaOnly")
    (found,) = says("free-quota-scope", declared(wanted), snapshot(quota(10)))
    assert "batch, plug-in and knowledge-base use is billed all the same" in found.message
    assert (found.severity, at(found)) == (Severity.INFO, (7, 11))
    assert says("free-quota-scope", declared(account(free_tokens_only=True)), snapshot())
    assert not says("free-quota-scope", declared(limit()), snapshot(quota(10)))


# --- S17 ---


def test_a_limit_that_lasts_less_than_a_day_at_the_recent_rate_is_a_warning() -> None:
    everything = declared(placed(limit(tokens=5000), "spec", "tokens"))
    (found,) = says("limit-below-use", everything, snapshot(model(hourly_use=used(1000))))
    assert "last about 5 h" in found.message
    assert found.hint.startswith("A day at this rate takes ")
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, None, (7, 11))


def test_a_limit_that_lasts_or_a_model_that_nobody_used_says_nothing() -> None:
    for use in (used(10), (), used(0), used(1000, 1)[:0], ((NOW - hours(40), 10**9),)):
        assert not says("limit-below-use", declared(limit(tokens=5000)), snapshot(model(hourly_use=use)))


def test_a_limit_that_is_already_reached_is_said_to_be() -> None:
    live = model(limit=Limit(5000, used=5000), hourly_use=used(1000))
    (found,) = says("limit-below-use", declared(limit(tokens=5000)), snapshot(live))
    assert found.message == f"the limit of {M} is reached; the platform pauses it"
