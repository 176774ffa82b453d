"""What is remembered of an item: what a hope holds, and whose item a declaration that equals it may become."""

from dataclasses import replace
from typing import Any

import pytest
from builders import EP, NOW, declared, endpoint, history, hours, limit, model, override, question, record, snapshot

from reconciler import records
from reconciler.kinds import registry
from reconciler.kinds.declared import DeclarationSet
from reconciler.plan import Change, make
from reconciler.state import UNOBSERVABLE, Attestation, Record

ME = f"EndpointRateOverride/{EP}"
LIVE = {"rpm": 5, "tpm": 8}
CLAIM = record(override())


def setting() -> Change:
    return make(question(declared(override()), snapshot(endpoint(override=(5, 8))))).changes[0]


@pytest.mark.parametrize(
    ("before", "baseline"),
    [
        (None, LIVE),
        (replace(CLAIM, owner="", baseline={"rpm": 1}), LIVE),  # it was ours once, and changed hands since
        (replace(CLAIM, baseline=None), LIVE),
        (replace(CLAIM, baseline={"rpm": 1}), {"rpm": 1}),
    ],
)
def test_the_baseline_is_what_the_item_was_when_it_became_ours(before: Record | None, baseline: Any) -> None:
    assert records.hoped(setting(), before, LIVE, CLAIM, NOW).baseline == baseline


@pytest.mark.parametrize(("reverting", "owner"), [(False, ME), (True, "")])
def test_only_a_revert_that_is_under_way_counts_what_it_wrote_before(reverting: bool, owner: str) -> None:
    known = replace(CLAIM, applied={"rpm": 5, "tpm": 9}, baseline={"rpm": 2, "tpm": 9}, reverting=reverting)
    seen = snapshot(endpoint(override=(5, 8)))
    (change,) = make(question(declared(), seen, history(known), prune=True, under=("policies",))).changes
    step = replace(change, fields=tuple(field for field in change.fields if field.path == "rpm"))
    back = records.hoped(step, known, LIVE, Record(target=change.target), NOW)
    assert back.owner == owner


OTHER = override("ep-2", name="other")


@pytest.mark.parametrize(
    ("owned", "claims"),
    [
        ({"owner": "", "source": "b/x.yaml"}, True),  # nobody's
        ({"owner": ME, "source": "b/x.yaml"}, True),  # its own already
        (
            {"owner": "EndpointRateOverride/gone", "source": "policies/x.yaml"},
            True,
        ),  # declared under another name before
        ({"owner": "EndpointRateOverride/gone", "source": "b/x.yaml"}, False),  # perhaps declared still
        ({"owner": OTHER.address, "source": "policies/x.yaml"}, False),  # declared still
        ({"owner": ME, "source": "policies/x.yaml", "set_name": "theirs"}, False),
    ],
)
def test_a_declaration_that_equals_an_item_adopts_it_where_it_is_nobody_elses(owned: Any, claims: bool) -> None:
    seen = snapshot(endpoint(override=(600, None)), endpoint("ep-2"))
    asked = question(declared(override(), OTHER), seen, history(replace(CLAIM, **owned)), under=("policies",))
    assert [found.owner for found in records.seen_equal(asked, frozenset())] == ([ME] if claims else [])


@pytest.mark.parametrize(
    ("owner", "set_name", "may"),
    [
        ("", "theirs", True),
        (ME, "", True),
        (ME, "mine", True),
        (ME, "theirs", False),
        (OTHER.address, "mine", False),
        (OTHER.address, "", False),
    ],
)
def test_a_person_may_attest_what_is_nobodys_or_this_declarations_of_this_set(
    owner: str, set_name: str, may: bool
) -> None:
    remembered = replace(CLAIM, owner=owner, set_name=set_name)
    assert records.may_attest(remembered, override(), DeclarationSet(name="mine")) is may


HIDDEN = snapshot(model(limit=UNOBSERVABLE))
SAID = Attestation({"tokens": 2_000_000}, "ann", NOW - hours(1))
BY_ANN = limit(generation=1, annotations={"modelpolicy.dev/attested": "1: ann"})
SEEN_BY_ANN = record(BY_ANN, attestation=SAID, renewal=registry()["InferenceLimit"].renewal(BY_ANN))


def said(resource: Any, *known: Record) -> list[Any]:
    """By whom and when each record that a person's word changes is attested."""
    mine = DeclarationSet(name="mine")
    found = records.by_word(declared(resource), HIDDEN, history(*known), mine, NOW)
    return [(each.owner, each.attestation and (each.attestation.by, each.attestation.at)) for each in found]


def test_an_annotation_attests_once_what_cannot_be_seen() -> None:
    anew = [(BY_ANN.address, ("ann", NOW))]
    assert said(BY_ANN) == anew
    assert said(BY_ANN, record(BY_ANN)) == anew  # remembered, and nobody said anything of it
    assert said(BY_ANN, SEEN_BY_ANN) == []
    assert said(BY_ANN, replace(SEEN_BY_ANN, renewal="another")) == anew
    assert said(BY_ANN, replace(SEEN_BY_ANN, attestation=replace(SAID, by="bob"))) == anew
    assert said(BY_ANN, replace(SEEN_BY_ANN, attestation=replace(SAID, fields={"tokens": 1}))) == anew


def test_an_annotation_on_what_is_being_deleted_or_belongs_to_another_set_attests_nothing() -> None:
    assert said(replace(BY_ANN, deleting=True)) == []
    assert said(BY_ANN, record(BY_ANN, set_name="theirs")) == []


def test_an_attestation_ends_only_where_the_platform_shows_otherwise() -> None:
    def ends(tokens: Any, attestation: Attestation | None = SAID) -> int:
        known = history(replace(SEEN_BY_ANN, attestation=attestation))
        return len(list(records.contradicted(known, snapshot(model(limit=tokens)))))

    assert (ends(UNOBSERVABLE), ends(2_000_000), ends(1), ends(None)) == (0, 0, 1, 1)
    assert ends(1, None) == 0
