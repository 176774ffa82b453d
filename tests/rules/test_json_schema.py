"""Schemas judge as the standard says and speak the words of a policy file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY

from reconciler.rules.json_schema.bounded import Schema, Unfit, compiled
from reconciler.rules.json_schema.evaluation import Budget
from reconciler.rules.json_schema.keywords import KEYWORDS, schemas


def ready(schema: dict[str, Any]) -> Schema:
    made = compiled(schema)
    assert isinstance(made, Schema), made
    return made


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Each fault as "place: message"."""
    found = ready(schema).faults(value, Budget())
    assert found is not None
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in found]


VALUE = {"none": None, "list": [1, 1.0, True], "text": "xy", "number": 5, "mapping": {"k": 1}, "flag": True}


@pytest.mark.parametrize(
    ("of", "schema", "said"),
    [
        ("none", {"type": "object"}, "null is not a mapping"),
        ("none", {"type": ["string", "integer", "array"]}, "null is not text, a whole number or a list"),
        ("flag", {"type": "number"}, "true is not a number"),
        ("list", {"type": "boolean"}, "a list is not true or false"),
        ("mapping", {"type": "null"}, "a mapping is not null"),
        ("text", {"enum": ["a", None, True, {"k": [1]}]}, '"xy" is not "a", null, true or {"k": [1]}'),
        ("text", {"enum": []}, '"xy" is not allowed here'),
        ("flag", {"const": 1}, "true is not 1"),
        ("number", {"maximum": 3}, "5 is more than 3"),
        ("number", {"minimum": 6.5}, "5 is less than 6.5"),
        ("number", {"exclusiveMaximum": 5}, "5 is not less than 5"),
        ("number", {"exclusiveMinimum": 5}, "5 is not more than 5"),
        ("number", {"multipleOf": 2}, "5 is not a multiple of 2"),
        ("text", {"minLength": 3}, "has 2 characters; it must have at least 3"),
        ("text", {"maxLength": 1}, "has 2 characters; it must have at most 1"),
        ("text", {"pattern": "^z"}, '"xy" is not matched by the pattern "^z"'),
        ("list", {"maxItems": 1}, "has 3 entries; it must have at most 1"),
        ("list", {"minItems": 4}, "has 3 entries; it must have at least 4"),
        ("list", {"uniqueItems": True}, "has an entry twice: 1.0"),
        ("list", {"contains": {"const": 9}}, "has no entry, or too few, of those that `contains` describes"),
        ("list", {"contains": {"const": 1}, "maxContains": 1}, "has more entries than it may have of those that `contains` describes"),
        ("list", {"items": False}, "has more entries than are allowed"),
        ("mapping", {"required": ["k", "owner"]}, "`owner` is missing"),
        ("mapping", {"dependentRequired": {"k": ["owner"]}}, "`owner` is missing and `k` is there"),
        ("mapping", {"additionalProperties": False}, "`k` must not be there"),
        ("mapping", {"unevaluatedProperties": False}, "`k` must not be there"),
        ("mapping", {"minProperties": 2}, "has 1 key; it must have at least 2"),
        ("mapping", {"propertyNames": {"pattern": "^z"}}, 'the key "k" is not matched by the pattern "^z"'),
        ("mapping", {"properties": {"k": False}}, None),
        ("number", False, "5 is not allowed here"),
        ("number", {"not": {"type": "integer"}}, "5 is as it must not be"),
        ("number", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "is as none of the 2 alternatives asks (5 is not text)"),
        ("number", {"oneOf": [True, {"maximum": 9}]}, "is as more than one of the 2 alternatives asks, and must be so of one only"),
        ("number", {"if": True, "then": {"maximum": 1}}, "5 is more than 1"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_the_words_of_yaml(of: str, schema: Any, said: str | None) -> None:
    expected = f"{of}: {said}" if said else "mapping.k: 1 is not allowed here"
    assert faults({"properties": {of: schema}}, VALUE) == [expected]


def test_no_fault_speaks_python() -> None:
    """Of every keyword that can be broken by a value of each type."""
    values = [None, True, 0, 1.5, "", "x", [], [None, {"a": False}], {}, {"a": None, "b": [True]}]
    for name, given_ in {
        "type": "integer", "enum": [None, {"a": True}], "const": {"a": [None, False]}, "minimum": 9, "maximum": -9, "multipleOf": 7,
        "minLength": 5, "maxLength": 0, "pattern": "z", "minItems": 5, "maxItems": 0, "uniqueItems": True, "contains": {"const": 5},
        "required": ["z"], "minProperties": 5, "maxProperties": 0, "additionalProperties": False, "unevaluatedProperties": False,
        "unevaluatedItems": False, "items": False, "not": {}, "anyOf": [{"const": None}, {"type": "object", "required": ["z"]}],
        "oneOf": [{}, {}], "propertyNames": {"const": "z"}, "properties": {"a": False}, "dependentRequired": {"a": ["z"]},
        "prefixItems": [False],
    }.items():  # fmt: skip
        for value in values:
            for text in faults({name: given_}, value):
                assert not [word for word in ("None", "True", "False", "dict", "'", "is not of type") if word in text]


@pytest.mark.parametrize(
    ("schema", "message", "path", "hint"),
    [
        ({"type": "strin"}, '"strin" is no type; there are null, boolean, object, array, number, string, integer', ("type",), "Did you mean string?"),
        ({"properties": {"spec": {"minimum": "1"}}}, '`minimum` is "1", and must be a number', ("properties", "spec", "minimum"), ""),
        ({"properties": 5}, "`properties` is 5, and must be a mapping of schemas by name", ("properties",), ""),
        ({"properties": {"type": 5}}, "5 stands where a schema belongs: a mapping, true or false", ("properties", "type"), ""),
        ({"items": [{}]}, "a list stands where a schema belongs: a mapping, true or false", ("items",), "prefixItems"),
        ({"exclusiveMaximum": True}, "`exclusiveMaximum` is true, and must be a number", ("exclusiveMaximum",), "it is the bound itself"),
        ({"required": True}, "`required` is true, and must be a list of names, each once", ("required",), "stands beside properties"),
        ({"allOf": []}, "`allOf` is an empty list, and must be a list of at least one schema", ("allOf",), ""),
        ({"minLength": -1}, "`minLength` is -1, and must be a whole number from 0", ("minLength",), ""),
        ({"multipleOf": 0}, "`multipleOf` is 0, and must be a number above 0", ("multipleOf",), ""),
        ({"not": None}, "null stands where a schema belongs: a mapping, true or false", ("not",), ""),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_told_in_the_words_of_yaml(
    schema: dict[str, Any], message: str, path: tuple[str | int, ...], hint: str
) -> None:
    unfit = compiled(schema)
    assert isinstance(unfit, Unfit)
    assert (unfit.message, unfit.path) == (f"is no valid JSON Schema: {message}", path)
    assert hint in unfit.hint
    assert bool(hint) == bool(unfit.hint)


@pytest.mark.parametrize(
    "data",
    [
        {"const": {"$ref": "https://example.com/x"}},
        {"enum": [{"$ref": "x"}, {"$id": "x"}]},
        {"default": {"$dynamicRef": "#x", "pattern": "(?=a)"}},
        {"examples": [{"$id": "https://example.com/a", "$schema": "http://json-schema.org/draft-07/schema#"}]},
        {"description": "unevaluatedProperties is not used", "patternProperties": {"a": {}}},
        {"properties": {"unevaluatedProperties": {}, "patternProperties": {"type": "string"}, "$id": {}, "$ref": {}, "pattern": {}}},
        {"$id": "https://example.com/ours", "$ref": "#/$defs/a", "$defs": {"a": {}}},
    ],
)  # fmt: skip
def test_data_names_and_words_within_a_schema_keep_it_from_nothing(data: dict[str, Any]) -> None:
    assert isinstance(compiled(data), Schema)


def test_what_only_a_reference_reaches_is_a_schema_too() -> None:
    unfit = compiled({"$ref": "#/x-parts/0", "x-parts": [{"pattern": "(?=a)"}]})
    assert isinstance(unfit, Unfit)
    assert "cannot be used" in unfit.message


def test_a_walk_over_a_schema_that_refers_to_itself_ends() -> None:
    assert [*schemas({"properties": {"a": {"$ref": "#"}}})] == [(), ("properties", "a")]


NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([1.0, -0.0, 0.5, 1e300, 2.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(["", "a", "1", "true"]))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2), max_leaves=8
)  # fmt: skip


@given(st.lists(JSON, max_size=5))
def test_entries_are_unique_as_the_library_says(value: list[Any]) -> None:
    agrees = Draft202012Validator({"uniqueItems": True}).is_valid(value)
    assert (faults({"uniqueItems": True}, value) == []) is agrees


SIMPLE = st.one_of(
    st.sampled_from([{"type": "integer"}, {"type": "object"}, {"type": ["null", "string"]}, {"const": 1}, {"enum": [None, 0, "a"]},
                     {"minimum": 1}, {"maxLength": 0}, {"pattern": "^a"}, {"uniqueItems": True}, {"required": ["a"]}, {"$ref": "#/$defs/d"},
                     {"maxProperties": 1}, {"minItems": 2}, {"multipleOf": 0.5}, {"dependentRequired": {"a": ["b"]}}, True, False]),
)  # fmt: skip
COMBINED = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2), "additionalProperties": inner}),
        st.fixed_dictionaries({"items": inner, "prefixItems": st.lists(inner, min_size=1, max_size=2), "unevaluatedItems": inner}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2), "unevaluatedProperties": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2), "not": inner}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        st.fixed_dictionaries({"contains": inner, "minContains": st.integers(0, 2), "maxContains": st.integers(0, 2)}),
        st.fixed_dictionaries({"patternProperties": st.dictionaries(st.sampled_from(["^a", "b$", "."]), inner, max_size=2), "additionalProperties": inner}),
        st.fixed_dictionaries({"propertyNames": inner, "dependentSchemas": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=1)}),
    ),
    max_leaves=6,
)  # fmt: skip


@given(COMBINED, SIMPLE, JSON)
def test_a_schema_judges_as_the_library_does(schema: Any, definition: Any, value: Any) -> None:
    whole = {"allOf": [schema], "$defs": {"d": definition if definition != {"$ref": "#/$defs/d"} else True}}
    made = compiled(whole)
    assert isinstance(made, Schema)
    found = made.faults(value, Budget())
    assert found is not None
    assert ([*found] == []) is Draft202012Validator(whole).is_valid(value)


def test_every_keyword_of_the_standard_is_known() -> None:
    """And `definitions`, which is the old name of a place for references."""
    vocabularies = ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
    named = {
        keyword
        for name in vocabularies
        for keyword in REGISTRY[f"https://json-schema.org/draft/2020-12/meta/{name}"].contents["properties"]
    }
    assert {*KEYWORDS} == named | {"definitions"}
