"""JSON outputs keep their published shape."""

import json
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
import report_samples as samples

from reconciler.plan import Action, Change, ChangeReason, FieldChange
from reconciler.report import as_json, plain
from reconciler.report.output_schemas import output_schemas
from reconciler.state import UNOBSERVABLE, Capability, Endpoint, Model, Rate, Snapshot, Target

DOCUMENTS = {
    "plan": as_json.plan(samples.report()),
    "plans": as_json.plan(samples.report(), samples.quiet()),
    "validate": as_json.findings(samples.FINDINGS, 7),
    "apply": as_json.applied(samples.report()),
    "applies": as_json.applied(samples.report(), samples.quiet()),
    "status": as_json.status(samples.report()),
    "statuses": as_json.status(samples.report(), samples.report(snapshot=None)),
    "history": as_json.history([(samples.RUN, (samples.ENTRY,)), (samples.RUN, None)]),
    "error": as_json.error_document("the lock is held by lin@build-7", "Locked"),
}
VERBS = {"plans": "plan", "applies": "apply", "statuses": "status", "error": "plan"}


def closed(schema: Any) -> Any:
    """The schema with no further keys allowed, so that a key we write and do not publish is found."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["additionalProperties"] = False
    return made


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_as_its_published_schema_says_and_has_no_key_that_is_not_in_it(name: str) -> None:
    schema = closed(deepcopy(dict(output_schemas()[VERBS.get(name, name)])))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(json.loads(DOCUMENTS[name]))] == []


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_bytes_of_every_document_are_those_that_were_reviewed(name: str) -> None:
    samples.assert_golden(f"{name}.json", DOCUMENTS[name])


def test_a_schema_refuses_a_document_that_lacks_a_key() -> None:
    document = json.loads(DOCUMENTS["plan"])
    del document["summary"]
    assert not jsonschema.Draft202012Validator(output_schemas()["plan"]).is_valid(document)


def test_plan_json_has_the_published_keys_in_the_published_order() -> None:
    document = json.loads(DOCUMENTS["plan"])
    assert list(document) == [
        "format_version", "account", "inputs_digest", "observed_at", "summary", "changes", "guards", "findings", "errors",
    ]  # fmt: skip
    assert list(document["summary"]) == ["create", "update", "revert", "unchanged", "deferred", "manual"]
    assert document["summary"] == {"create": 2, "update": 0, "revert": 1, "unchanged": 12, "deferred": 1, "manual": 1}
    assert list(document["changes"][0]) == [
        "address", "target", "action", "reason", "capability", "not_before", "origin", "fields", "precondition",
    ]  # fmt: skip
    assert document["changes"][1]["fields"] == [{"path": "tokens", "before": None, "after": 2000000}]
    assert document["changes"][2]["not_before"] == "2026-11-23T08:47:00Z"
    assert document["changes"][3]["target"] == {
        "endpoint_id": "ep-20260101120000-abcde",
        "endpoint_name": "search-prod",
    }
    assert document["guards"][0] == {"id": "mass-revert", "verdict": "passed", "address": None}


def test_several_accounts_stand_under_plans_and_one_stands_alone() -> None:
    document = json.loads(DOCUMENTS["plans"])
    assert list(document) == ["format_version", "plans"]
    assert document["plans"][0] == json.loads(DOCUMENTS["plan"])


def test_what_cannot_be_seen_is_neither_null_nor_a_value() -> None:
    change = Change(
        address="InferenceLimit/m", target=Target("InferenceLimit", "m"), action=Action.UPDATE,
        reason=ChangeReason.DECLARED, capability=Capability.MANUAL, fields=(FieldChange("tokens", UNOBSERVABLE, 5),),
    )  # fmt: skip
    assert plain.change(change)["fields"][0]["before"] == {"unobservable": True}


def test_invisible_characters_are_escaped_and_come_back_as_they_were() -> None:
    nasty = "a\x1b[31m\x9b31m\u202eb\u2028\x7f中文"
    written = as_json.error_document(nasty, "Unexpected")
    assert json.loads(written)["errors"][0]["message"] == nasty
    assert written.encode().isascii() is False  # readable Chinese stays readable
    assert not set(written) & set("\x1b\x9b\u202e\u2028\x7f")


def test_half_a_surrogate_pair_becomes_the_text_of_its_escape_so_that_every_reader_takes_the_document() -> None:
    written = as_json.error_document("a\ud800b\udcff", "Unexpected")
    assert json.loads(written)["errors"][0]["message"] == "a\\ud800b\\udcff"
    assert json.loads(written.encode("utf-8"))


@pytest.mark.parametrize(
    ("override", "pool", "rate"),
    [
        (Rate(100, None), Rate(500, 1000), Rate(100, 1000)),
        (Rate(900, 900), Rate(500, 1000), Rate(500, 900)),
        (None, Rate(500, None), Rate(500, None)),
        (None, None, None),
        (UNOBSERVABLE, Rate(500, 1000), UNOBSERVABLE),
    ],
)
def test_an_endpoint_runs_at_the_lower_of_its_override_and_its_models_rate(override: Any, pool: Any, rate: Any) -> None:
    shared = Model(name="m", rate_limit=pool)
    own = Endpoint(id="ep-1", name="one", model="m", override=override)
    observed = Snapshot(observed_at=samples.NOW, models={"m": shared}, endpoints={"ep-1": own})
    assert observed.effective_rate(own) == rate
