"""The rules on activations."""

from typing import Any

import pytest

from reconciler.finding import Severity
from reconciler.reasons import Reason
from reconciler.state import UNOBSERVABLE, ActivationState, Rate, Switches
from tests.builders import M, account, activation, declared, history, limit, model, record, snapshot
from tests.rules.helpers import at, placed, says

OFF, INVITE = ActivationState.NOT_ACTIVATED, ActivationState.INVITE_ONLY


def test_activating_an_invite_only_model_takes_a_ticket() -> None:
    wanted = placed(activation(), "spec", "state")
    (found,) = says("activation-invite-only", declared(wanted), snapshot(model(state=INVITE)))
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.TICKET_REQUIRED, (7, 11))
    assert found.hint.endswith("https://console.volcengine.com/workorder/create?step=2&SubProductID=P00000165")


@pytest.mark.parametrize("state", [ActivationState.ACTIVATED, OFF, UNOBSERVABLE])
def test_a_model_in_any_other_state_needs_no_ticket(state: Any) -> None:
    assert not says("activation-invite-only", declared(activation()), snapshot(model(state=state)))


def test_an_invite_only_model_may_be_declared_not_activated() -> None:
    off = activation(state="NotActivated")
    assert not says("activation-invite-only", declared(off), snapshot(model(state=INVITE)))


# --- activation-in-free-tokens-only ---


def test_an_activation_beside_declared_free_tokens_only_is_an_error_offline() -> None:
    wanted = placed(activation(), "spec", "state")
    (found,) = says("activation-in-free-tokens-only", declared(account(free_tokens_only=True), wanted))
    assert found.message == f"{M} cannot be activated while free-tokens-only is declared on PlatformAccount/default"
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.RULE_VIOLATION, (7, 11))


def test_live_free_tokens_only_refuses_an_activation_unless_it_is_declared_off() -> None:
    on = snapshot(model(state=OFF), Switches(free_tokens_only=True))
    assert len(says("activation-in-free-tokens-only", declared(activation()), on)) == 1
    assert not says("activation-in-free-tokens-only", declared(account(free_tokens_only=False), activation()), on)


@pytest.mark.parametrize("switch", [False, None, UNOBSERVABLE])
def test_activating_is_fine_while_free_tokens_only_is_not_seen_on(switch: Any) -> None:
    seen = snapshot(model(state=OFF), Switches(free_tokens_only=switch))
    assert not says("activation-in-free-tokens-only", declared(activation()), seen)


@pytest.mark.parametrize("seen", [snapshot(model()), snapshot(Switches(ever_activated=True))])
def test_free_tokens_only_cannot_be_switched_on_once_anything_was_activated(seen: Any) -> None:
    (found,) = says("activation-in-free-tokens-only", declared(account(free_tokens_only=True)), seen)
    assert found.resource == "PlatformAccount/default"
    assert "cannot be switched on" in found.message


def test_free_tokens_only_may_be_declared_on_an_account_that_never_activated_anything() -> None:
    seen = snapshot(model(state=OFF), Switches(free_tokens_only=False, ever_activated=False))
    assert not says("activation-in-free-tokens-only", declared(account(free_tokens_only=True)), seen)


# --- model-rate-below-required ---


def test_a_model_level_rate_below_what_is_required_is_told_for_each_half_with_the_ticket() -> None:
    wanted = placed(activation(requires={"rpm": 900, "tpm": 10}), "spec", "requires", "rpm")
    (found,) = says("model-rate-below-required", declared(wanted), snapshot(model(rate_limit=(600, 10))))
    assert found.message == f"rpm 900 is required but the platform allows 600 for {M}"
    assert (found.severity, found.reason, at(found)) == (Severity.WARNING, Reason.TICKET_REQUIRED, (7, 11))
    assert found.hint.endswith("&FlowKey=EsSGZacbnCoLQiktFNCZ")


@pytest.mark.parametrize("rate", [None, UNOBSERVABLE, Rate(None, None), Rate(900, None)])
def test_a_model_level_rate_that_is_enough_or_not_known_says_nothing(rate: Any) -> None:
    wanted = activation(requires={"rpm": 900, "tpm": 10})
    assert not says("model-rate-below-required", declared(wanted), snapshot(model(rate_limit=rate)))


# --- deactivation-with-limit ---


def test_not_activated_beside_a_limit_is_an_error_on_both() -> None:
    found = says("deactivation-with-limit", declared(activation(state="NotActivated"), limit()))
    assert {one.resource for one in found} == {f"ModelActivation/{M}", f"InferenceLimit/{M}"}
    assert {(one.severity, one.reason) for one in found} == {(Severity.ERROR, Reason.RULE_VIOLATION)}
    assert not says("deactivation-with-limit", declared(activation(), limit()))


def test_not_activated_beside_a_live_limit_is_an_error_unless_the_limit_goes_first() -> None:
    off, live = declared(activation(state="NotActivated")), snapshot(model(limit=5))
    assert len(says("deactivation-with-limit", off, live)) == 1
    assert not says("deactivation-with-limit", off, snapshot(model(limit=UNOBSERVABLE)))
    going = history(record(limit(deletion_policy="Revert")))
    assert not says("deactivation-with-limit", off, live, going)
    assert len(says("deactivation-with-limit", off, live, history(record(limit())))) == 1
