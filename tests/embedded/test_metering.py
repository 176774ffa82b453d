"""What a call meets and is charged: each sentence of the design's arithmetic is the docstring of a test."""

from datetime import UTC, datetime

import pytest

from reconciler.platforms.embedded.refusals import Refusal
from reconciler.state import UNOBSERVABLE, Pause, PauseReason

NEVER_FREE = ("batch", "plugin", "knowledge-base")


def test_the_free_quota_is_per_model(small):
    """Free quota is per model."""
    small.model("chat")
    small.model("other")
    small.use("chat", 400_000)
    assert small.use("other", 400_000).free == 400_000


@pytest.mark.parametrize("kind", NEVER_FREE)
def test_free_quota_is_for_online_use_by_token_only(small, kind):
    """... online pay-by-token use only (never batch, plug-in, knowledge-base)."""
    small.activated()
    charge = small.use(tokens=1000, kind=kind)
    assert (charge.free, charge.billed, charge.free_remaining) == (0, 1000, 500_000)


def test_free_quota_is_never_spent_by_model_units(small):
    """Free quota is ... online pay-by-token use only."""
    small.activated()
    small.endpoint(model_units=2)
    charge = small.use("ep-1", 1000)
    assert (charge.covered, charge.free, charge.billed, charge.free_remaining) == (1000, 0, 0, 500_000)


def test_free_quota_is_spent_first_before_activation(small):
    """It is spent first, before and after activation."""
    small.model()
    assert small.use(tokens=1000).free == 1000


def test_free_quota_is_spent_first_after_activation(small):
    """It is spent first, before and after activation."""
    small.activated()
    charge = small.use(tokens=1000)
    assert (charge.free, charge.billed) == (1000, 0)


def test_a_call_is_admitted_while_anything_remains(small):
    """Admitted while remaining > 0."""
    small.model()
    small.use(tokens=499_999)
    assert small.use(tokens=10_000).free == 1


def test_the_crossing_request_is_served_whole_and_an_activated_model_is_billed_the_excess(small):
    """The crossing request is served whole: activated, the excess is billed."""
    small.activated()
    small.use(tokens=499_000)
    charge = small.use(tokens=3000)
    assert (charge.free, charge.billed, charge.unbilled, charge.free_remaining) == (1000, 2000, 0, 0)


def test_the_crossing_request_of_a_model_not_activated_goes_negative_unbilled(small):
    """Not activated, remaining goes negative unbilled and the next call gets QuotaExceeded."""
    small.model()
    small.use(tokens=499_000)
    charge = small.use(tokens=3000)
    assert (charge.free, charge.billed, charge.unbilled, charge.free_remaining) == (1000, 0, 2000, -2000)
    assert small.refused() == "QuotaExceeded"


def test_a_model_that_never_had_a_quota_is_not_open(small):
    """... (ModelNotOpen where the model never had a quota)."""
    small.model(free_total=0)
    assert small.refused() == "ModelNotOpen"


def test_a_model_whose_quota_nobody_knows_is_not_open(small):
    small.model(free_total=None)
    assert small.refused() == "ModelNotOpen"
    assert small.seen().free_tokens is UNOBSERVABLE


@pytest.mark.parametrize("kind", NEVER_FREE)
def test_use_that_free_quota_never_covers_needs_an_activated_model(small, kind):
    small.model()
    assert small.refused(kind=kind) == "ModelNotOpen"


def test_activation_never_resets_the_free_quota(small):
    """Activation never resets it."""
    small.model()
    small.use(tokens=502_000)
    small.engine.activate("chat")
    charge = small.use(tokens=100)
    assert (charge.free, charge.billed, charge.free_remaining) == (0, 100, -2000)


