"""Guards judge the whole plan before its first write; a person's word is scoped and gives a reason."""

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    NOW,
    M,
    account,
    activation,
    constraint,
    declared,
    endpoint,
    history,
    hours,
    limit,
    model,
    override,
    question,
    record,
    snapshot,
)

from reconciler.guards import GUARDS, Allow, judge, refused, stopped
from reconciler.kinds.declared import Declared
from reconciler.plan import Plan, Question, VerdictKind, make
from reconciler.state import UNOBSERVABLE, ActivationState, Switches


def judged(asked: Question, *allows: Allow) -> Plan:
    plan = make(asked)
    return replace(plan, guards=judge(plan, asked, allows))


def refusals(plan: Plan) -> list[tuple[str, str | None]]:
    return [(verdict.id, verdict.address) for verdict in refused(plan)]


def owning(count: int, *declare: int, **spec: Any) -> Question:
    """We own `count` overrides and still declare those numbered; the rest is pruned. One other policy stays declared."""
    all_ = [override(f"ep-{number}") for number in range(count)]
    past = history(*(record(each, applied={"rpm": 600}) for each in all_))
    seen = snapshot(*(endpoint(f"ep-{number}", override=(600, None)) for number in range(count)), model())
    everything = declared(*(all_[number] for number in declare), activation(), account(**spec))
    return question(everything, seen, past, prune=True, under=("policies",))


def test_a_plan_without_worries_passes_every_guard() -> None:
    plan = judged(question(declared(limit(), activation()), snapshot(model())))
    assert [(v.id, v.verdict) for v in plan.guards] == [(id_, VerdictKind.PASSED) for id_ in sorted(GUARDS)]
    assert stopped(plan) == {}


def test_every_guard_explains_itself() -> None:
    for guard in GUARDS.values():
        assert "Why: " in guard.doc
        assert "What to do: " in guard.doc


def test_too_many_reverts_by_count_and_by_percent_are_refused() -> None:
    assert ("mass-revert", None) in refusals(judged(owning(10, 0, 1, 2, 3)))
    assert refusals(judged(owning(10, 0, 1, 2, 3, 4))) == []  # five are always fine
    assert refusals(judged(owning(30, *range(24)))) == []  # six of thirty are not many
    assert ("mass-revert", None) in refusals(judged(owning(2, 0, guards={"maxReverts": {"count": 0, "percent": 0}})))


def test_as_many_reverts_as_the_account_allows_are_not_too_many() -> None:
    exactly = owning(10, 0, 1, 2, 3, guards={"maxReverts": {"count": 5, "percent": 60}})
    assert refusals(judged(exactly)) == []
    assert refusals(judged(owning(10, 0, 1, 2, 3, guards={"maxReverts": {"count": 6, "percent": 59}}))) == []
    below = owning(10, 0, 1, 2, 3, guards={"maxReverts": {"count": 5, "percent": 59}})
    assert refusals(judged(below)) == [("mass-revert", None)]


def test_a_kind_that_would_be_wiped_is_refused_from_the_first_object() -> None:
    assert refusals(judged(owning(1))) == [("kind-wipe", None)]
    assert refusals(judged(owning(2, 0))) == []


def test_an_empty_source_is_refused_from_the_first_object_also_where_nothing_would_be_written() -> None:
    past, seen = history(record(limit(), applied={"tokens": 7})), snapshot(model(limit=7))
    asked = question(declared(account(), constraint()), seen, past, prune=True, under=(".",))
    assert refusals(judged(asked)) == [("source-empty", None)]
    assert refusals(judged(replace(asked, prune=False))) == []
    assert refusals(judged(replace(asked, declared=declared(activation())))) == []


def test_an_empty_path_is_refused_for_what_this_set_owns_from_there_and_for_nothing_else() -> None:
    def asked(**owned: Any) -> Question:
        past = history(record(override(), **{"applied": {"rpm": 600}, "source": "a/x.yaml", **owned}))
        seen = snapshot(endpoint(override=(600, None)), model())
        return question(declared(activation()), seen, past, under=("a", "b"), empty=("a",))

    assert refusals(judged(asked())) == [("source-empty", None)]
    assert refusals(judged(asked(set_name="theirs"))) == []
    assert refusals(judged(asked(source="b/x.yaml"))) == []


