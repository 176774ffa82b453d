"""The rules on activations."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler import rules
from reconciler.finding import Finding, Severity
from reconciler.kinds.declared import Declared
from reconciler.platforms.embedded import control
from reconciler.reasons import Reason
from reconciler.rules.outside_free_tokens_only import NOT_COVERED
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Attestation,
    History,
    Operation,
    Rate,
    Snapshot,
    Switches,
)
from tests.builders import (
    NOW,
    M,
    account,
    activation,
    capabilities,
    declared,
    endpoint,
    history,
    limit,
    model,
    record,
    snapshot,
)
from tests.rules.helpers import at, context, placed, says

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


MODE = "activation-in-free-tokens-only"
BY_HAND = capabilities(Operation.SET_FREE_TOKENS_ONLY, Operation.READ_FREE_TOKENS_ONLY)


def mode(everything: Declared, seen: Snapshot | None, past: History | None = None, **more: Any) -> list[Finding]:
    """What is said of the mode, in order of the resources."""
    asked = replace(context(everything, seen, past), **more)
    return [found for found in rules.check(asked) if found.rule == MODE]


@pytest.mark.parametrize("declared_as", [True, None])
def test_a_model_may_be_activated_while_free_tokens_only_is_on(declared_as: Any) -> None:
    on = snapshot(model(state=OFF), Switches(free_tokens_only=True, ever_activated=True))
    assert not mode(declared(account(free_tokens_only=declared_as), activation()), on)


def test_a_model_may_be_activated_where_this_run_switches_free_tokens_only_on_first() -> None:
    off = snapshot(model(state=OFF), Switches(free_tokens_only=False, ever_activated=False))
    assert not mode(declared(account(free_tokens_only=True), activation()), off)


@pytest.mark.parametrize("switch", [False, UNOBSERVABLE])
def test_an_activation_before_a_person_switched_free_tokens_only_on_would_lose_it(switch: Any) -> None:
    wanted, mine = placed(activation(), "spec", "state"), account(free_tokens_only=True)
    off = snapshot(model(state=OFF), Switches(free_tokens_only=switch, ever_activated=UNOBSERVABLE))
    (found,) = mode(declared(mine, wanted), off, capabilities=BY_HAND)
    assert (found.severity, found.reason, at(found)) == (Severity.ERROR, Reason.RULE_VIOLATION, (7, 11))
    assert "attest PlatformAccount/default" in found.hint
    said = record(mine, attestation=Attestation({"freeTokensOnly": True}, "ada", NOW))
    assert not mode(declared(mine, wanted), off, history(said), capabilities=BY_HAND)
    there = snapshot(model(), Switches(free_tokens_only=UNOBSERVABLE))
    assert not mode(declared(mine, wanted), there, capabilities=BY_HAND)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ((model(),), f"{M} is activated without it"),
        ((Switches(free_tokens_only=False, ever_activated=True),), "the account activated a model without it"),
        ((Switches(free_tokens_only=False, free_tokens_only_ended=True),), "switched off before, which is for ever"),
        ((model(state=OFF), endpoint(scale_tier="5 tpm")), "endpoint ep-1 (ep-1) has a TPM guarantee package"),
        ((model(state=OFF), endpoint(model_units="1")), "or model units"),
        ((model(state=OFF, sub_services=("context-cache",)),), f"the inference cache of {M} is on"),
    ],
)
def test_free_tokens_only_cannot_be_switched_on_by_an_account_that_is_not_eligible(seen: Any, why: str) -> None:
    (found,) = mode(declared(account(free_tokens_only=True)), snapshot(*seen))
    assert found.resource == "PlatformAccount/default"
    assert found.message.startswith("free-tokens-only cannot be switched on: ")
    assert why in found.message


def test_free_tokens_only_may_be_declared_on_an_account_that_is_eligible_or_whose_switch_is_not_seen() -> None:
    mine = declared(account(free_tokens_only=True))
    assert not mode(mine, snapshot(model(state=OFF), Switches(free_tokens_only=False, ever_activated=False)))
    assert not mode(mine, snapshot(model(), Switches(free_tokens_only=UNOBSERVABLE)))
    assert not mode(mine, snapshot(model(), Switches(free_tokens_only=True, ever_activated=True)))


def test_the_inference_cache_and_free_tokens_only_exclude_each_other_offline_too() -> None:
    cached = placed(activation(sub_services=["context-cache"]), "spec", "subServices")
    (found,) = mode(declared(account(free_tokens_only=True), cached), None)
    assert (found.severity, at(found)) == (Severity.ERROR, (7, 11))
    assert "for ever" in found.hint
    on = snapshot(model(), Switches(free_tokens_only=True))
    assert len(mode(declared(cached), on)) == 1
    assert not mode(declared(account(free_tokens_only=False), cached), on)


@pytest.mark.parametrize(
    "kind", [{"domain": "Embedding"}, {"task_types": ("TextToVideo",)}, {"task_types": ("SpeechToSpeech",)}]
)
def test_an_activation_that_free_tokens_only_does_not_cover_is_a_warning(kind: Any) -> None:
    on = snapshot(model(state=OFF, **kind), Switches(free_tokens_only=True))
    (found,) = says("outside-free-tokens-only", declared(activation()), on)
    assert (found.severity, found.reason) == (Severity.WARNING, None)
    assert says(
        "outside-free-tokens-only", declared(account(free_tokens_only=True), activation()), snapshot(model(**kind))
    )
    assert not says("outside-free-tokens-only", declared(activation()), snapshot(model(**kind)))
    assert not says(
        "outside-free-tokens-only", declared(activation()), snapshot(model(), Switches(free_tokens_only=True))
    )


def test_what_the_rule_takes_to_be_outside_the_mode_is_what_the_platform_does() -> None:
    assert {*control.NOT_COVERED_DOMAINS, *control.NOT_COVERED_TASKS} == NOT_COVERED


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