def test_the_displayed_free_quota_is_refreshed_on_the_hour(small):
    """The displayed figure lags: it is refreshed on the hour, with observedAt."""
    small.model()
    small.use(tokens=1000)
    shown = small.seen().free_tokens
    assert (shown.consumed, shown.remaining) == (0, 500_000)
    assert shown.observed_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    small.clock.forward(minutes=30)
    shown = small.seen().free_tokens
    assert (shown.total, shown.consumed, shown.remaining) == (500_000, 1000, 499_000)
    assert shown.observed_at == datetime(2026, 11, 23, 10, tzinfo=UTC)
    small.use(tokens=5)
    assert small.seen().free_tokens == shown


def test_a_limit_counts_all_online_tokens_from_its_effective_time_on(small):
    """used counts all online tokens of the model from effectiveAt on, free-covered ones included."""
    small.activated()
    small.endpoint()
    small.use(tokens=400_000)
    small.engine.set_limit("chat", 1_000_000)
    small.use("ep-1", tokens=200_000)
    small.use(tokens=7000, kind="batch")
    limit = small.seen().limit
    assert (limit.used, limit.effective_at) == (200_000, small.clock.now)


def test_a_limit_admits_while_used_is_below_it_then_refuses_that_model_only(small):
    """Admitted while used < tokens, then SetLimitExceeded, that model only."""
    small.activated()
    small.activated("other")
    small.engine.set_limit("chat", 1000)
    small.use(tokens=999)
    assert small.use(tokens=5000).counted == 5000
    assert small.refused() == "SetLimitExceeded"
    assert small.use("other").tokens == 1000
    assert small.seen().pause == Pause(PauseReason.LIMIT_REACHED, small.clock.now)
    assert small.seen("other").pause is None


def test_a_limit_does_not_stop_batch_use(small):
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.use(tokens=1000)
    assert small.use(tokens=1000, kind="batch").billed == 1000


def test_an_accepted_set_restarts_counting(small):
    """An accepted set restarts effectiveAt and zeroes used."""
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.use(tokens=1000)
    small.clock.forward(hours=2)
    small.engine.set_limit("chat", 1000)
    limit = small.seen().limit
    assert (limit.used, limit.effective_at) == (0, small.clock.now)
    assert small.use(tokens=10).counted == 10


def test_two_sets_are_two_hours_apart(small):
    """At least 7,200 s since the last accepted set."""
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.clock.forward(seconds=7199)
    with pytest.raises(Refusal) as caught:
        small.engine.set_limit("chat", 2000)
    assert (caught.value.code, caught.value.retry_after_s) == ("Embedded.LimitInterval", 1)
    assert small.seen().limit.tokens == 1000
    small.clock.forward(seconds=1)
    small.engine.set_limit("chat", 2000)
    assert small.seen().limit.tokens == 2000


def test_a_refused_set_does_not_spend_the_interval(small):
    """A refused set does not spend it."""
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.clock.forward(hours=1, minutes=59)
    with pytest.raises(Refusal):
        small.engine.set_limit("chat", 2000)
    small.clock.forward(minutes=1)
    small.engine.set_limit("chat", 2000)
    assert small.seen().limit.tokens == 2000


def test_removal_is_always_accepted_and_resumes_the_model_at_once(small):
    """Removal is always accepted, resumes the model at once."""
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.use(tokens=1000)
    small.engine.remove_limit("chat")
    assert small.seen().limit is None
    assert small.seen().pause is None
    assert small.use(tokens=1000).counted == 0


def test_the_clock_between_sets_keeps_running_over_a_removal(small):
    """... and the set-to-set clock keeps running."""
    small.activated()
    small.engine.set_limit("chat", 1000)
    small.engine.remove_limit("chat")
    small.clock.forward(hours=1)
    with pytest.raises(Refusal) as caught:
        small.engine.set_limit("chat", 1000)
    assert caught.value.retry_after_s == 3600
    small.clock.forward(hours=1)
    small.engine.set_limit("chat", 1000)


def not_eligible(small) -> bool:
    with pytest.raises(Refusal) as caught:
        small.engine.set_free_tokens_only(enabled=True)
    return caught.value.code == "Embedded.FreeTokensOnlyNotEligible"


