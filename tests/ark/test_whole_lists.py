"""Only a whole list of the platform proves that what it does not name is gone."""

import pytest
from served import MODEL, PRIVATE, Rig

from reconciler.errors import Transient
from reconciler.finding import Severity
from reconciler.observing import observe
from reconciler.platforms.ark.paging import Gathered, Page
from reconciler.platforms.embedded.httpfaults import LIST_FAULTS, Fault, FaultKind
from reconciler.state import UNOBSERVABLE, History, Limit, Listing, Record, Target
from tests.builders import activation, declared, override
from tests.rules.helpers import says

NAMED = ("ListModelActivations", "ListModelChargeItems", "ListFoundationModels")
PAGE = Page("ListThings", "Id", {})
ABC = [{"Id": id_} for id_ in "abc"]


def pages(*replies: dict) -> tuple[str, str]:
    """The ids that were gathered, and what is wrong with the list."""
    gathered = Gathered(PAGE)
    for reply in replies:
        if gathered.ends_with(reply):
            break
    listed = gathered.done()
    return "".join(listed.items), listed.flaw


@pytest.mark.parametrize(
    ("replies", "ids"),
    [
        ([{"Items": ABC, "TotalCount": 3}], "abc"),
        ([{"Items": ABC[:2], "TotalCount": 3}, {"Items": ABC[2:], "TotalCount": 3}], "abc"),
        (
            [{"Items": ABC[:2], "TotalCount": 3}, {"Items": ABC[1:], "TotalCount": 3}],
            "abc",
        ),  # shifted, nothing left out
        ([{"Items": [], "TotalCount": 0}], ""),
        ([{"Items": None, "TotalCount": 0}], ""),
        ([{"TotalCount": 0}], ""),
    ],
)
def test_a_list_with_as_many_different_items_as_every_page_says_is_whole(replies: list[dict], ids: str) -> None:
    assert pages(*replies) == (ids, "")


@pytest.mark.parametrize(
    ("replies", "ids", "flaw"),
    [
        ([{"Items": None, "TotalCount": 3}], "", "Items is no list"),
        ([{"Items": {"a": 1}, "TotalCount": 3}], "", "Items is no list"),
        ([{}], "", "a page has no TotalCount"),
        ([{"Items": ABC[:2], "TotalCount": 3}, {"Items": [], "TotalCount": 3}], "ab", "it names 2 of 3"),
        ([{"Items": ABC[:2], "TotalCount": 3}, {"Items": ABC[:2], "TotalCount": 3}], "ab", "it names 2 of 3"),
        ([{"Items": [*ABC[:2], ABC[0]], "TotalCount": 3}, {"Items": [], "TotalCount": 3}], "ab", "it names 2 of 3"),
        ([{"Items": ABC, "TotalCount": 2}], "abc", "it names 3 of 2"),
        ([{"Items": ABC[:2], "TotalCount": 4}, {"Items": ABC[2:], "TotalCount": 3}], "abc", "moved from 4 to 3"),
        ([{"Items": ABC[:2], "TotalCount": 2.0}, {"Items": [], "TotalCount": 2}], "ab", "TotalCount is no number"),
        ([{"Items": ABC, "TotalCount": "3"}, {"Items": [], "TotalCount": "3"}], "abc", "TotalCount is no number"),
        ([{"Items": ABC, "TotalCount": True}, {"Items": []}], "abc", "TotalCount is no number"),
        ([{"Items": ABC}, {"Items": []}], "abc", "a page has no TotalCount"),
        ([{"Items": [*ABC, {"Id": None}], "TotalCount": 4}, {"Items": [], "TotalCount": 4}], "abc", "has no Id"),
        ([{"Items": [*ABC, "d"], "TotalCount": 3}], "abc", "has no Id"),
        ([{"Items": [*ABC, {"Id": ""}], "TotalCount": 3}], "abc", "has no Id"),
    ],
)
def test_any_other_list_is_not_and_says_why_while_what_it_shows_is_kept(
    replies: list[dict], ids: str, flaw: str
) -> None:
    gathered, said = pages(*replies)
    assert gathered == ids
    assert said.startswith("ListThings: ")
    assert flaw in said


