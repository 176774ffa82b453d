"""The rules on endpoint rate overrides."""

from typing import Any

import pytest

from reconciler.finding import Severity
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, Rate
from tests.builders import NOW, M, account, declared, endpoint, hours, model, override, snapshot
from tests.rules.helpers import at, placed, says

POOL = model(rate_limit=(600, 1000))
ENDED = NOW - hours(1)


def test_an_override_above_the_models_pool_can_never_take_effect() -> None:
    wanted = placed(override(rpm=900, tpm=1000), "spec", "rpm")
    (found,) = says("override-exceeds-model-limit", declared(wanted), snapshot(POOL, endpoint(name="search")))
    assert found.message == f"rpm 900 exceeds the 600 that {M} allows, so it can never take effect on search (ep-1)"
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.RULE_VIOLATION, (7, 11))
    assert "FlowKey=" in found.hint


def test_an_override_up_to_the_pool_or_over_is_fine() -> None:
    rule = "override-exceeds-model-limit"
    assert not says(rule, declared(override(rpm=600, tpm=1000)), snapshot(POOL, endpoint()))
    assert not says(rule, declared(override(rpm=900, expires_at=ENDED)), snapshot(POOL, endpoint()))


@pytest.mark.parametrize("rate", [None, UNOBSERVABLE, Rate(None, 1000)])
def test_a_pool_that_is_not_known_says_nothing(rate: Any) -> None:
    seen = snapshot(model(rate_limit=rate), endpoint())
    assert not says("override-exceeds-model-limit", declared(override(rpm=900)), seen)


def test_prepaid_capacity_lies_outside_the_pool_and_makes_a_warning_where_it_cannot_be_seen() -> None:
    rule, wanted = "override-exceeds-model-limit", declared(override(rpm=900))
    assert not says(rule, wanted, snapshot(POOL, endpoint(scale_tier="st-1")))
    assert not says(rule, wanted, snapshot(POOL, endpoint(model_units="mu-1")))
    (found,) = says(rule, wanted, snapshot(POOL, endpoint(scale_tier=UNOBSERVABLE)))
    assert (found.severity, found.reason) == (Severity.WARNING, None)
    assert "unless the endpoint has prepaid capacity, which cannot be seen" in found.message


# --- override-oversubscribed ---


def test_overrides_that_add_up_to_more_than_the_pool_are_told_once_with_the_ratio() -> None:
    wanted = declared(placed(override("ep-1", rpm=500), "spec", "rpm"), override("ep-2", rpm=400))
    (found,) = says("override-oversubscribed", wanted, snapshot(POOL, endpoint("ep-1"), endpoint("ep-2")))
    assert found.message.startswith(f"2 endpoints of {M} may use 900 rpm together, 1.5 times the 600")
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, None, (7, 11))


def test_live_overrides_of_other_endpoints_count_and_those_that_share_no_pool_do_not() -> None:
    rule, wanted = "override-oversubscribed", declared(override("ep-1", rpm=500))
    assert says(rule, wanted, snapshot(POOL, endpoint("ep-1"), endpoint("ep-2", override=(200, None))))
    for outside in ({"batch_only": True}, {"model_units": "mu-1"}):
        other = endpoint("ep-2", override=(200, None), **outside)
        assert not says(rule, wanted, snapshot(POOL, endpoint("ep-1"), other))
    assert not says(rule, wanted, snapshot(POOL, endpoint("ep-1"), endpoint("ep-2", override=UNOBSERVABLE)))


def test_what_is_declared_replaces_what_is_live_in_the_sum() -> None:
    seen = snapshot(POOL, endpoint("ep-1", override=(600, None)), endpoint("ep-2", override=(600, None)))
    assert not says("override-oversubscribed", declared(override("ep-1", rpm=300), override("ep-2", rpm=300)), seen)
    ended = declared(override("ep-1", rpm=300), override("ep-2", rpm=600, expires_at=ENDED))
    assert not says("override-oversubscribed", ended, seen)


# --- override-outside-pool, override-needs-both, override-expired ---


def test_an_override_of_an_endpoint_on_model_units_is_outside_the_pool() -> None:
    wanted = placed(override(), "spec", "endpoint")
    (found,) = says("override-outside-pool", declared(wanted), snapshot(endpoint(model_units="mu-1")))
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, None, (7, 11))
    for units in (None, UNOBSERVABLE):
        assert not says("override-outside-pool", declared(override()), snapshot(endpoint(model_units=units)))


def test_on_ark_one_half_cannot_be_written_while_the_other_is_inherited() -> None:
    rule, ark = "override-needs-both", account(platform="ark")
    wanted = placed(override(rpm=500), "spec", "rpm")
    (found,) = says(rule, declared(ark, wanted), snapshot(endpoint()))
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.RULE_VIOLATION, (7, 11))
    assert found.hint == "Declare tpm too."
    assert [one.hint for one in says(rule, declared(ark, override(tpm=5)), snapshot(endpoint()))] == [
        "Declare rpm too."
    ]


def test_both_halves_or_the_embedded_platform_or_an_unseen_override_are_fine() -> None:
    rule, ark = "override-needs-both", account(platform="ark")
    assert not says(rule, declared(ark, override(rpm=500, tpm=5)), snapshot(endpoint()))
    assert not says(rule, declared(ark, override(rpm=500)), snapshot(endpoint(override=(100, 5))))
    assert not says(rule, declared(ark, override(rpm=500)), snapshot(endpoint(override=UNOBSERVABLE)))
    assert not says(rule, declared(ark, override(rpm=500, expires_at=ENDED)), snapshot(endpoint()))
    assert not says(rule, declared(override(rpm=500)), snapshot(endpoint()))


def test_an_override_past_its_end_is_told_offline_with_the_time() -> None:
    past = placed(override(expires_at="2026-11-23T20:00:00+08:00"), "spec", "expiresAt")
    (found,) = says("override-expired", declared(past))
    assert "expired at 2026-11-23T12:00:00Z" in found.message
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, Reason.EXPIRED, (7, 11))
    assert not says("override-expired", declared(override(expires_at=NOW + hours(1)), override("ep-2")))


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_end_at_the_edge_of_the_calendar_makes_no_rule_raise(end: str) -> None:
    found = says("override-expired", declared(override(expires_at=end)))
    assert [one.message.startswith("the override expired at 0001-01-01T00:00:00Z") for one in found] == (
        [True] if end < "2026" else []
    )