def test_free_tokens_only_is_for_accounts_that_never_activated_a_model_without_it(small):
    """Can be switched on only if nothing was ever activated without it."""
    small.activated()
    small.engine.deactivate("chat")
    assert not_eligible(small)


def test_free_tokens_only_switched_off_is_off_for_ever(small):
    """Off is for ever, also where nothing was activated."""
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.set_free_tokens_only(enabled=False)
    assert small.engine.switches().switches.free_tokens_only_ended is True
    assert not_eligible(small)


def test_off_that_was_never_on_takes_nothing_away(small):
    small.engine.set_free_tokens_only(enabled=False)
    assert small.engine.switches().switches.free_tokens_only_ended is False
    small.engine.set_free_tokens_only(enabled=True)


@pytest.mark.parametrize("column", ["scale_tpm", "model_units"])
def test_bought_capacity_excludes_free_tokens_only(small, column):
    small.model()
    small.endpoint(**{column: 5})
    assert not_eligible(small)


def test_a_model_is_activated_while_free_tokens_only_is_on_and_is_never_billed(small):
    """Activating while it is on is possible, and the mode goes on covering the model."""
    small.model(free_total=2_000_000)
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.activate("chat")
    assert small.use(tokens=400_000).billed == 0
    crossing = small.use(tokens=200_000)
    assert (crossing.free, crossing.unbilled, crossing.billed, crossing.paused) == (100_000, 100_000, 0, True)
    assert small.seen().pause == Pause(PauseReason.FREE_TOKENS_ONLY, small.clock.now)
    assert small.refused(tokens=1) == "SetLimitExceeded"
    small.engine.set_free_tokens_only(enabled=False)
    assert small.seen().pause is None
    assert small.use(tokens=2_000_000).billed > 0


def test_the_inference_cache_needs_free_tokens_only_off_first(small):
    small.model()
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.activate("chat")
    with pytest.raises(Refusal) as caught:
        small.engine.set_sub_service("chat", "context-cache", enabled=True)
    assert caught.value.code == "Embedded.FreeTokensOnlyIsOn"
    assert "for ever" in str(caught.value)
    small.engine.set_sub_service("chat", "fast-infer", enabled=True)
    small.engine.set_free_tokens_only(enabled=False)
    small.engine.set_sub_service("chat", "context-cache", enabled=True)


def test_free_tokens_only_pauses_one_model_when_its_gift_is_used_up_and_not_before(small):
    """The gift is 500,000 tokens a model, whatever more its packs hold; a smaller quota is all there is."""
    small.model(free_total=3_000_000)
    small.model("small", free_total=100)
    small.engine.set_free_tokens_only(enabled=True)
    assert small.use(tokens=499_999).paused is False
    assert small.use(tokens=1).paused is True
    assert small.refused(tokens=1) == "SetLimitExceeded"
    assert small.use("small", 99).paused is False
    assert small.use("small", 5).unbilled == 4
    assert small.refused("small", 1) == "SetLimitExceeded"


@pytest.mark.parametrize(
    "columns", [{"domain": "Embedding"}, {"domain": "ComputerVision", "task_types": "TextToVideo"}]
)
def test_models_outside_free_tokens_only_go_on_as_without_it(small, columns):
    small.model(free_total=1000, **columns)
    small.engine.set_free_tokens_only(enabled=True)
    small.use(tokens=1000)
    assert small.refused(tokens=1) == "QuotaExceeded"
    small.engine.activate("chat")
    assert small.use(tokens=5).billed == 5
    assert small.seen().pause is None


def test_batch_and_plugins_are_billed_in_free_tokens_only_too(small):
    small.model()
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.activate("chat")
    small.use(tokens=600_000)
    assert small.use(tokens=7, kind="batch").billed == 7
    assert small.use(tokens=7, kind="plugin").billed == 7


