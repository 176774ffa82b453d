"""What we own and nothing declares any more: listed, reverted as its deletionPolicy says, or left alone."""

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    NOW,
    M,
    account,
    activation,
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
from reconciler.kinds.declared import Declared, Held
from reconciler.plan import Action, ChangeReason, FieldChange, Plan, Question, make
from reconciler.state import UNOBSERVABLE, History, Limit, Listing

OWNED = record(override(), applied={"rpm": 5, "tpm": None}, baseline={"rpm": 2, "tpm": 9})
SEEN = snapshot(endpoint(override=(5, None)))


PAST = history(OWNED)
NOTHING = declared()


def asked(everything: Declared = NOTHING, past: History = PAST, seen: Any = SEEN, **given: Any) -> Question:
    return question(everything, seen, past, **{"prune": True, "under": ("policies",), **given})


def whys(plan: Plan) -> list[str]:
    return [release.why for release in plan.releases]


def test_prune_takes_an_item_back_to_what_it_was_before_we_owned_it() -> None:
    plan = make(asked())
    assert [(c.address, c.action, c.reason) for c in plan.changes] == [
        ("EndpointRateOverride/ep-1", Action.REVERT, ChangeReason.REMOVED)
    ]
    assert plan.changes[0].fields == (FieldChange("rpm", 5, 2), FieldChange("tpm", None, 9))


@pytest.mark.parametrize(
    "doubt",
    [
        {"not_whole": {Listing.ENDPOINTS: "ListEndpoints: it names 2 of 3"}},
        {"unconfirmed": {OWNED.target: "GetEndpoint: AccessDenied"}},
    ],
)
def test_an_item_that_is_not_seen_stays_ours_while_that_does_not_prove_it_gone(doubt: dict[str, Any]) -> None:
    unseen = snapshot(model())
    (left,) = make(asked(seen=replace(unseen, **doubt))).releases
    assert not left.ends
    assert next(iter(next(iter(doubt.values())).values())) in left.why
    (gone,) = make(asked(seen=replace(unseen, not_whole={Listing.MODELS: "ListX: Items is no list"}))).releases
    assert (gone.ends, gone.why) == (True, "the platform has no such item any more")


def test_without_a_known_baseline_an_override_goes_back_to_inherited_and_a_limit_is_removed() -> None:
    lim = record(limit(), applied={"tokens": 7}, deletion_policy="Revert")
    over = record(override(), applied={"rpm": 5})
    plan = make(asked(past=history(lim, over), seen=snapshot(model(limit=7), endpoint(override=(5, None)))))
    assert [change.fields for change in plan.changes] == [
        (FieldChange("rpm", 5, None),),
        (FieldChange("tokens", 7, None),),
    ]
    assert all("what it was before is unknown" in change.notes[0] for change in plan.changes)


def test_without_a_known_baseline_an_activation_is_left_with_a_warning() -> None:
    owned = record(activation(), applied={"state": "Activated"}, deletion_policy="Revert")
    plan = make(asked(past=history(owned), seen=snapshot(model())))
    assert plan.changes == ()
    assert whys(plan) == ["warning: what it was before is unknown, and undoing it may be an outage: left as it is"]


def test_an_activation_with_a_known_baseline_is_reverted() -> None:
    owned = record(activation(), applied={"state": "Activated"}, baseline={"state": "NotActivated", "subServices": ()},
                   deletion_policy="Revert")  # fmt: skip
    plan = make(asked(past=history(owned), seen=snapshot(model())))
    assert [change.fields for change in plan.changes] == [(FieldChange("state", "Activated", "NotActivated"),)]


def test_a_limit_goes_back_to_its_baseline_no_sooner_than_the_platform_accepts_it() -> None:
    owned = record(limit(), applied={"tokens": 7}, baseline={"tokens": 3}, deletion_policy="Revert", set_at=NOW)
    change = make(asked(past=history(owned), seen=snapshot(model(limit=Limit(7))))).changes[0]
    assert (change.fields, change.not_before) == ((FieldChange("tokens", 7, 3),), NOW + hours(2))


def test_under_retain_the_item_stays_and_is_ours_no_longer() -> None:
    plan = make(asked(past=history(record(limit(), applied={"tokens": 7})), seen=snapshot(model(limit=7))))
    assert plan.changes == ()
    assert [(r.address, r.ends) for r in plan.releases] == [(f"InferenceLimit/{M}", True)]


def test_without_prune_what_is_not_declared_is_listed_and_left() -> None:
    plan = make(asked(prune=False))
    assert (plan.changes, [release.ends for release in plan.releases]) == ((), [False])
    assert whys(plan) == ["nothing declares it any more; --prune would revert or release it"]


def test_prune_looks_only_under_this_runs_paths() -> None:
    elsewhere = make(asked(under=("other", "policies/ep-1.yaml.d")))
    assert elsewhere.changes == ()
    assert whys(elsewhere) == ["it was declared in policies/ep-1.yaml, which is not under this run's paths"]
    for under in (".", "", "./policies/", "policies/ep-1.yaml"):
        assert len(make(asked(under=(under,))).changes) == 1


def test_without_history_nothing_is_pruned_and_the_plan_says_so() -> None:
    plan = make(asked(past=History()))
    assert (plan.changes, plan.releases) == ((), ())
    assert plan.notes == ("nothing is remembered of this account, so nothing can be pruned",)


def test_what_was_never_ours_is_never_reverted() -> None:
    released = record(override(), owner="", applied={"rpm": 5})
    assert make(asked(past=history(released))).changes == ()


def test_an_unobservable_item_is_never_reverted() -> None:
    owned = record(limit(), applied={"tokens": 7}, deletion_policy="Revert")
    plan = make(asked(past=history(owned), seen=snapshot(model(limit=UNOBSERVABLE))))
    assert plan.changes == ()
    assert whys(plan) == [
        "it cannot be seen on the platform, so it is not reverted: undo it by hand, then modelpolicy release it"
    ]


