"""PolicyConstraints: the organisation's own JSON Schemas over resources and over the joined view of a model."""

import time
from typing import Any

import pytest

from reconciler.finding import Severity
from reconciler.reasons import Reason
from reconciler.rules.json_schema.bounded import Unfit, compiled
from reconciler.rules.json_schema.evaluation import Budget
from reconciler.state import UNOBSERVABLE, ActivationState, FreeTokens
from tests.builders import M, account, activation, constraint, declared, endpoint, limit, model, override, snapshot
from tests.rules.helpers import at, placed, says

SMALL = {"properties": {"spec": {"properties": {"tokens": {"maximum": 5_000_000}}}}}
HAS_LIMIT = {
    "if": {"properties": {"activation": {"properties": {"state": {"const": "Activated"}}, "type": "object"}}},
    "then": {"required": ["limit"], "properties": {"limit": {"type": "object"}}},
}


def test_a_value_over_the_organisations_bound_is_an_error_at_the_value() -> None:
    big = placed(limit(tokens="9M"), "spec", "tokens")
    (found,) = says("constraint", declared(big, constraint("small", SMALL, message="at most 5M tokens")))
    assert found.message == f"at most 5M tokens ({big.address}: spec.tokens: 9000000 is more than 5000000)"
    assert (found.severity, found.reason, found.resource, at(found)) == (
        Severity.ERROR, Reason.RULE_VIOLATION, big.address, (7, 11),
    )  # fmt: skip
    assert "PolicyConstraint/small" in found.hint


def test_a_constraint_that_is_met_says_nothing() -> None:
    assert not says("constraint", declared(limit(tokens="5M"), constraint("small", SMALL)))


def test_a_finding_has_the_severity_that_the_constraint_declares() -> None:
    (found,) = says("constraint", declared(limit(tokens="9M"), constraint("small", SMALL, severity="warning")))
    assert (found.severity, found.reason) == (Severity.WARNING, None)


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ({}, 1),
        ({"kinds": ["InferenceLimit"]}, 1),
        ({"kinds": ["ModelActivation"]}, 0),
        ({"labels": {"env": "dev"}}, 1),
        ({"labels": {"env": "prod"}}, 0),
        ({"models": ["doubao-*"]}, 1),
        ({"models": ["glm-*"]}, 0),
        ({"kinds": ["InferenceLimit"], "labels": {"env": "dev"}, "models": ["glm-*"]}, 0),
    ],
)
def test_a_constraint_speaks_only_of_what_it_matches(match: dict[str, Any], count: int) -> None:
    big, rule = limit(tokens="9M", labels={"env": "dev"}), constraint("small", SMALL, match=match)
    assert len(says("constraint", declared(big, rule))) == count


def test_constraints_see_defaults_filled_in_and_integer_tokens() -> None:
    schema = {
        "properties": {"spec": {"properties": {"tokens": {"type": "integer"}, "deletionPolicy": {"const": "Retain"}},
                                "required": ["deletionPolicy"]}}
    }  # fmt: skip
    assert not says("constraint", declared(limit(tokens="9M"), constraint("r", schema)))


def test_an_override_matches_by_its_endpoints_model_once_the_platform_was_seen() -> None:
    slow = {"properties": {"spec": {"properties": {"rpm": {"maximum": 10}}}}}
    everything = declared(override(), constraint("slow", slow, match={"models": [M]}))
    assert not says("constraint", everything)
    assert len(says("constraint", everything, snapshot(endpoint()))) == 1


# --- scope Model ---


def has_limit(**spec: Any) -> Any:
    return constraint("fuse", HAS_LIMIT, scope="Model", message="every activated model has a limit", **spec)


def test_every_activated_model_has_a_limit_can_be_said() -> None:
    bare = placed(activation(), "spec", "model")
    (found,) = says("constraint", declared(bare, has_limit()), snapshot(model()))
    assert found.message.startswith(f"every activated model has a limit ({M}: limit: null is not a mapping)")
    assert (found.resource, found.severity, at(found)) == (bare.address, Severity.ERROR, (7, 11))
    assert not says("constraint", declared(activation(), limit(), has_limit()), snapshot(model()))


def test_a_live_limit_meets_what_a_declaration_does_not() -> None:
    assert not says("constraint", declared(activation(), has_limit()), snapshot(model(limit=5)))


def test_offline_a_broken_model_constraint_is_a_warning_because_live_state_may_meet_it() -> None:
    (found,) = says("constraint", declared(activation(), has_limit()))
    assert found.severity is Severity.WARNING
    assert found.message.endswith("; judged without the platform")


def test_a_limit_that_cannot_be_seen_breaks_no_constraint() -> None:
    assert not says("constraint", declared(activation(), has_limit()), snapshot(model(limit=UNOBSERVABLE)))


