"""The served platform's control plane: whatever is sent, it answers in Ark's words and never with a mistake of its own."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import MODEL, PRIVATE, Rig, code_of, post

from reconciler.platforms.embedded.actions import PUBLISHED
from reconciler.platforms.embedded.httpfaults import Fault, FaultKind

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["Id", "Name", "PageNumber", "PageSize", "Filter", "SortBy", "RateLimit", "Tags", "TagFilters", "ModelReference",
     "FoundationModelName", "FoundationModelNames", "SubServices", "ResourceIds", "StartTime", "EndTime", "DryRun",
     "DurationSeconds", "Names", "Limits", "On", "Description", "ProjectName"]
)  # fmt: skip
ACTIONS = sorted({*PUBLISHED, *(action["action"] for action in PRIVATE.values())})


def test_a_success_has_the_envelope_and_a_page_its_counts(rig: Rig) -> None:
    answer = post(rig, "ListModelActivations", {"PageSize": 3, "PageNumber": 2})
    body = answer.json()
    assert answer.status_code == 200
    assert {**body["ResponseMetadata"], "RequestId": ""} == {
        "RequestId": "", "Action": "ListModelActivations", "Version": "2024-01-01", "Service": "ark", "Region": "cn-beijing",
    }  # fmt: skip
    assert (body["Result"]["PageNumber"], body["Result"]["PageSize"], len(body["Result"]["Items"])) == (2, 3, 3)
    assert body["Result"]["TotalCount"] > 3


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"{", "InvalidParameter", 400),
        (b"[]", "InvalidParameter", 400),
        (b"[" * 100_000, "InvalidParameter", 400),
        (b'{"PageSize": NaN}', "InvalidParameter", 400),
        (b"\xff\xfe", "InvalidParameter", 400),
        (b" " * 1_000_001, "InvalidParameter", 413),
        (b'{"PageSize": 101}', "InvalidParameter.PageSize", 400),
        (b'{"PageSize": true}', "InvalidParameter.PageSize", 400),
        (b'{"PageNumber": 0}', "InvalidParameter.PageNumber", 400),
        (b'{"SortOrder": "Up"}', "InvalidParameter.SortOrder", 400),
        (b'{"Filter": []}', "InvalidParameter.Filter", 400),
    ],
)
def test_a_request_that_is_not_well_formed_is_refused_with_its_parameter(
    rig: Rig, body: bytes, code: str, status: int
) -> None:
    answer = post(rig, "ListEndpoints", body)
    assert (code_of(answer), answer.status_code) == (code, status)


def test_the_gateway_refuses_with_its_own_codes_and_numbers(rig: Rig) -> None:
    for answer, code, number in (
        (post(rig, "NoSuchAction"), "InvalidActionOrVersion", 100008),
        (post(rig, ""), "MissingParameter", 100002),
        (post(rig, "ListEndpoints", **{"x-date": "20200101T000000Z"}), "InvalidTimestamp", 100006),
        (post(rig, "ListEndpoints", authorization="HMAC-SHA256 nonsense"), "InvalidAuthorization", 100024),
        (post(rig, "ListEndpoints", **{"content-type": "text/plain"}), "SignatureDoesNotMatch", 100010),
        (post(rig, "GetEndpoint"), "MissingParameter", 100002),
    ):
        assert code_of(answer) == code
        assert answer.json()["ResponseMetadata"]["Error"]["CodeN"] == number
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method_is_refused_in_the_envelope(rig: Rig, method: str) -> None:
    answer = rig.http.request(method, f"{rig.url}/?Action=ListEndpoints&Version=2024-01-01")
    assert (answer.status_code, code_of(answer)) == (405, "InvalidActionOrVersion")
    assert answer.headers["allow"] == "POST"


def test_endpoints_live_their_whole_life_by_arks_actions(rig: Rig) -> None:
    made = post(rig, "CreateEndpoint", {
        "Name": "life", "Description": "d", "ModelReference": {"FoundationModel": {"Name": MODEL}},
        "Tags": [{"Key": "team", "Value": "search"}], "RateLimit": {"Rpm": 5, "Tpm": 50}, "ProjectName": "p1",
    }).json()["Result"]["Id"]  # fmt: skip
    found = post(rig, "GetEndpoint", {"Id": made}).json()["Result"]
    assert found["RateLimit"] == {"Rpm": 5, "Tpm": 50}
    assert found["BatchOnly"] is False
    assert found["ScaleTierId"] == ""
    assert code_of(post(rig, "StartEndpoint", {"Id": made})) == "OperationDenied.EndpointStatus"
    assert code_of(post(rig, "DeleteEndpoint", {"Id": made})) == "OperationDenied.EndpointStatus"
    assert code_of(post(rig, "UpdateEndpoint", {"Id": made, "RateLimit": {"Rpm": 9}})) == "MissingParameter"
    assert code_of(post(rig, "UpdateEndpoint", {"Id": made, "RateLimit": {"Rpm": -1, "Tpm": -1}})) == (
        "InvalidParameter.Rpm"
    )
    renamed = {"Id": made, "Name": "lived", "Description": "", "RateLimit": {"Rpm": 9, "Tpm": 90}}
    assert post(rig, "UpdateEndpoint", renamed).json()["Result"] == {}
    tagged = [{"Key": "team", "Values": ["search"]}]
    listed = post(rig, "ListEndpoints", {"ProjectName": "p1", "TagFilters": tagged, "Filter": {"Name": "liv"}})
    (item,) = listed.json()["Result"]["Items"]
    assert (item["Name"], item["Description"], item["RateLimit"]) == ("lived", "", {"Rpm": 9, "Tpm": 90})
    assert not {"BatchOnly", "ScaleTierId", "SupportScaleTier", "Moderation"} & set(item)
    assert post(rig, "StopEndpoint", {"Id": made}).json()["Result"] == {}
    assert post(rig, "DeleteEndpoint", {"Id": made}).json()["Result"] == {}
    assert code_of(post(rig, "GetEndpoint", {"Id": made})) == "InvalidEndpointOrModel.NotFound"


def test_endpoints_are_filtered_and_sorted(rig: Rig) -> None:
    ids = [rig.endpoint(name, model) for name, model in (("sort-a", MODEL), ("sort-b", "glm-5-2"), ("sort-c", MODEL))]

    def names(**asked: object) -> list[str]:
        request = {"SortBy": "Name", "SortOrder": "Asc", "PageSize": 100, **asked}
        items = post(rig, "ListEndpoints", request).json()["Result"]["Items"]
        return [item["Name"] for item in items if item["Id"] in ids]

    assert names() == ["sort-a", "sort-b", "sort-c"]
    assert names(SortOrder="Desc") == ["sort-c", "sort-b", "sort-a"]
    assert names(Filter={"FoundationModelName": "glm-5-2"}) == ["sort-b"]
    assert names(Filter={"Ids": [ids[2]]}) == ["sort-c"]
    assert names(Filter={"Statuses": ["Stopped"]}) == []
    assert names(ProjectName="elsewhere") == []


def test_models_are_listed_by_state_domain_and_name(rig: Rig) -> None:
    rig.engine.activate("deepseek-v4-pro")
    states = {
        "Filter": {"States": ["Available"], "IncludeDeprecatedModels": True},
        "WithPrice": True,
        "WithFreeUsage": True,
    }
    available = post(rig, "ListModelActivations", states).json()["Result"]["Items"]
    assert {item["State"] for item in available} == {"Available"}
    (opened,) = (item for item in available if item["FoundationModelName"] == "deepseek-v4-pro")
    assert opened["FreeResourcePackItems"][0]["Type"] == "FreeInference"
    assert "InitialInferenceFreeUsage" not in opened
    one = post(rig, "GetModelActivation", {"FoundationModelName": MODEL}).json()["Result"]
    assert one["InitialInferenceFreeUsage"] == {"Total": 500_000, "Consumed": 0}
    assert one["State"] == "Unavailable"
    audio = post(rig, "ListModelChargeItems", {"Filter": {"FoundationModelDomain": "Audio"}}).json()["Result"]["Items"]
    assert [item["FoundationModelName"] for item in audio] == ["doubao-seed-asr-2-0", "doubao-seed-tts-2-0"]
    charge = post(rig, "GetModelChargeItem", {"FoundationModelName": MODEL}).json()["Result"]
    assert {each["SubService"]: each["Status"] for each in charge["SubServices"]}["base"] == "Unavailable"
    rates = post(rig, "ListModelRateLimit", {"FoundationModelNames": [MODEL]}).json()["Result"]
    assert rates["Items"][0]["CurrentRateLimit"] == {"Rpm": 30_000, "Tpm": 5_000_000}
    named = {"Filter": {"Names": [MODEL], "FoundationModelTag": {"Domains": ["VLM"]}}}
    (known,) = post(rig, "ListFoundationModels", named).json()["Result"]["Items"]
    assert known["PrimaryVersion"] == "251015"


def test_opening_a_charge_item_may_be_repeated_and_knows_its_sub_services(rig: Rig) -> None:
    asked = {"FoundationModelName": "glm-5-2"}
    for _ in range(2):
        assert post(rig, "OpenModelChargeItem", asked).json()["Result"] == {}
    assert (
        code_of(post(rig, "OpenModelChargeItem", {**asked, "SubServices": ["gold"]})) == "InvalidParameter.SubServices"
    )
    assert code_of(post(rig, "OpenModelChargeItem", {"FoundationModelName": "none"})).endswith(".NotFound")


def test_what_ark_does_not_publish_is_marked_as_such_and_served_by_its_configured_shape_only(rig: Rig) -> None:
    answer = post(rig, "TestListLimits", {"Names": [MODEL]})
    assert answer.headers["X-Modelpolicy-Not-Published"] == "read-limit"
    assert answer.json()["Result"] == {"Deep": {"Limits": []}}
    assert code_of(post(rig, "TestListLimits", {"Other": 1})) == "InvalidParameter"
    assert "X-Modelpolicy-Not-Published" not in post(rig, "ListEndpoints").headers
    assert code_of(post(rig, "TestFreeOnly", {"On": "yes"})) == "InvalidParameter"
    assert code_of(post(rig, "TestSetLimit", {"Limits": [{"Name": MODEL, "Most": "1"}]})) == "InvalidParameter"


def test_a_stale_read_shows_the_platform_as_it_was_when_it_was_ordered(rig: Rig) -> None:
    headers = {"authorization": f"Bearer {rig.keys.api_key}"}
    id_ = rig.endpoint("stale")
    order = {"kind": "stale-read", "action": "GetEndpoint"}
    ordered = rig.http.post(f"{rig.url}/modelpolicy/faults", json=order, headers=headers)
    assert ordered.status_code == 200
    post(rig, "UpdateEndpoint", {"Id": id_, "RateLimit": {"Rpm": 3, "Tpm": 4}})
    assert post(rig, "GetEndpoint", {"Id": id_}).json()["Result"]["RateLimit"] == {"Rpm": -1, "Tpm": -1}
    assert post(rig, "GetEndpoint", {"Id": id_}).json()["Result"]["RateLimit"] == {"Rpm": 3, "Tpm": 4}


def test_faults_are_ordered_with_the_api_key_only_and_may_be_taken_back(rig: Rig) -> None:
    url, headers = f"{rig.url}/modelpolicy/faults", {"authorization": f"Bearer {rig.keys.api_key}"}
    refused = rig.http.post(url, json={"kind": "throttle"})
    assert (refused.status_code, code_of(refused)) == (401, "InvalidAuthorization")
    assert rig.http.post(url, json={"kind": "flood"}, headers=headers).status_code == 400
    rig.http.post(url, json={"kind": "throttle", "times": 9, "seconds": 5}, headers=headers)
    throttled = post(rig, "ListEndpoints")
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "5")
    rig.http.delete(url, headers=headers)
    assert post(rig, "ListEndpoints").status_code == 200


def test_a_late_answer_is_late(rig: Rig) -> None:
    rig.served.faults.order(Fault(FaultKind.LATENCY, seconds=0.1))
    assert post(rig, "ListEndpoints").elapsed.total_seconds() >= 0.1


@FUZZ
@given(st.sampled_from(ACTIONS), st.dictionaries(FIELDS, JSON, max_size=4))
def test_no_well_signed_request_makes_the_server_fail(rig: Rig, action: str, body: dict[str, object]) -> None:
    answer = post(rig, action, json.dumps(body).encode())
    assert answer.status_code < 500, answer.text
    assert ("Error" in answer.json()["ResponseMetadata"]) == (answer.status_code != 200)


@FUZZ
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20),
    st.sampled_from(["/", "/api/v3/chat/completions", "/api/v3/embeddings", "/modelpolicy/faults", "/other"]),
    st.binary(max_size=200),
)
def test_no_unsigned_request_is_served_or_makes_the_server_fail(
    rig: Rig, method: str, header: str, path: str, body: bytes
) -> None:
    answer = rig.http.request(method, rig.url + path, content=body, headers={"authorization": header.strip()})
    assert 400 <= answer.status_code < 500
    assert answer.json()