def test_an_item_that_is_gone_or_already_back_is_released() -> None:
    assert whys(make(asked(seen=snapshot()))) == ["the platform has no such item any more"]
    assert whys(make(asked(seen=snapshot(endpoint(override=(2, 9)))))) == ["it is already what it was before"]


WHERE = Location("policies/broken.yaml", 3, 1)


@pytest.mark.parametrize(
    "held",
    [
        Held(WHERE),  # nobody can say what it declares
        Held(WHERE, "EndpointRateOverride", "ep-1"),  # the same address
        Held(WHERE, "EndpointRateOverride", "x", "ep-1"),  # the same item
        Held(WHERE, "EndpointRateOverride", "x"),  # of which item, nobody can say
        Held(Location("policies/ep-1.yaml", 1, 1), "InferenceLimit", "x"),  # the same file
        Held(
            Location("/home/ann/repo/policies/ep-1.yaml", 1, 1), "InferenceLimit", "x"
        ),  # the same file, named in full
        Held(WHERE, "PolicyConstraint", "x"),
        Held(WHERE, "PlatformAccount", "default"),
    ],
)
def test_broken_is_not_absent(held: Held) -> None:
    plan = make(asked(declared(held=(held,))))
    assert plan.changes == ()
    assert [release.ends for release in plan.releases] == [False]


def test_another_broken_document_does_not_keep_an_item_from_being_pruned() -> None:
    held = Held(WHERE, "InferenceLimit", "x", "other")
    assert len(make(asked(declared(held=(held,)))).changes) == 1


def test_an_incomplete_set_reverts_nothing_and_says_so() -> None:
    plan = make(asked(declared(complete=False)))
    assert plan.changes == ()
    assert plan.notes == (
        "nothing is reverted: something could not be read, so what is missing may only be unreadable",
    )


def test_a_resource_whose_endpoint_is_not_found_just_now_still_declares_its_item() -> None:
    plan = make(asked(declared(override(endpoint={"name": "gone"}, name="ep-1"))))
    assert (plan.changes, plan.releases) == ((), ())


def test_a_resource_that_names_another_item_gives_up_the_first() -> None:
    moved = override("ep-2", name="ep-1")
    plan = make(
        asked(declared(moved), seen=snapshot(endpoint(override=(5, None)), endpoint("ep-2", override=(600, None))))
    )
    assert [(change.target.name, change.reason) for change in plan.changes] == [("ep-1", ChangeReason.REMOVED)]
    broken = make(asked(declared(moved), findings=(error(moved),), seen=snapshot(endpoint(), endpoint("ep-2"))))
    assert broken.changes == ()


@pytest.mark.parametrize("spec", [{"management": "Observe"}, {"annotations": {"modelpolicy.dev/paused": "true"}}])
def test_an_account_that_is_observed_or_paused_is_not_pruned(spec: dict[str, Any]) -> None:
    assert make(asked(declared(account(**spec)))).changes == ()


def test_a_protected_item_is_not_released() -> None:
    owned = record(limit(), applied={"tokens": 7}, protected=True)
    plan = make(asked(past=history(owned), seen=snapshot(model(limit=7))))
    assert [release.ends for release in plan.releases] == [False]


def test_a_resource_that_is_being_deleted_is_reverted_without_prune() -> None:
    gone = override(deleting=True)
    assert len(make(asked(declared(gone), prune=False, under=())).changes) == 1
    kept = override(deleting=True, annotations={"modelpolicy.dev/paused": "true"})
    assert make(asked(declared(kept), prune=False)).changes == ()


def test_target_narrows_reverts_too() -> None:
    assert make(asked(targets=("InferenceLimit",))).releases == ()
    assert len(make(asked(targets=("EndpointRateOverride/ep-1",))).changes) == 1


@pytest.mark.parametrize(
    ("deleting", "remembered", "expected"),
    [
        (True, "Revert", "kept on the platform, no longer managed (deletionPolicy: Retain)"),
        (False, "Revert", ""),
        (True, "Retain", "kept on the platform, no longer managed (deletionPolicy: Retain)"),
    ],
)
def test_only_a_resource_that_is_being_deleted_says_what_becomes_of_an_item_it_named_before(
    deleting: bool, remembered: str, expected: str
) -> None:
    names_another = override("ep-2", name="ep-1", deletion_policy="Retain", deleting=deleting)
    past = history(replace(OWNED, deletion_policy=remembered))
    seen = snapshot(endpoint(override=(5, None)), endpoint("ep-2"))
    plan = make(asked(declared(names_another), past, seen))
    assert whys(plan) == ([expected] if expected else [])
    assert [c.target.name for c in plan.changes if c.reason is ChangeReason.REMOVED] == ([] if expected else ["ep-1"])


def test_an_item_that_a_living_resource_named_before_is_not_taken_back_without_prune() -> None:
    seen = snapshot(endpoint(override=(5, None)), endpoint("ep-2", override=(600, None)))
    plan = make(asked(declared(override("ep-2", name="ep-1")), seen=seen, prune=False))
    assert (plan.changes, len(plan.releases)) == ((), 1)


def test_an_item_of_which_one_field_cannot_be_seen_is_never_reverted() -> None:
    before = {"state": "NotActivated", "subServices": ()}
    owned = record(activation(), applied={**before, "state": "Activated"}, baseline=before, deletion_policy="Revert")
    plan = make(asked(past=history(owned), seen=snapshot(model(sub_services=UNOBSERVABLE))))
    assert plan.changes == ()
    assert whys(plan)[0].startswith("it cannot be seen on the platform")
