"""JSON Schema, CRDs and field docs: from one origin, fresh, and true of what the loader takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from reconciler import schema
from reconciler.kinds import registry
from reconciler.load import load
from reconciler.schema.text import to_yaml
from reconciler.sources.files import gather

ROOT = Path(__file__).parents[2]
KINDS = list(registry())
HEAD = {"apiVersion": "modelpolicy.dev/v1alpha1", "metadata": {"name": "a"}}


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema node with its path."""
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], f"{path}.{key}")


def opened(kind: str) -> dict[str, Any]:
    found = schema.crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert isinstance(found, dict)
    return found


def refused(kind: str, spec: dict[str, Any]) -> bool:
    document = {**HEAD, "kind": kind, "spec": spec}
    by_kind = list(Draft202012Validator(schema.json_schema(kind)).iter_errors(document))
    by_bundle = list(Draft202012Validator(schema.bundle()).iter_errors(document))
    assert bool(by_kind) == bool(by_bundle)
    return bool(by_kind)


def test_the_crds_in_the_repository_are_what_the_models_say() -> None:
    written = {
        path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "crds").glob("modelpolicy.dev_*.yaml"))
    }
    assert written == dict(schema.crds())


def test_the_yaml_of_a_crd_reads_back_as_the_same_values() -> None:
    for kind, text in zip(KINDS, schema.crds().values(), strict=True):
        assert YAML(typ="safe", pure=True).load(text) == schema.crd(kind)


def test_yaml_text_reads_back_whatever_it_holds() -> None:
    value = {
        "a": ["no", "on", "1", "", "x: y", "# z", "null", "模型", {"b": [], "c": {}}, [1, [2]]],
        "1e3": None,
        "t": "2026-01-01",
    }
    assert YAML(typ="safe", pure=True).load(to_yaml(value)) == value


@pytest.mark.parametrize("kind", KINDS)
def test_a_json_schema_is_valid_closed_and_free_of_noise(kind: str) -> None:
    found = schema.json_schema(kind)
    Draft202012Validator.check_schema(found)
    for path, node in nodes(found):
        assert "title" not in node, path
        assert "$ref" not in node, path
        assert {"type": "null"} not in node.get("anyOf", []), path
        assert not any(key.startswith("x-kubernetes") for key in node), path
        assert node.get("description") or path.endswith(("items", "additionalProperties")), path
        if "properties" in node:
            assert node["additionalProperties"] is False, path