def test_an_incomplete_source_is_refused_where_it_should_be_pruned() -> None:
    past, seen = history(record(limit(), applied={"tokens": 7})), snapshot(model(limit=7))
    asked = question(declared(activation(), complete=False), seen, past, prune=True, under=(".",))
    assert refusals(judged(asked)) == [("source-incomplete", None)]
    assert refusals(judged(replace(asked, prune=False))) == []


def test_protection_outlives_the_document() -> None:
    over, kept = override(), override("ep-2")
    past = history(record(over, applied={"rpm": 600}, protected=True), record(kept, applied={"rpm": 600}))
    seen = snapshot(endpoint(override=(600, None)), endpoint("ep-2", override=(600, None)))
    asked = question(declared(kept), seen, past, prune=True, under=(".",))
    plan = judged(asked)
    assert refusals(plan) == [("protected", "EndpointRateOverride/ep-1")]
    assert [key[0] for key in stopped(plan)] == ["EndpointRateOverride/ep-1"]
    going = replace(over, deleting=True, annotations={"modelpolicy.dev/protect": "true"})
    unmarked = history(record(over, applied={"rpm": 600}))
    deleting = judged(question(declared(going, kept), seen, unmarked))
    assert refusals(deleting) == [("protected", "EndpointRateOverride/ep-1")]


def test_protection_is_lifted_on_a_resource_that_is_being_deleted_by_taking_the_annotation_off() -> None:
    over = override()
    past = history(record(over, applied={"rpm": 600}, protected=True))
    asked = question(declared(replace(over, deleting=True)), snapshot(endpoint(override=(600, None))), past)
    assert refusals(judged(asked)) == []


@pytest.mark.parametrize(("remembered", "now"), [(True, "false"), (False, "true")])
def test_an_annotation_on_a_living_resource_does_not_speak_for_an_item_it_named_before(
    remembered: bool, now: str
) -> None:
    names_another = override("ep-2", name="ep-1", annotations={"modelpolicy.dev/protect": now})
    past = history(record(override(), applied={"rpm": 600}, protected=remembered))
    seen = snapshot(endpoint(override=(600, None)), endpoint("ep-2", override=(600, None)))
    plan = judged(question(declared(names_another), seen, past, prune=True, under=("policies",)))
    assert [change.target.name for change in plan.changes] == ["ep-1"]
    assert refusals(plan) == ([("protected", "EndpointRateOverride/ep-1")] if remembered else [])


def test_an_item_of_another_declaration_set_is_not_taken_over() -> None:
    def asked(everything: Declared, **of: Any) -> Question:
        past = history(
            record(limit(), **{"applied": {"tokens": 1}, "owner": "InferenceLimit/theirs", "source": "b/x.yaml", **of})
        )
        return question(everything, snapshot(model(limit=1)), past, under=("a",))

    mine = f"InferenceLimit/{M}"
    assert refusals(judged(asked(declared(limit())))) == [("foreign-owner", mine)]
    assert refusals(judged(asked(declared(limit()), source="a/x.yaml"))) == []  # renamed within this run
    assert refusals(judged(asked(declared(limit()), owner=mine))) == []  # the file moved
    assert (
        refusals(judged(asked(declared(limit(), limit("o", name="theirs"))))) == []
    )  # its owner names another item now


def test_a_limit_below_recent_use_is_refused() -> None:
    used = tuple((NOW - hours(number), 1_000) for number in range(1, 4))
    seen = snapshot(model(hourly_use=used))
    assert refusals(judged(question(declared(limit(tokens=999)), seen))) == [("limit-below-use", f"InferenceLimit/{M}")]
    assert refusals(judged(question(declared(limit(tokens=1_000)), seen))) == []
    off = account(guards={"minHoursToLimit": 0})
    assert refusals(judged(question(declared(limit(tokens=1), off), seen))) == []
    verdict = refused(judged(question(declared(limit(tokens=500)), seen)))[0]
    assert verdict.message == (
        f"InferenceLimit/{M} would set 500 tokens, which {M} uses up in about 30 min at 1,000 tokens an hour; "
        "guards.minHoursToLimit is 1"
    )