@pytest.mark.parametrize("kind", LIST_FAULTS)
def test_a_list_that_is_not_whole_is_asked_for_once_more(rig: Rig, kind: FaultKind) -> None:
    id_ = rig.endpoint("asked-twice")
    true = sorted(rig.engine.snapshot().endpoints)
    rig.served.faults.order(Fault(kind, "ListEndpoints"))
    seen = rig.connect().observe(frozenset())
    assert sorted(seen.endpoints) == true
    assert id_ in true
    assert seen.not_whole == {}


@pytest.mark.parametrize("kind", [kind for kind in LIST_FAULTS if kind is not FaultKind.STUCK_PAGE])
def test_what_two_lists_did_show_is_judged_and_what_they_did_not_is_not_called_unknown(
    rig: Rig, kind: FaultKind
) -> None:
    rig.endpoint("one"), rig.endpoint("two")
    rig.served.faults.order(Fault(kind, "ListEndpoints", times=99))
    seen = rig.connect().observe(frozenset())
    assert set(seen.not_whole) == {Listing.ENDPOINTS}
    assert "ListEndpoints: " in seen.absence_unproven(Listing.ENDPOINTS)
    assert seen.absence_unproven(Listing.MODELS) == ""
    assert bool(seen.endpoints) == (kind not in (FaultKind.NULL_ITEMS, FaultKind.EMPTY_PAGE))
    found = says("unknown-endpoint", declared(override("ep-never", rpm=5, tpm=5)), seen)
    assert [each.severity for each in found] == [Severity.WARNING]
    assert "not known" in found[0].message


def test_an_endpoint_s_name_is_believed_to_be_its_alone_only_by_a_whole_list(rig: Rig) -> None:
    rig.endpoint("twin")
    by_name = declared(override(name="twin", endpoint={"name": "twin"}, rpm=5, tpm=5))
    assert says("unknown-endpoint", by_name, rig.connect().observe(frozenset())) == ()
    rig.served.faults.order(Fault(FaultKind.SHORT_LIST, "ListEndpoints", times=99))
    (found,) = says("unknown-endpoint", by_name, rig.connect().observe(frozenset()))
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize("action", NAMED)
@pytest.mark.parametrize("kind", [FaultKind.SHORT_LIST, FaultKind.NULL_ITEMS, FaultKind.TEXT_TOTAL])
def test_a_model_is_unknown_only_where_every_list_of_models_is_whole(rig: Rig, action: str, kind: FaultKind) -> None:
    rig.served.faults.order(Fault(kind, action, times=99))
    seen = rig.connect().observe(frozenset())
    assert set(seen.not_whole) == {Listing.MODELS}
    (found,) = says("unknown-model", declared(activation("no-such-model")), seen)
    assert (found.severity, found.reason) == (Severity.WARNING, None)


def test_a_list_of_models_that_the_key_may_not_ask_for_proves_nothing_where_it_is_the_one_that_names_them_all(
    rig: Rig,
) -> None:
    rig.served.faults.order(Fault(FaultKind.DENIED, "ListModelActivations", times=99))
    seen = rig.connect().observe(frozenset())
    assert "grant ark:ListModelActivations" in seen.absence_unproven(Listing.MODELS)
    rig.served.faults.clear()
    for action in ("ListModelChargeItems", "ListFoundationModels"):
        rig.served.faults.order(Fault(FaultKind.DENIED, action, times=99))
    assert rig.connect().observe(frozenset()).not_whole == {}


def owned(*targets: Target) -> History:
    return History(
        {each: Record(target=each, owner=f"{each.kind}/x", source="p.yaml") for each in targets}, exists=True
    )