def test_an_activated_model_that_nobody_declares_is_told_at_the_constraint() -> None:
    rule = has_limit()
    (found,) = says("constraint", declared(rule), snapshot(model(), model("off", state=ActivationState.NOT_ACTIVATED)))
    assert (found.resource, found.location) == (None, rule.origin)
    assert M in found.message


def test_a_fault_within_the_joined_view_is_placed_at_the_declared_value() -> None:
    schema = {
        "properties": {
            "limit": {"properties": {"tokens": {"maximum": 1}}},
            "overrides": {"items": {"properties": {"rpm": {"maximum": 1}}}},
        }
    }
    everything = declared(
        placed(limit(), "spec", "tokens"),
        placed(override(rpm=9), "spec", "rpm", line=8),
        constraint("r", schema, scope="Model"),
    )
    found = says("constraint", everything, snapshot(model(), endpoint()))
    assert [(one.resource, at(one)) for one in found] == [
        (f"InferenceLimit/{M}", (7, 11)),
        ("EndpointRateOverride/ep-1", (8, 11)),
    ]


def test_what_was_observed_may_be_constrained_and_silence_offline_breaks_nothing() -> None:
    schema = {"properties": {"observed": {"required": ["freeTokens"], "properties": {
        "freeTokens": {"properties": {"remaining": {"minimum": 1000}}}}}}}  # fmt: skip
    everything = declared(activation(), constraint("free", schema, scope="Model"))
    assert not says("constraint", everything)
    assert says("constraint", everything, snapshot(model(free_tokens=FreeTokens(5000, 4900, 100))))
    assert not says("constraint", everything, snapshot(model(free_tokens=FreeTokens(5000, 0, 5000))))
    assert not says("constraint", everything, snapshot(model(free_tokens=UNOBSERVABLE)))


def test_labels_in_scope_model_are_those_of_any_resource_of_the_model() -> None:
    everything = declared(activation(labels={"env": "dev"}), has_limit(match={"labels": {"env": "dev"}}))
    assert says("constraint", everything, snapshot(model()))
    other = declared(activation(), has_limit(match={"labels": {"env": "dev"}}))
    assert not says("constraint", other, snapshot(model()))


# --- in a cluster ---


def test_a_namespaced_constraint_governs_its_namespace_only() -> None:
    big, shared = limit(tokens="9M", namespace="a"), account(namespace="a")
    assert not says("constraint", declared(shared, big, constraint("small", SMALL, namespace="b")))
    assert says("constraint", declared(shared, big, constraint("small", SMALL, namespace="a")))
    assert says("constraint", declared(shared, big, constraint("small", SMALL)))


# --- schemas that cannot be used ---

DEEP: dict[str, Any] = {}
for _ in range(200):
    DEEP = {"properties": {"a": DEEP}}
UNUSABLE: dict[str, dict[str, Any]] = {
    "wrong type": {"type": "strin"},
    "wrong keyword value": {"properties": {"spec": {"minimum": "1"}}},
    "remote reference": {"$ref": "https://example.com/schema.json"},
    "file reference": {"properties": {"spec": {"$ref": "file:///etc/passwd"}}},
    "dangling reference": {"$ref": "#/$defs/none"},
    "reference to no schema": {"$ref": "#/x", "x": {"type": {"a": 1}}},
    "dynamic reference": {"$dynamicRef": "#a"},
    "inner identity": {"$defs": {"a": {"$id": "https://example.com/a"}}},
    "other dialect": {"$schema": "http://json-schema.org/draft-07/schema#"},
    "broken pattern": {"properties": {"metadata": {"properties": {"name": {"pattern": "("}}}}},
    "look-ahead": {"patternProperties": {"(?=a)": {}}},
    "long pattern": {"pattern": "a" * 2000},
    "surrogate": {"pattern": "\ud800"},
    "depth": DEEP,
    "breadth": {"enum": list(range(20_000))},
    "huge integer": {"maximum": 10**5000},
}


@pytest.mark.parametrize("schema", UNUSABLE.values(), ids=UNUSABLE)
def test_a_schema_that_cannot_be_used_is_an_error_of_the_constraint_and_holds_what_it_matches(
    schema: dict[str, Any],
) -> None:
    rule = constraint("bad", schema)
    everything = declared(limit(), rule)
    (found,) = says("constraint", everything, snapshot(model()))
    assert (found.severity, found.resource) == (Severity.ERROR, rule.address)
    assert "what it matches is left as it is" in found.message
    assert len(found.message) < 500


def test_the_fault_in_a_schema_is_shown_where_it_is_written() -> None:
    rule = placed(
        constraint("bad", {"properties": {"spec": {"minimum": "1"}}}), "spec", "schema", "properties", "spec", "minimum"
    )
    (found,) = says("constraint", declared(rule))
    assert at(found) == (7, 11)