def test_rates_are_of_calendar_minutes(small):
    """Calendar minutes in UTC."""
    small.activated(rpm=1)
    small.clock.forward(seconds=59)
    small.use()
    assert small.refused() == "ModelAccountRpmRateLimitExceeded"
    small.clock.forward(seconds=1)
    assert small.use().requests == 1


def test_requests_and_tokens_are_admitted_up_to_the_rate(small):
    """Admitted if requests + 1 <= rpm and tokens + this call's <= tpm."""
    small.activated(rpm=2, tpm=1000)
    small.use(tokens=400)
    assert small.refused(tokens=601) == "ModelAccountTpmRateLimitExceeded"
    small.use(tokens=600)
    assert small.refused(tokens=0) == "ModelAccountRpmRateLimitExceeded"


def test_a_rate_refusal_says_when_the_minute_ends(small):
    small.activated(rpm=1)
    small.clock.forward(seconds=20)
    small.use()
    with pytest.raises(Refusal) as caught:
        small.use()
    assert (caught.value.http_status, caught.value.retry_after_s) == (429, 40)


def test_the_endpoints_own_rate_comes_first(small):
    """... of the endpoint's override first (Ark's endpoint codes)."""
    small.activated(rpm=1, tpm=10)
    small.endpoint(rpm=1, tpm=10)
    assert small.refused("ep-1", tokens=11) == "RateLimitExceeded.EndpointTPMExceeded"
    small.use("ep-1", tokens=5)
    assert small.refused("ep-1", tokens=5) == "RateLimitExceeded.EndpointRPMExceeded"


def test_all_endpoints_of_a_model_share_its_pool(small):
    """... then of the model's pool, which all its endpoints share (Ark's account codes)."""
    small.activated(rpm=2)
    small.endpoint("ep-1")
    small.endpoint("ep-2")
    small.use("ep-1")
    small.use("ep-2")
    assert small.refused("ep-1") == "ModelAccountRpmRateLimitExceeded"
    assert small.refused("chat") == "ModelAccountRpmRateLimitExceeded"


def test_batch_traffic_is_outside_the_pool(small):
    """Batch ... traffic is outside the pool."""
    small.activated(rpm=1, tpm=1000)
    small.use(tokens=50_000, requests=40, kind="batch")
    assert small.use(tokens=1000).tokens == 1000


def test_model_unit_traffic_is_outside_the_pool_but_under_the_endpoints_own_rate(small):
    """... model-unit ... traffic is outside the pool."""
    small.activated(rpm=1, tpm=1000)
    small.endpoint(model_units=1, tpm=60_000)
    small.use("ep-1", 50_000)
    assert small.use(tokens=1000).tokens == 1000
    assert small.refused("ep-1", 50_000) == "RateLimitExceeded.EndpointTPMExceeded"


def test_guaranteed_traffic_is_outside_the_pool_and_not_billed(small):
    """... and guaranteed traffic is outside the pool."""
    small.activated(rpm=1, tpm=1000, free_total=0)
    small.endpoint(scale_tpm=10_000)
    charge = small.use("ep-1", 10_000)
    assert (charge.covered, charge.billed) == (10_000, 0)
    assert small.use(tokens=1000).billed == 1000


def test_what_exceeds_a_guarantee_falls_back_into_the_pool(small):
    """What exceeds a guarantee (scaleTier: {tpm}) falls back into it."""
    small.activated(tpm=1000, free_total=0)
    small.endpoint(scale_tpm=10_000)
    small.use("ep-1", 9000)
    charge = small.use("ep-1", 1600)
    assert (charge.covered, charge.billed) == (1000, 600)
    assert small.refused("ep-1", 401) == "ModelAccountTpmRateLimitExceeded"
    assert small.use("chat", 400).billed == 400


def test_a_guarantee_is_whole_again_the_next_minute(small):
    small.activated(free_total=0)
    small.endpoint(scale_tpm=1000)
    small.use("ep-1", 1000)
    small.clock.forward(minutes=1)
    assert small.use("ep-1", 1000).covered == 1000