def test_an_endpoint_of_ours_that_a_whole_list_leaves_out_is_asked_for_by_itself(rig: Rig) -> None:
    rig.served.faults.order(Fault(FaultKind.STALE_READ, "ListEndpoints", times=99), rig.engine.frozen())
    id_ = rig.endpoint("made-after-the-list-was-kept")
    there, gone = Target("EndpointRateOverride", id_), Target("EndpointRateOverride", "ep-gone")
    platform, past = rig.connect(), owned(there, gone)
    assert id_ not in observe(declared(), past, platform, rig.clock()).snapshot.endpoints
    seen = observe(declared(), past, platform, rig.clock(), prune=True).snapshot
    assert id_ in seen.endpoints
    assert seen.unconfirmed == {}
    rig.served.faults.order(Fault(FaultKind.DENIED, "GetEndpoint", times=99))
    seen = observe(declared(), past, platform, rig.clock(), prune=True).snapshot
    assert sorted(seen.unconfirmed) == sorted((there, gone))
    assert "grant ark:GetEndpoint" in seen.absence_unproven(Listing.ENDPOINTS, gone)


def test_a_model_of_ours_is_gone_only_by_a_second_list_that_is_whole(rig: Rig) -> None:
    targets = (Target("ModelActivation", "retired"), Target("InferenceLimit", "retired"))
    platform, past = rig.connect(), owned(*targets)
    assert observe(declared(), past, platform, rig.clock(), prune=True).snapshot.unconfirmed == {}
    platform.observe(frozenset())
    rig.served.faults.order(Fault(FaultKind.SHORT_LIST, "ListFoundationModels", times=99))
    for each in targets:  # the sweep's lists were whole, the second look's are not
        with pytest.raises(Transient, match="whether there is a model retired is not known"):
            platform.read(each)
    rig.served.faults.clear()
    assert platform.read(targets[1]).models == {}


def test_a_model_that_one_list_stops_naming_while_that_list_is_not_whole_is_not_read_as_changed(rig: Rig) -> None:
    platform = rig.connect()
    platform.observe(frozenset())
    rig.served.faults.order(Fault(FaultKind.NULL_ITEMS, "ListModelActivations", times=99))
    with pytest.raises(Transient, match=MODEL):
        platform.read(Target("ModelActivation", MODEL))


def test_an_endpoint_of_another_project_and_a_reply_of_another_endpoint_are_not_the_endpoint(rig: Rig) -> None:
    elsewhere = rig.endpoint("elsewhere", project="other")
    platform = rig.connect()
    assert elsewhere not in platform.observe(frozenset()).endpoints
    assert platform.read(Target("EndpointRateOverride", elsewhere)).endpoints == {}
    assert elsewhere in rig.connect(project="other").read(Target("EndpointRateOverride", elsewhere)).endpoints


@pytest.mark.parametrize("reply", [{}, {"Deep": None}, {"Deep": {"Limits": None}}, {"Deep": {"Limits": [{"Most": 5}]}}])
def test_a_reply_without_a_legible_list_of_limits_says_of_no_model_that_it_has_none(reply: dict) -> None:
    from reconciler.platforms.ark import mapping

    keys = PRIVATE["readLimit"]["response"]
    assert mapping.limits(reply, keys, ("m",)) == {"m": UNOBSERVABLE}
    assert mapping.limits({"Deep": {"Limits": []}}, keys, ("m",)) == {"m": None}
    listed = {"Deep": {"Limits": [{"Name": "m", "Most": "9007199254740993"}, {"Name": "n", "Most": {}}]}}
    assert mapping.limits(listed, keys, ("m", "n")) == {"m": Limit(9007199254740993), "n": UNOBSERVABLE}


def test_a_second_look_serves_until_the_next_sweep(rig: Rig) -> None:
    platform = rig.connect()
    platform.observe(frozenset())
    assert platform.read(Target("ModelActivation", "retired")).models == {}
    rig.served.faults.order(Fault(FaultKind.DENIED, "ListFoundationModels", times=99))
    assert platform.read(Target("InferenceLimit", "retired-too")).models == {}