def test_activating_takes_the_accounts_consent() -> None:
    seen = snapshot(model(state=ActivationState.NOT_ACTIVATED))
    plan = judged(question(declared(activation(), account(allow_activation=False)), seen))
    assert refusals(plan) == [("consent", f"ModelActivation/{M}")]
    assert refusals(judged(question(declared(activation(), account(allow_activation=True)), seen))) == []
    assert (
        refusals(
            judged(question(declared(activation(state="NotActivated"), account(platform="ark")), snapshot(model())))
        )
        == []
    )


@pytest.mark.parametrize(
    ("scope", "passes"),
    [(None, True), ("ModelActivation/a", True), ("ModelActivation", True), ("ModelActivation/b", False)],
)
def test_a_persons_word_is_scoped_and_kept_with_its_reason(scope: str | None, *, passes: bool) -> None:
    asked = question(
        declared(activation("a"), account(platform="ark")), snapshot(model("a", state=ActivationState.NOT_ACTIVATED))
    )
    plan = judged(asked, Allow("consent", scope, "agreed with finance"))
    assert (refusals(plan) == []) is passes
    if passes:
        said = next(verdict for verdict in plan.guards if verdict.id == "consent")
        assert said.verdict is VerdictKind.ALLOWED
        assert said.message.endswith("; allowed: agreed with finance")


def test_a_word_for_one_guard_does_not_pass_another() -> None:
    assert refusals(judged(owning(1), Allow("mass-revert", None, "x"))) == [("kind-wipe", None)]


def test_a_guard_on_the_whole_plan_passes_when_each_of_its_items_is_allowed() -> None:
    asked = owning(6, guards={"maxReverts": {"count": 1, "percent": 1}})
    each = [Allow(guard, f"EndpointRateOverride/ep-{number}", "moved") for number in range(6) for guard in ("mass-revert", "kind-wipe")]  # fmt: skip
    assert refusals(judged(asked, *each)) == []
    assert refusals(judged(asked, *each[2:])) == [("kind-wipe", None), ("mass-revert", None)]


def test_a_guard_on_the_whole_plan_stops_the_reverts_and_nothing_else() -> None:
    asked = owning(3)
    plan = judged(replace(asked, declared=declared(limit(), activation())))
    assert refusals(plan) == [("kind-wipe", None)]
    assert {address for address, _ in stopped(plan)} == {f"EndpointRateOverride/ep-{n}" for n in range(3)}
    assert f"InferenceLimit/{M}" in {change.address for change in plan.changes}


def test_what_could_never_be_set_back_needs_a_person_s_word_where_it_is_seen() -> None:
    off = account(free_tokens_only=False)

    def refusals_of(mine: Any, live: Any, *allows: Allow) -> list[tuple[str, str | None]]:
        return refusals(judged(question(declared(mine), snapshot(model(), Switches(free_tokens_only=live))), *allows))

    assert refusals_of(off, live=True) == [("irreversible", "PlatformAccount/default")]
    word = Allow("irreversible", "PlatformAccount/default", "the trial is over")
    assert refusals_of(off, True, word) == []  # noqa: FBT003  # what is live
    assert refusals_of(off, live=False) == []
    assert refusals_of(off, UNOBSERVABLE) == []
    assert refusals_of(account(auto_activation=False), live=True) == []
    on = question(declared(account(free_tokens_only=True)), snapshot(Switches(free_tokens_only=False)))
    assert refusals(judged(on)) == []


def test_what_could_never_be_set_back_is_said_to_be_for_ever() -> None:
    plan = judged(question(declared(account(free_tokens_only=False)), snapshot(Switches(free_tokens_only=True))))
    assert "for ever" in refused(plan)[0].message