# --- schemas that would hang ---


def _doubling(levels: int) -> dict[str, Any]:
    parts = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**parts, f"d{levels}": {"type": "object"}}}


def _chained(levels: int, link: str) -> dict[str, Any]:
    """Each level asked for twice by what keeps no count of its own in the library."""
    keys = {"kind": "InferenceLimit"}
    parts = {
        f"d{n}": {
            "if": True,
            "then": {"$ref": f"#/$defs/d{n + 1}"},
            link: {key: {"$ref": f"#/$defs/d{n + 1}"} for key in keys},
        }
        for n in range(levels)
    }
    return {"unevaluatedProperties": False, "$ref": "#/$defs/d0", "$defs": {**parts, f"d{levels}": {}}}


NAMES = [f"a{n}" for n in range(8_000)]
HOSTILE = {
    "unevaluated before what doubles": _chained(30, "dependentSchemas"),
    "one long enum from many places": {
        "allOf": [{"properties": {"spec": {"properties": {"tokens": {"$ref": "#/$defs/e"}}}}}] * 200,
        "$defs": {"e": {"enum": NAMES}},
    },
    "many names from many places": {
        "allOf": [{"$ref": "#/$defs/e"}] * 600,
        "$defs": {"e": {"properties": dict.fromkeys(NAMES, True)}},
    },
    "many faults from many places": {"allOf": [{"$ref": "#/$defs/e"}] * 300, "$defs": {"e": {"required": NAMES}}},
    "endless reference": {"$ref": "#"},
    "mutual references": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "doubling": _doubling(40),
    "unevaluated doubling": {**_doubling(40), "unevaluatedProperties": False},
}


@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE)
def test_a_schema_that_would_never_end_counts_as_not_met_and_ends_soon(schema: dict[str, Any]) -> None:
    everything = declared(*(limit(f"m-{n}") for n in range(30)), constraint("bomb", schema))
    began = time.process_time()
    found = says("constraint", everything)
    assert time.process_time() - began < 10
    assert len(found) == 30
    assert all("takes too much work" in one.message and one.severity is Severity.ERROR for one in found)


def test_a_pattern_that_would_backtrack_for_ever_is_matched_in_linear_time() -> None:
    schema = {
        "properties": {"metadata": {"properties": {"annotations": {"additionalProperties": {"pattern": "^(a+)+$"}}}}}
    }
    spiteful = limit(annotations={"x": "a" * 5000 + "b"})
    began = time.process_time()
    assert len(says("constraint", declared(spiteful, constraint("r", schema)))) == 1
    assert time.process_time() - began < 5


def test_a_large_pattern_over_a_long_text_is_too_much_work() -> None:
    """RE2 is linear in the text, and in the size of the pattern too: seconds for one match of these."""
    schema = {
        "properties": {
            "metadata": {"properties": {"annotations": {"properties": {"x": {"pattern": "(a?){500}a{500}b"}}}}}
        }
    }
    began = time.process_time()
    (found,) = says("constraint", declared(limit(annotations={"x": "a" * 250_000}), constraint("r", schema)))
    assert time.process_time() - began < 2
    assert "takes too much work" in found.message


def test_own_keywords_mean_what_the_standard_says() -> None:
    schema = compiled(
        {
            "properties": {"a": {"uniqueItems": True}, "b": {"pattern": "^x"}},
            "patternProperties": {"^p-": {"type": "integer"}},
            "additionalProperties": False,
        }
    )
    assert not isinstance(schema, Unfit)

    def faults(value: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
        return [(fault.path, fault.message) for fault in schema.faults(value, Budget()) or ()]

    assert faults({"a": [1, 2], "b": "xy", "p-1": 3}) == []
    assert faults({"a": [{"k": 1}, {"k": 1}]}) == [(("a",), 'has an entry twice: {"k": 1}')]
    assert faults({"b": "yx"}) == [(("b",), '"yx" is not matched by the pattern "^x"')]
    assert faults({"p-1": "no"}) == [(("p-1",), '"no" is not a whole number')]
    assert faults({"c": 1, "z": 1}) == [((), "`c` and `z` must not be there")]


def test_a_schema_is_made_ready_once_however_many_resources_it_is_run_over() -> None:
    assert compiled(dict(SMALL)) is compiled(dict(SMALL))


def test_accounts_may_be_constrained_too() -> None:
    schema = {"properties": {"spec": {"properties": {"management": {"const": "Observe"}}}}}
    found = says(
        "constraint", declared(account(), constraint("watch-only", schema, match={"kinds": ["PlatformAccount"]}))
    )
    assert [one.resource for one in found] == ["PlatformAccount/default"]