def test_the_bundle_is_valid_and_knows_every_kind() -> None:
    found = schema.bundle()
    Draft202012Validator.check_schema(found)
    assert found["properties"]["kind"]["enum"] == KINDS == list(found["$defs"])
    assert list(Draft202012Validator(found).iter_errors({**HEAD, "kind": "ModelActivations"}))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("InferenceLimit", {"model": "m", "tokens": "2M"}, {"model": "m", "tokens": "2000000"}),
        ("InferenceLimit", {"model": "m", "tokens": 1}, {"model": "m", "tokens": 0}),
        ("InferenceLimit", {"model": "m", "tokens": 1}, {"model": "m", "tokens": 1, "token": 1}),
        ("ModelActivation", {"model": "m", "subServices": ["fast-infer"]}, {"model": "m", "subServices": ["fast"]}),
        ("EndpointRateOverride", {"endpoint": {"id": "e"}, "rpm": 1}, {"endpoint": {"id": "e", "name": "n"}, "rpm": 1}),
        ("EndpointRateOverride", {"endpoint": {"name": "e"}, "tpm": 1}, {"endpoint": {"name": "e"}}),
        ("PlatformAccount", {"platform": "ark"}, {"platform": "aws"}),
        ("PolicyConstraint", {"message": "m", "schema": {}}, {"message": "m"}),
    ],
)
def test_a_json_schema_takes_and_refuses_what_the_loader_does(
    kind: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert not refused(kind, good)
    assert refused(kind, bad)
    model = registry()[kind].spec
    model.model_validate(good)
    with pytest.raises(ValueError, match="validation error"):
        model.model_validate(bad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_is_structural(kind: str) -> None:
    for path, node in nodes(opened(kind)):
        assert (
            not {"$ref", "oneOf", "anyOf", "allOf", "not", "const", "title", "patternProperties", "propertyNames"}
            & node.keys()
        ), path
        assert ("type" in node) != (node.get("x-kubernetes-int-or-string") is True), path
        assert node.get("additionalProperties") not in (True, False), path
        assert not ("properties" in node and "additionalProperties" in node), path
        assert node.get("nullable") is None, path


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_bounds_every_text_list_map_and_number(kind: str) -> None:
    for path, node in nodes(opened(kind)):
        match node.get("type"):
            case "string":
                assert "maxLength" in node or "enum" in node, path
            case "array":
                assert "maxItems" in node, path
            case "integer":
                assert {"minimum", "maximum"} <= node.keys(), path
            case "object" if "properties" not in node and path != ".metadata":
                assert "maxProperties" in node, path


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_explains_every_field_and_its_defaults_fit(kind: str) -> None:
    for path, node in nodes(opened(kind)):
        if "default" in node:
            Draft202012Validator(node).validate(node["default"])
        assert node.get("description") or path == ".metadata" or path.endswith(("items", "additionalProperties")), path


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_has_names_columns_a_status_and_messages_for_its_checks(kind: str) -> None:
    found = schema.crd(kind)
    names, version = found["spec"]["names"], found["spec"]["versions"][0]
    assert names["shortNames"]
    assert names["categories"] == ["modelpolicy"]
    titles = [column["name"] for column in version["additionalPrinterColumns"]]
    assert [title for title in titles if title in ("Ready", "Reason", "Target", "Desired", "Observed", "Age")] == [
        "Ready", "Reason", "Target", "Desired", "Observed", "Age",
    ]  # fmt: skip
    assert version["subresources"] == {"status": {}}
    conditions = opened(kind)["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    for path, node in nodes(opened(kind)):
        for check in node.get("x-kubernetes-validations", ()):
            assert len(check["message"]) > 10, path


def test_printer_columns_point_at_fields_that_exist() -> None:
    for kind in KINDS:
        known = {f".{field.path}" for field in schema.fields(kind)}
        for _, path in registry()[kind].columns:
            assert path.split("[")[0] in known, path


def test_short_names_and_plurals_are_each_used_once() -> None:
    names = [name for kind in registry().values() for name in (*kind.short_names, kind.plural)]
    assert len(names) == len(set(names))


def test_every_example_satisfies_the_json_schema_and_the_crd_of_its_kind() -> None:
    gathered = gather([str(ROOT / "examples")])
    loaded = load(gathered.texts)
    assert len(loaded.declared.resources) > 5
    bundle = Draft202012Validator(schema.bundle())
    seen = 0
    for text in gathered.texts:
        for document in YAML(typ="safe", pure=True).load_all(text.content):
            if not isinstance(document, dict) or document.get("kind") not in KINDS:
                continue
            bundle.validate(_json(document))
            Draft202012Validator(opened(document["kind"])).validate(_json(document))
            seen += 1
    assert seen >= len(loaded.declared.resources)


def _json(value: Any) -> Any:
    """Values as JSON has them: ruamel reads times as datetimes."""
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def test_field_docs_name_type_default_choices_and_need() -> None:
    docs = {doc.path: doc for doc in schema.fields("InferenceLimit")}
    tokens = docs["spec.tokens"]
    assert (tokens.type, tokens.required, tokens.default) == ("integer or quantity", True, None)
    assert "Total tokens" in tokens.description
    policy = docs["spec.deletionPolicy"]
    assert (policy.type, policy.enum, policy.default) == ("text", ("Revert", "Retain"), "Retain")
    assert docs["spec.accountRef.name"].default == "default"
    assert docs["status.used"].type == "integer"
    assert "metadata.uid" not in docs
    assert docs["spec"].required
    assert not {doc.path: doc for doc in schema.fields("PlatformAccount")}["spec"].required
