"""A constraint bites or says so: unknown keywords, those without effect, names that no document has, and matches of nothing."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Held
from reconciler.state import Snapshot
from tests.builders import M, account, activation, constraint, declared, endpoint, limit, model, override, snapshot
from tests.rules.helpers import at, placed, says
from tests.rules.test_any_input import CONSTRAINTS


def spec(**fields: Any) -> dict[str, Any]:
    """A schema over fields of a spec."""
    return {"properties": {"spec": {"properties": fields}}}


# --- keywords that JSON Schema does not have ---


@pytest.mark.parametrize(
    ("schema", "keyword", "hint"),
    [
        (spec(tokens={"maxmum": 5}), "maxmum", "Did you mean maximum?"),
        ({"requred": ["nope"]}, "requred", "Did you mean required?"),
        ({"anyof": [{}]}, "anyof", "Did you mean anyOf?"),
        ({"Type": "object"}, "Type", "Did you mean type?"),
        (spec(tokens={"dependencies": {"a": ["b"]}}), "dependencies", "Write dependentRequired"),
        ({"items": {}, "additionalItems": False}, "additionalItems", "Write items"),
        ({"id": "x", "type": "object"}, "id", "Write $id"),
        (spec(renewal={"nullable": True}), "nullable", "null in it"),
        ({"spec": {"tokens": {"maximum": 5}}}, "spec", "It is a field of the document: write properties: {spec: ...}."),
        ({"properties": {"spec": {"tokens": {"maximum": 5}}}}, "tokens", "It is a field of the document: write properties"),
        ({"owner": "platform team", "type": "object"}, "owner", "begins with x-"),
        ({"allOf": [{"not": {"if": {"minimun": 5}, "then": {}}}]}, "minimun", "Did you mean minimum?"),
        ({"$ref": "#/x-parts/0", "x-parts": [{"maxmum": 1}]}, "maxmum", "Did you mean maximum?"),
    ],
)  # fmt: skip
def test_an_unknown_keyword_is_an_error_of_the_constraint_and_names_what_is_meant(
    schema: dict[str, Any], keyword: str, hint: str
) -> None:
    rule = constraint("typo", schema)
    found = says("constraint", declared(limit(tokens="9M"), rule))
    assert [(one.severity, one.resource) for one in found] == [(Severity.ERROR, rule.address)]
    assert f"`{keyword}` is no keyword of JSON Schema 2020-12, so it asks for nothing" in found[0].message
    assert hint in found[0].hint


def test_every_unknown_keyword_is_told_at_its_own_place() -> None:
    rule = constraint("typo", {"requred": [], **spec(tokens={"maxmum": 5})})
    rule = placed(
        placed(rule, "spec", "schema", "requred"),
        *("spec", "schema", "properties", "spec", "properties", "tokens", "maxmum"),
        line=9,
    )
    found = says("constraint", declared(rule))
    assert sorted(at(one) for one in found) == [(7, 11), (9, 11)]


def test_where_it_was_stored_before_an_unknown_keyword_is_a_warning_and_the_rest_of_the_schema_holds() -> None:
    rule = constraint("old", spec(tokens={"maxmum": 5, "maximum": 1000}))
    stored = replace(declared(limit(tokens="9M"), rule), stored=True)
    found = {one.resource: one for one in says("constraint", stored)}
    assert found[rule.address].severity is Severity.WARNING
    assert "the rest of it holds" in found[rule.address].message
    assert found[f"InferenceLimit/{M}"].severity is Severity.ERROR


def test_notes_of_ones_own_are_no_keywords() -> None:
    schema = {"x-owner": {"maxmum": 1}, **spec(tokens={"maximum": 5, "x-why": "cost"})}
    assert not says("constraint", declared(constraint("notes", schema)))
    assert not says("constraint-no-effect", declared(constraint("notes", schema)))


# --- what says nothing where it stands ---


def effects(schema: dict[str, Any], **more: Any) -> tuple[Finding, ...]:
    return says("constraint-no-effect", declared(constraint("r", schema, **more)))


LIMITS = {"match": {"kinds": ["InferenceLimit"]}}
OVERRIDES = {"match": {"kinds": ["EndpointRateOverride"]}}
IN_VAIN: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({}, {}, "nothing is asked for, so everything meets it", "Say what must hold"),
    ({"description": "x", "$defs": {"a": {"type": "null"}}}, {}, "nothing is asked for", "Say what must hold"),
    (spec(model={"format": "email"}), LIMITS, "`format` is a note that nobody checks", "pattern"),
    (spec(model={"contentMediaType": "text/html"}), LIMITS, "`contentMediaType` is a note that nobody checks", "pattern"),
    ({"then": {"required": ["x"]}}, {}, "`then` says nothing without `if`", ""),
    ({"if": {"required": ["x"]}}, {}, "`if` says nothing without `then` or `else`", ""),
    (spec(subServices={"maxContains": 1}), {}, "`maxContains` says nothing without `contains`", ""),
    (spec(tokens={"type": "string", "maximum": 5}), LIMITS, "`maximum` speaks of `number` and `integer`, and here the type is `string`", ""),
    ({"x-kubernetes-validations": [{"rule": "false"}], "type": "object"}, {}, "is for an API server and is not evaluated here", "JSON Schema"),
    (spec(tokns={"maximum": 5}), LIMITS, "`spec` never has `tokns`, so nothing is asked", "Did you mean tokens?"),
    (spec(rpm={"maximum": 5}), LIMITS, "`spec` never has `rpm`, so nothing is asked", ""),
    ({"properties": {"labels": {"required": ["team"]}}}, {}, "the document never has `labels`, so nothing is asked", "It is metadata.labels."),
    ({"properties": {"metadata": {"properties": {"label": {}}}}}, {}, "`metadata` never has `label`", "Did you mean labels?"),
    ({"required": ["tokens"]}, LIMITS, "the document never has `tokens`, so nothing can meet this", "It is spec.tokens."),
    (spec(endpoint={"properties": {"nam": {}}}), OVERRIDES, "`spec.endpoint` never has `nam`", "Did you mean name?"),
    ({"properties": {"spec": {"patternProperties": {"^tokn": {"maximum": 5}}}}}, LIMITS, 'no key of `spec` is matched by "^tokn"', ""),
    ({"properties": {"spec": {"maximum": 5}}}, LIMITS, "`maximum` says nothing of `spec`, which is a mapping", ""),
    (spec(tokens={"maxLength": 3}), LIMITS, "`maxLength` says nothing of `spec.tokens`, which is a whole number", ""),
    (spec(deletionPolicy={"const": "retain"}), LIMITS, '`spec.deletionPolicy` is never "retain": it is one of "Revert", "Retain"', "Did you mean Retain?"),
    (spec(tokens={"const": "5M"}), LIMITS, '`spec.tokens` is never "5M": it is a whole number', ""),
    ({"if": {"properties": {"kind": {"const": "InferenceLimt"}}}, "then": {}}, {}, '`kind` is never "InferenceLimt"', "Did you mean InferenceLimit?"),
    ({"properties": {"spec": {"required": ["expiresAt"]}}}, OVERRIDES, "`expiresAt` is always there in `spec`, null where it is not declared", "null"),
    ({"properties": {"spec": {"dependentRequired": {"tokens": ["renewal"]}}}}, LIMITS, "`renewal` is always there in `spec`", "null"),
    ({"$ref": "#/$defs/a", "$defs": {"a": spec(tokns={"maximum": 5})}}, LIMITS, "`spec` never has `tokns`", "tokens"),
    ({"properties": {"limits": {"type": "null"}}}, {"scope": "Model"}, "the document never has `limits`", "Did you mean limit?"),
    ({"required": ["limit"]}, {"scope": "Model"}, "`limit` is always there in the document, null where", "null"),
    ({"properties": {"overrides": {"items": {"properties": {"rpn": {}}}}}}, {"scope": "Model"}, "`overrides` never has `rpn`", "Did you mean rpm?"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "more", "message", "hint"), IN_VAIN, ids=[case[2][:40] for case in IN_VAIN])
def test_what_a_schema_says_in_vain_is_a_warning(
    schema: dict[str, Any], more: dict[str, Any], message: str, hint: str
) -> None:
    found = effects(schema, **more)
    assert message in "\n".join(one.message for one in found)
    told = next(one for one in found if message in one.message)
    assert (told.severity, told.resource) == (Severity.WARNING, "PolicyConstraint/r")
    assert hint in told.hint


BITING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (spec(tokens={"maximum": 5}), {}),
    (spec(tokens={"maximum": 5}, rpm={"maximum": 5}), {}),  # of some kind each
    ({"if": {"properties": {"kind": {"const": "InferenceLimit"}}}, "then": spec(tokens={"maximum": 5})}, {}),
    ({"properties": {"metadata": {"properties": {"labels": {"required": ["team"], "properties": {"team": {"pattern": "^[a-z]+$"}}}}, "required": ["labels"]}}}, {}),
    ({"properties": {"metadata": {"properties": {"annotations": {"propertyNames": {"maxLength": 5}}}}}}, {}),
    ({"properties": {"spec": {"required": ["expiresAt"], "properties": {"expiresAt": {"type": "string"}}}}}, OVERRIDES),
    ({"properties": {"spec": {"required": ["model"]}}}, LIMITS),  # says no more than the kind does, and no less
    (spec(management={"enum": ["Observe", None]}), {}),
    (spec(requires={"properties": {"rpm": {"maximum": 5}}}), {"match": {"kinds": ["ModelActivation"]}}),
    (spec(subServices={"items": {"const": "context-cache"}, "maxItems": 1}), {"match": {"kinds": ["ModelActivation"]}}),
    (spec(ark={"properties": {"actions": {"properties": {"activate": {"properties": {"request": {"properties": {"Any": {"properties": {"thing": {"maximum": 3}}}}}}}}}}}), {"match": {"kinds": ["PlatformAccount"]}}),
    ({"properties": {"spec": {"patternProperties": {"^tok": {"maximum": 5}}}}}, LIMITS),
    ({"$ref": "#/$defs/a", "maxProperties": 9, "$defs": {"a": spec(tokens={"maximum": 5})}}, LIMITS),
    ({"definitions": {"a": {"maximum": 1}}, **spec(tokens={"$ref": "#/definitions/a"})}, LIMITS),
    ({"not": {"required": ["status"]}, "title": "x"}, {"match": {"kinds": []}}),
    ({"properties": {"spec": False}}, {}),
    ({"properties": {"observed": {"properties": {"freeTokens": {"properties": {"remaining": {"minimum": 5}}}}}}}, {"scope": "Model"}),
    ({"if": {"properties": {"activation": {"properties": {"state": {"const": "Activated"}}, "type": "object"}}},
      "then": {"required": ["limit"], "properties": {"limit": {"type": "object"}}}}, {"scope": "Model"}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "more"), BITING, ids=[str(number) for number, _ in enumerate(BITING)])
def test_what_a_schema_says_to_some_effect_is_not_remarked(schema: dict[str, Any], more: dict[str, Any]) -> None:
    assert [found.message for found in effects(schema, **more)] == []


def test_a_schema_with_much_in_vain_does_not_fill_the_page() -> None:
    assert len(effects(spec(**{f"a{number}": {} for number in range(50)}))) == 10


@pytest.mark.parametrize(
    "schema", [{"allOf": [{f"kw{n}": 1 for n in range(9_900)}]}, spec(**{f"tokn{n}": {} for n in range(9_900)})]
)
def test_a_schema_that_is_all_in_vain_is_remarked_soon(schema: dict[str, Any]) -> None:
    everything = declared(constraint("r", schema))
    began = time.process_time()
    found = (*says("constraint", everything), *says("constraint-no-effect", everything))
    assert time.process_time() - began < 5
    assert 10 <= len(found) <= 20


def test_kinds_in_scope_model_say_nothing() -> None:
    (found,) = effects({"required": ["model"]}, scope="Model", match={"kinds": ["InferenceLimit"]})
    assert "match.kinds says nothing in scope Model" in found.message


@given(CONSTRAINTS)
def test_no_schema_upsets_what_is_remarked_of_it(rule: Resource[Any]) -> None:
    for id_ in ("constraint", "constraint-no-effect", "constraint-no-match"):
        says(id_, declared(limit("m-1"), rule), snapshot(model("m-1")))


# --- matches of nothing ---

SMALL = spec(tokens={"maximum": 5})


def unmatched(
    match: dict[str, Any], *others: Resource[Any], seen: Snapshot | None = None, **more: Any
) -> list[tuple[str, str]]:
    """What is said, in short, of a constraint with that match beside the others."""
    found = says("constraint-no-match", declared(*others, constraint("r", SMALL, match=match, **more)), seen)
    assert all(one.severity is Severity.INFO and one.resource == "PolicyConstraint/r" for one in found)
    return [(one.message.removeprefix("PolicyConstraint/r matches nothing: "), one.hint) for one in found]


@pytest.mark.parametrize(
    ("match", "said", "hint"),
    [
        ({"labels": {"evn": "dev"}}, "nothing has a label 'evn' (match.labels.evn)", "Did you mean env?"),
        ({"labels": {"env": "devv"}}, "nothing has the label env: 'devv' (match.labels.env)", "Did you mean dev?"),
        ({"labels": {"env": "dev", "team": "chat"}}, "nothing has all of these labels (match.labels)", ""),
        ({"kinds": ["ModelActivation"]}, "no ModelActivation is declared (match.kinds)", ""),
        ({"kinds": []}, "no kind, for the list is empty, is declared (match.kinds)", ""),
        ({"models": ["doubao-sed-*"]}, "no model is called doubao-sed-* (match.models)", f"Did you mean {M}?"),
        ({"models": ["doubao-sed-1-6"]}, "no model is called doubao-sed-1-6 (match.models)", f"Did you mean {M}?"),
        ({"models": []}, "the list is empty (match.models)", ""),
        ({"kinds": ["PlatformAccount"], "models": ["*"]}, "what the other parts match has no model (match.models)", ""),
    ],
)  # fmt: skip
def test_a_constraint_that_matches_nothing_says_which_part_of_its_match(
    match: dict[str, Any], said: str, hint: str
) -> None:
    others = (account(), limit(labels={"env": "dev"}), limit("glm", labels={"team": "chat"}))
    assert unmatched(match, *others) == [(said, hint)]


def test_parts_that_each_match_something_and_together_nothing_are_told_as_one() -> None:
    others = (limit(labels={"env": "dev"}), activation("glm", labels={"env": "prod"}))
    assert unmatched({"kinds": ["InferenceLimit"], "labels": {"env": "prod"}}, *others) == [
        ("nothing meets all parts of match at once", "")
    ]


@pytest.mark.parametrize(
    "match", [{}, {"kinds": ["InferenceLimit"]}, {"labels": {"env": "dev"}}, {"models": ["doubao-*"]}]
)
def test_a_constraint_that_matches_something_says_nothing(match: dict[str, Any]) -> None:
    assert unmatched(match, limit(labels={"env": "dev"})) == []


def test_an_override_may_be_of_the_model_that_is_meant_until_the_platform_was_seen() -> None:
    match = {"kinds": ["EndpointRateOverride"], "models": ["glm-*"]}
    assert unmatched(match, override()) == []
    assert unmatched(match, override(), seen=snapshot(endpoint())) == [("no model is called glm-* (match.models)", "")]


def test_what_could_not_be_read_may_be_what_is_meant() -> None:
    rule = constraint("r", SMALL, match={"labels": {"evn": "dev"}})
    held = Held(limit().origin, "InferenceLimit", "broken")
    assert not says("constraint-no-match", declared(limit(), rule, held=(held,)))
    assert not says("constraint-no-match", declared(limit(), rule, complete=False))


def test_a_constraint_may_be_meant_for_another_account() -> None:
    others = (account(), account("other"), limit(account="other"))
    assert unmatched({"kinds": ["InferenceLimit"]}, *others) == []


def test_in_a_cluster_a_constraint_reaches_its_own_namespace_only() -> None:
    others = (account(namespace="a"), limit(namespace="a"))
    rule = constraint("r", SMALL, namespace="b")
    (found,) = says("constraint-no-match", declared(*others, rule))
    assert "matches nothing: nothing is declared" in found.message


def test_over_models_labels_are_those_of_what_is_declared_and_live_models_count() -> None:
    assert unmatched({"labels": {"evn": "dev"}}, limit(labels={"env": "dev"}), scope="Model") == [
        ("nothing has a label 'evn' (match.labels.evn)", "Did you mean env?")
    ]
    match = {"models": ["doubao-sed-1-6"]}
    assert unmatched(match, scope="Model") == []  # it may be live
    assert unmatched(match, seen=snapshot(model()), scope="Model") == [
        ("no model is called doubao-sed-1-6 (match.models)", f"Did you mean {M}?")
    ]
    assert unmatched({"models": ["doubao-*"]}, seen=snapshot(model()), scope="Model") == []
