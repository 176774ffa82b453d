"""What is planned for one account: the actions, the reasons, the order, and what is left alone."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from builders import (
    ARK,
    EP,
    NOW,
    M,
    account,
    activation,
    capabilities,
    constraint,
    declared,
    endpoint,
    error,
    history,
    hours,
    limit,
    model,
    override,
    question,
    record,
    snapshot,
)

from reconciler.finding import Location
from reconciler.kinds import registry
from reconciler.kinds.declared import Held
from reconciler.plan import Action, Change, ChangeReason, FieldChange, Plan, fingerprint, make, writes_of
from reconciler.plan.drift import drifts
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Attestation,
    Capability,
    FreeTokens,
    History,
    Limit,
    Operation,
    Price,
    Support,
    Switches,
)

OFF = ActivationState.NOT_ACTIVATED


def only(plan: Plan) -> Change:
    assert len(plan.changes) == 1, plan.changes
    return plan.changes[0]


def addresses(changes: Iterable[Change]) -> list[str]:
    return [change.address for change in changes]


def test_what_is_not_there_is_created_and_what_differs_is_adopted_or_updated() -> None:
    created = only(make(question(declared(limit(tokens=5)), snapshot(model()))))
    assert (created.action, created.reason) == (Action.CREATE, ChangeReason.DECLARED)
    assert created.fields == (FieldChange("tokens", None, 5),)
    adopted = only(make(question(declared(limit(tokens=5)), snapshot(model(limit=7)))))
    assert (adopted.action, adopted.reason) == (Action.UPDATE, ChangeReason.ADOPTED)
    ours = history(record(limit(), applied={"tokens": 7}))
    updated = only(make(question(declared(limit(tokens=5)), snapshot(model(limit=7)), ours)))
    assert (updated.action, updated.reason) == (Action.UPDATE, ChangeReason.DECLARED)
    drifted = only(make(question(declared(limit(tokens=7)), snapshot(model(limit=9)), ours)))
    assert drifted.reason is ChangeReason.DRIFT


def test_what_is_as_declared_is_unchanged_and_takes_no_call() -> None:
    everything = declared(activation(), limit(tokens=5), override(rpm=3))
    plan = make(question(everything, snapshot(model(limit=5), endpoint(override=(3, 9)))))
    assert (plan.changes, plan.unchanged) == ((), 3)


def test_a_platform_that_cannot_be_seen_plans_nothing() -> None:
    plan = make(question(declared(limit()), None))
    assert (plan.changes, plan.observed_at) == ((), None)


def test_changes_come_in_the_order_in_which_they_can_happen() -> None:
    everything = declared(
        override(rpm=3), limit(tokens=5), activation(), activation("a", state="NotActivated"),
        account(free_tokens_only=True, auto_activation=True),
    )  # fmt: skip
    seen = snapshot(model(state=OFF), model("a"), endpoint(), Switches(free_tokens_only=False, auto_activation=False))
    plan = make(question(everything, seen))
    operations = [
        write.operation
        for change in plan.changes
        for write in writes_of(change, registry()[change.target.kind].live(seen, change.target))
    ]
    assert operations == [
        Operation.SET_FREE_TOKENS_ONLY, Operation.SET_AUTO_ACTIVATION, Operation.ACTIVATE, Operation.SET_LIMIT,
        Operation.SET_OVERRIDE, Operation.DEACTIVATE,
    ]  # fmt: skip


def test_a_change_is_planned_on_the_item_as_it_is_when_its_turn_comes() -> None:
    past = history(record(override(), applied={"rpm": 5, "tpm": 9}, baseline={"rpm": 2, "tpm": None}))
    seen = snapshot(endpoint(override=(5, 9)))
    first, second = make(question(declared(), seen, past, prune=True, under=("policies",))).changes
    assert first.precondition == fingerprint({"rpm": 5, "tpm": 9})
    assert second.precondition == fingerprint({"rpm": 2, "tpm": 9})


@pytest.mark.parametrize(("wanted", "live"), [(False, True), (True, False)])
def test_free_tokens_only_is_switched_before_anything_is_activated(wanted: bool, live: bool) -> None:
    everything = declared(activation(), account(free_tokens_only=wanted))
    plan = make(question(everything, snapshot(model(state=OFF), Switches(free_tokens_only=live))))
    assert addresses(plan.changes) == ["PlatformAccount/default", f"ModelActivation/{M}"]


@pytest.mark.parametrize("live", [True, UNOBSERVABLE])
def test_that_free_tokens_only_goes_off_for_ever_is_said_in_the_plan_and_to_the_person_who_does_it(live: Any) -> None:
    seen = snapshot(model(state=OFF), Switches(free_tokens_only=live))
    (native,) = make(question(declared(account(free_tokens_only=False)), seen)).changes
    assert any("for ever" in note for note in native.notes)
    by_hand = capabilities(Operation.SET_FREE_TOKENS_ONLY)
    (manual,) = make(question(declared(account(free_tokens_only=False)), seen, capabilities=by_hand)).changes
    assert "for ever" in manual.how_to
    (on,) = make(question(declared(account(free_tokens_only=True)), snapshot(Switches(free_tokens_only=False)))).changes
    assert "for ever" not in f"{on.notes} {on.how_to}"


def test_an_items_change_is_split_by_who_can_do_it() -> None:
    everything = declared(activation(sub_services=["fast-infer"]))
    seen = snapshot(model(sub_services=("context-cache",)))
    native, manual = sorted(
        make(question(everything, seen, capabilities=ARK)).changes, key=lambda c: c.capability, reverse=True
    )
    assert native.capability is Capability.NATIVE
    assert native.fields == (FieldChange("subServices", ("context-cache",), ("context-cache", "fast-infer")),)
    assert manual.fields == (FieldChange("subServices", ("context-cache", "fast-infer"), ("fast-infer",)),)
    assert "switch context-cache of model doubao-seed-1-6 off" in manual.how_to
    assert manual.how_to.startswith("On https://console.example/openManagement switch context-cache ")
    assert native.how_to == ""
    together = only(make(question(everything, seen)))
    assert together.fields == (FieldChange("subServices", ("context-cache",), ("fast-infer",)),)


def test_a_half_that_is_cleared_by_hand_does_not_hold_up_the_half_that_is_set() -> None:
    expired = override(rpm=5, tpm=6, expires_at="2026-01-01T00:00:00Z")
    past = history(record(expired, applied={"rpm": 5, "tpm": 6}))
    plan = make(question(declared(expired), snapshot(endpoint(override=(5, 6))), past, capabilities=ARK))
    assert only(plan).capability is Capability.MANUAL
    assert "RPM inherited, TPM inherited" in only(plan).how_to


def test_what_the_platform_cannot_do_says_so() -> None:
    caps = capabilities(unsupported=(Operation.SET_AUTO_ACTIVATION,))
    plan = make(question(declared(account(auto_activation=True)), snapshot(), capabilities=caps))
    assert only(plan).capability is Capability.UNSUPPORTED
    assert "cannot do this: switch automatic activation of new models on" in only(plan).how_to


def test_a_limit_that_cannot_be_seen_is_planned_by_hand_until_a_person_attests_exactly_it() -> None:
    seen, wanted = snapshot(model(limit=UNOBSERVABLE)), limit(tokens=5)
    plan = make(question(declared(wanted), seen, capabilities=ARK))
    assert (only(plan).capability, only(plan).action) == (Capability.MANUAL, Action.CREATE)
    assert "to 5 tokens" in only(plan).how_to
    by = Attestation({"tokens": 5}, "ann", NOW - hours(9))
    attested = history(record(wanted, attestation=by))
    assert make(question(declared(wanted), seen, attested, capabilities=ARK)).changes == ()
    other = history(record(wanted, attestation=replace(by, fields={"tokens": 6})))
    assert only(make(question(declared(wanted), seen, other, capabilities=ARK))).action is Action.UPDATE


def test_what_we_set_and_cannot_see_is_not_set_again() -> None:
    seen, wanted = snapshot(Switches(auto_activation=UNOBSERVABLE)), account(auto_activation=True)
    assert len(make(question(declared(wanted), seen)).changes) == 1
    assert (
        make(question(declared(wanted), seen, history(record(wanted, applied={"autoActivation": True})))).changes == ()
    )


def test_an_invite_only_model_is_not_deactivated() -> None:
    seen = snapshot(model(state=ActivationState.INVITE_ONLY))
    plan = make(question(declared(activation(state="NotActivated")), seen))
    assert (plan.changes, plan.unchanged) == ((), 1)


# Time


def test_a_limit_waits_two_hours_after_the_last_setting_and_says_why() -> None:
    seen = snapshot(model(limit=Limit(7, used=3, effective_at=NOW - hours(0.5))))
    change = only(make(question(declared(limit(tokens=5)), seen)))
    assert change.not_before == NOW + hours(1.5)
    assert "a model's limit is set at most once in two hours" in change.notes
    later = only(make(question(declared(limit(tokens=5)), seen, now=NOW + hours(2))))
    assert later.not_before is None
    by_hand = only(make(question(declared(limit(tokens=5)), seen, capabilities=ARK)))
    assert "to 5 tokens, from 2026-11-23 13:30:00 UTC on. The next run sees it." in by_hand.how_to


def test_a_limit_that_was_removed_a_moment_ago_waits_too() -> None:
    past = history(record(limit(), set_at=NOW - hours(3), removed_at=NOW - hours(1)))
    assert only(make(question(declared(limit()), snapshot(model()), past))).not_before == NOW + hours(1)


def test_only_the_latest_wanted_value_is_planned_and_going_back_spends_no_slot() -> None:
    seen, past = snapshot(model(limit=Limit(5, effective_at=NOW))), history(record(limit(), applied={"tokens": 5}))
    raised = only(make(question(declared(limit(tokens=9)), seen, past)))
    assert raised.fields == (FieldChange("tokens", 5, 9),)
    lowered_again = make(question(declared(limit(tokens=5)), seen, past))
    assert lowered_again.changes == ()


def test_a_new_renewal_sets_the_limit_again_and_says_that_counting_restarts() -> None:
    seen = snapshot(model(limit=Limit(5, used=4)))
    past = history(record(limit(), applied={"tokens": 5}, renewal="2026-11"))
    change = only(make(question(declared(limit(tokens=5, renewal="2026-12")), seen, past)))
    assert (change.fields, change.renewal) == ((FieldChange("tokens", 5, 5),), "2026-12")
    assert change.notes == (
        'renewal "2026-11" -> "2026-12": the limit is set again',
        "counting restarts at 0 (4 tokens used so far)",
    )
    assert change.reason is ChangeReason.DECLARED
    same = make(question(declared(limit(tokens=5, renewal="2026-11")), seen, past))
    assert same.changes == ()


def test_a_renewal_of_a_limit_that_was_never_ours_does_not_restart_its_counting() -> None:
    plan = make(question(declared(limit(tokens=5, renewal="2026-12")), snapshot(model(limit=5))))
    assert plan.changes == ()


def test_an_expired_override_gives_back_what_it_declared_and_nothing_else() -> None:
    ended = override(rpm=5, expires_at="2026-11-23T12:00:00Z")
    past = history(record(ended, applied={"rpm": 5}))
    change = only(make(question(declared(ended), snapshot(endpoint(override=(5, 700))), past)))
    assert (change.action, change.reason) == (Action.REVERT, ChangeReason.EXPIRED)
    assert change.fields == (FieldChange("rpm", 5, None),)
    assert make(question(declared(ended), snapshot(endpoint()))).unchanged == 1
    assert make(question(declared(ended), snapshot(endpoint(override=(5, None))), now=NOW - hours(1))).changes == ()


def test_an_override_that_expired_before_it_was_ever_applied_changes_nothing() -> None:
    ended = override(rpm=5, tpm=9, expires_at="2026-01-01T00:00:00Z")
    seen = snapshot(endpoint(override=(100, 700)))
    assert make(question(declared(ended), seen)).changes == ()
    assert drifts(declared(ended), seen, History(), NOW) == ()
    theirs = history(record(override(rpm=100), owner="EndpointRateOverride/theirs", set_name="other"))
    assert make(question(declared(ended), seen, theirs)).changes == ()


# What is left alone


@pytest.mark.parametrize(
    "kept",
    [
        limit(management="Observe"),
        limit(annotations={"modelpolicy.dev/paused": "true"}),
        limit(deleting=True),
    ],
)
def test_what_is_observed_paused_or_going_away_is_not_changed(kept: Any) -> None:
    assert make(question(declared(kept), snapshot(model()))).changes == ()


@pytest.mark.parametrize("spec", [{"management": "Observe"}, {"annotations": {"modelpolicy.dev/paused": "true"}}])
def test_an_account_that_is_observed_or_paused_is_not_changed(spec: dict[str, Any]) -> None:
    assert make(question(declared(limit(), account(**spec)), snapshot(model()))).changes == ()


def test_an_error_stops_its_own_resource_only() -> None:
    bad, good = limit("a"), limit("b")
    plan = make(question(declared(bad, good), snapshot(model("a"), model("b")), findings=(error(bad),)))
    assert addresses(plan.changes) == ["InferenceLimit/b"]


def test_two_resources_on_one_item_are_neither_of_them_planned() -> None:
    plan = make(question(declared(limit(name="one"), limit(name="two", tokens=1)), snapshot(model())))
    assert plan.changes == ()


def test_target_narrows_to_a_kind_or_to_one_resource() -> None:
    everything, seen = declared(limit("a"), limit("b"), activation("a")), snapshot(model("a", state=OFF), model("b"))
    assert addresses(make(question(everything, seen, targets=("InferenceLimit/b",))).changes) == ["InferenceLimit/b"]
    by_kind = make(question(everything, seen, targets=("InferenceLimit",)))
    assert addresses(by_kind.changes) == ["InferenceLimit/a", "InferenceLimit/b"]


WHERE = Location("policies/broken.yaml", 1, 1)


@pytest.mark.parametrize(
    ("held", "changed"),
    [
        (Held(WHERE, "InferenceLimit", "other", M), []),  # names the item
        (Held(WHERE, "InferenceLimit", M), []),  # has the address
        (Held(WHERE, "", "", M), []),  # of an unknown kind, names the model
        (Held(WHERE, "ModelActivation", "x", M), [f"InferenceLimit/{M}"]),  # another item of the model
        (Held(WHERE), [f"InferenceLimit/{M}"]),  # may mean anything, but this one is declared well
        (Held(WHERE, "PolicyConstraint", "x"), []),  # might forbid it
        (Held(WHERE, "PlatformAccount", "default"), []),
        (Held(WHERE, "PlatformAccount", "second"), [f"InferenceLimit/{M}"]),
    ],
)
def test_what_a_held_document_may_govern_is_not_changed(held: Held, changed: list[str]) -> None:
    plan = make(question(declared(limit(), account(), held=(held,)), snapshot(model())))
    assert addresses(plan.changes) == changed


def test_an_account_that_conflicts_with_another_stays_untouched() -> None:
    conflict = error(account(), rule="duplicate-target", reason=Reason.CONFLICTED)
    everything = declared(limit(), account())
    assert make(question(everything, snapshot(model()), findings=(conflict,))).changes == ()
    assert make(question(everything, snapshot(model()))).changes != ()


def test_a_held_override_keeps_the_endpoint_it_names() -> None:
    held = Held(WHERE, "EndpointRateOverride", "x", "search-prod")
    everything = declared(override(endpoint={"id": EP}), held=(held,))
    assert make(question(everything, snapshot(endpoint(name="search-prod")))).changes == ()


def test_an_unusable_constraint_holds_what_it_could_match() -> None:
    broken = constraint("dev", match={"kinds": ["InferenceLimit"], "labels": {"env": "dev"}})
    mine, other = limit("a", labels={"env": "dev"}), limit("b")
    by_model = constraint("models", scope="Model", match={"models": ["c*"]})
    everything = declared(broken, by_model, mine, other, activation("c1"), activation("b"))
    seen = snapshot(model("a"), model("b", state=OFF), model("c1", state=OFF))
    plan = make(question(everything, seen, findings=(error(broken), error(by_model))))
    assert addresses(plan.changes) == ["ModelActivation/b", "InferenceLimit/b"]


# What the reviewer reads


def test_an_activation_says_what_it_costs() -> None:
    priced = model(state=OFF, prices=(Price("InferencePrompt", "0.8", "CNY/1M tokens"), Price("LoraFinetune", None, "CNY/1M tokens")),
                   free_tokens=FreeTokens(500_000, 1, 499_999))  # fmt: skip
    assert only(make(question(declared(activation()), snapshot(priced)))).notes == (
        "a consent to pay: input 0.8 CNY/1M tokens",
        "499,999 free tokens are used up first",
        "no limit is declared or set, so nothing bounds what it costs",
    )


def test_what_the_fields_show_already_is_not_said_again_in_a_note() -> None:
    notes = only(make(question(declared(limit(tokens=1_500)), snapshot(model(limit=2_000))))).notes
    assert notes == ("counting restarts at 0",)


def test_a_manual_change_names_the_page_only_where_there_is_one() -> None:
    caps = {**capabilities(), Operation.SET_LIMIT: Support(Capability.MANUAL)}
    how_to = only(make(question(declared(limit(tokens=5)), snapshot(model()), capabilities=caps))).how_to
    assert how_to == (f"set the inference limit of model {M} to 5 tokens. The next run sees it.")


def test_a_resource_whose_item_the_platform_does_not_have_does_not_count_as_unchanged() -> None:
    plan = make(question(declared(override("gone")), snapshot(endpoint())))
    assert (plan.changes, plan.unchanged) == ((), 0)
