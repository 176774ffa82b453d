"""What holds of every plan, over generated sets, platforms and histories; applying is simulated on the snapshot alone."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from builders import NOW, activation, declared, endpoint, history, limit, model, override, question, record, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.finding import Location
from reconciler.kinds import registry
from reconciler.kinds.declared import Held
from reconciler.plan import Change, ChangeReason, make, writes_of
from reconciler.state import ActivationState, History, Limit, Operation, Rate, Record, Snapshot, Target, Write

QUICK = settings(deadline=None, max_examples=60)  # a busy machine is slow, not wrong
NAMES = ("a", "b", "c")
RATES = st.sampled_from([(None, 5), (6, None), (7, 8)])
EXPIRES = st.sampled_from([None, "2026-11-23T00:00:00Z", "2027-01-01T00:00:00Z"])


@st.composite
def resources(draw: st.DrawFn) -> list[Any]:
    """At most one resource of each kind for each model or endpoint."""
    found: list[Any] = []
    for name in draw(st.sets(st.sampled_from(NAMES))):
        state, services = (
            draw(st.sampled_from(["Activated", "NotActivated"])),
            draw(st.sampled_from([None, [], ["fast-infer"]])),
        )
        found.append(activation(name, state=state, sub_services=services))
    found += [limit(name, draw(st.integers(1, 3))) for name in draw(st.sets(st.sampled_from(NAMES)))]
    for name in draw(st.sets(st.sampled_from(NAMES))):
        rpm, tpm = draw(RATES)
        halves = {half: value for half, value in (("rpm", rpm), ("tpm", tpm)) if value}
        found.append(override(f"ep-{name}", expires_at=draw(EXPIRES), **halves))
    return found


@st.composite
def platforms(draw: st.DrawFn) -> Snapshot:
    tokens = st.one_of(st.none(), st.integers(1, 3))
    models = [
        model(name, state=draw(st.sampled_from(ActivationState)), sub_services=draw(st.sampled_from([(), ("context-cache",)])), limit=draw(tokens))
        for name in NAMES
    ]  # fmt: skip
    overrides = st.one_of(st.none(), RATES)
    return snapshot(*models, *(endpoint(f"ep-{name}", name, override=draw(overrides)) for name in NAMES))


def after(seen: Snapshot, write: Write, now: datetime) -> Snapshot:
    """The snapshot once the platform carried out one write."""
    name, values = write.target.name, write.arguments
    if write.target.kind == "EndpointRateOverride":
        rate = Rate(values["rpm"], values["tpm"])  # type: ignore[arg-type]
        changed = replace(seen.endpoints[name], override=None if rate == Rate() else rate)
        return replace(seen, endpoints={**seen.endpoints, name: changed})
    was = seen.models[name]
    services = set(was.sub_services) if isinstance(was.sub_services, tuple) else set()
    match write.operation:
        case Operation.ACTIVATE:
            now_is = replace(was, state=ActivationState.ACTIVATED)
        case Operation.DEACTIVATE:
            now_is = replace(was, state=ActivationState.NOT_ACTIVATED)
        case Operation.ADD_SUB_SERVICE:
            now_is = replace(was, sub_services=tuple(sorted(services | {str(values["subService"])})))
        case Operation.DROP_SUB_SERVICE:
            now_is = replace(was, sub_services=tuple(sorted(services - {str(values["subService"])})))
        case Operation.SET_LIMIT:
            now_is = replace(was, limit=Limit(values["tokens"], effective_at=now))  # type: ignore[arg-type]
        case _:
            now_is = replace(was, limit=None)
    return replace(seen, models={**seen.models, name: now_is})


def carried_out(changes: tuple[Change, ...], seen: Snapshot, now: datetime = NOW) -> tuple[Snapshot, list[Write]]:
    """Every change that is due, in the plan's order."""
    made: list[Write] = []
    for change in changes:
        if change.not_before is None or change.not_before <= now:
            for write in writes_of(change, registry()[change.target.kind].live(seen, change.target)):
                seen = after(seen, write, now)
                made.append(write)
    return seen, made


def remembered(owned: list[Any], baseline: bool) -> History:
    records: list[Record] = []
    for each in owned:
        default = registry()[each.kind].default
        records.append(
            record(each, applied=dict(default), baseline=dict(default) if baseline else None, deletion_policy="Revert")
        )
    return history(*records)


@QUICK
@given(resources(), platforms(), st.randoms(use_true_random=False))
def test_the_order_of_files_never_shows_in_a_plan(found: list[Any], seen: Snapshot, random: Any) -> None:
    shuffled = random.sample(found, len(found))
    assert make(question(declared(*shuffled), seen)) == make(question(declared(*found), seen))


@QUICK
@given(resources(), platforms())
def test_planning_again_after_applying_finds_nothing_to_do(found: list[Any], seen: Snapshot) -> None:
    then, _ = carried_out(make(question(declared(*found), seen)).changes, seen)
    assert make(question(declared(*found), then)).changes == ()


@QUICK
@given(resources(), resources(), platforms(), st.booleans())
def test_pruning_reverts_only_what_is_owned_and_not_declared_and_then_is_done(
    found: list[Any], owned: list[Any], seen: Snapshot, baseline: bool
) -> None:
    past = remembered(owned, baseline)
    asked = question(declared(*found), seen, past, prune=True, under=(".",))
    removed = {change.target for change in make(asked).changes if change.reason is ChangeReason.REMOVED}
    assert removed <= set(past.records) - set(asked.claims.values())
    then, _ = carried_out(make(asked).changes, seen)
    assert make(replace(asked, snapshot=then)).changes == ()


@QUICK
@given(resources(), resources(), platforms(), st.sampled_from(NAMES))
def test_what_a_broken_document_names_is_left_untouched(
    found: list[Any], owned: list[Any], seen: Snapshot, name: str
) -> None:
    held = (Held(Location("broken.yaml"), "InferenceLimit", "x", name),)
    asked = question(declared(*found, held=held), seen, remembered(owned, baseline=True), prune=True, under=(".",))
    assert Target("InferenceLimit", name) not in {change.target for change in make(asked).changes}


@QUICK
@given(platforms(), st.lists(st.tuples(st.integers(1, 3), st.integers(1, 90)), max_size=12))
def test_no_limit_is_set_twice_within_two_hours_however_often_it_is_edited(
    seen: Snapshot, edits: list[tuple[int, int]]
) -> None:
    now, sets = NOW, []
    for tokens, minutes in edits:
        now += timedelta(minutes=minutes)
        changes = make(question(declared(limit("a", tokens)), seen, now=now)).changes
        seen, made = carried_out(changes, seen, now)
        sets += [now for write in made if write.operation is Operation.SET_LIMIT]
    assert all(later - earlier >= timedelta(hours=2) for earlier, later in itertools.pairwise(sets))