def test_a_call_meets_refusals_in_order(small):
    """exists (404) -> endpoint running -> activation or free quota -> limit -> endpoint rate -> model rate."""
    assert small.refused("ep-1") == "InvalidEndpointOrModel.NotFound"
    small.model(free_total=0, rpm=1, tpm=1)
    small.endpoint(status="Stopped", rpm=1, tpm=1)
    assert small.refused("ep-1") == "InvalidEndpoint.ClosedEndpoint"
    small.endpoint(status="Running", rpm=1, tpm=1)
    assert small.refused("ep-1", 2) == "ModelNotOpen"
    small.engine.activate("chat")
    small.engine.set_limit("chat", 1)
    small.use("ep-1", 1)
    assert small.refused("ep-1", 2) == "SetLimitExceeded"
    small.engine.remove_limit("chat")
    assert small.refused("ep-1", 2) == "RateLimitExceeded.EndpointRPMExceeded"
    small.engine.set_override("ep-1", None, None)
    assert small.refused("ep-1", 2) == "ModelAccountRpmRateLimitExceeded"


def test_a_refusal_consumes_nothing(small):
    """A refusal consumes nothing."""
    small.activated(tpm=1000)
    small.endpoint(rpm=5)
    small.engine.set_limit("chat", 10_000)
    for _ in range(9):
        assert small.refused("ep-1", 1001) == "ModelAccountTpmRateLimitExceeded"
    assert small.seen().limit.used == 0
    assert small.seen().hourly_use == ()
    charge = small.use("ep-1", 1000, requests=5)
    assert charge.free_remaining == 499_000


def test_a_model_is_called_by_name_by_model_id_or_through_an_endpoint(small):
    small.activated(versions="251015,preview-1")
    small.endpoint("ep-1", name="search")
    for target in ("chat", "chat-251015", "chat-preview-1", "ep-1", "search"):
        assert small.use(target, 10).model == "chat"
    assert small.refused("chat-990101") == "InvalidEndpointOrModel.NotFound"


def test_an_endpoint_name_that_two_bear_is_refused_with_both_ids(small):
    small.activated()
    small.endpoint("ep-1", name="search")
    small.endpoint("ep-2", name="search")
    with pytest.raises(Refusal, match="ep-1, ep-2"):
        small.use("search")


def test_a_batch_only_endpoint_serves_batch_only(small):
    small.activated()
    small.endpoint(batch_only=1)
    assert small.refused("ep-1") == "Embedded.BatchOnlyEndpoint"
    assert small.use("ep-1", kind="batch").billed == 1000


@pytest.mark.parametrize(("tokens", "requests"), [(-1, 1), (1, 0), (10**13, 1), (1, 10**7)])
def test_amounts_beyond_reason_are_refused(small, tokens, requests):
    small.activated()
    assert small.refused("chat", tokens, requests) == "Embedded.InvalidValue"


def test_use_is_kept_by_the_hour_for_two_days(small):
    small.activated()
    small.use(tokens=100)
    small.clock.forward(hours=1)
    small.use(tokens=200)
    small.use(tokens=50)
    small.use(tokens=9999, kind="batch")
    assert small.seen().hourly_use == (
        (datetime(2026, 11, 23, 9, tzinfo=UTC), 100),
        (datetime(2026, 11, 23, 10, tzinfo=UTC), 250),
    )
    small.clock.forward(hours=47)
    assert [tokens for _, tokens in small.seen().hourly_use] == [250]
    assert small.engine.snapshot().models["chat"].hourly_use == small.seen().hourly_use


def test_minutes_long_gone_are_forgotten(small):
    small.activated()
    for _ in range(3):
        small.use()
        small.clock.forward(hours=2)
    with small.engine.store.read() as tx:
        assert len(tx.all("SELECT * FROM use_by_minute")) == 1
