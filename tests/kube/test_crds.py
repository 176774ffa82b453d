"""The CRDs on an API server: accepted, and the same files valid there as here; what is wrong is refused in our words."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.conftest import Cluster, where

from reconciler.kinds import API_GROUP, API_VERSION, registry
from reconciler.sources.kube import client
from reconciler.sources.kube.client import KubeError

EXAMPLES = Path(__file__).parents[2] / "examples"


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a time is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def manifest(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_every_definition_is_accepted_and_established(cluster: Cluster) -> None:
    path = client.path("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", None)
    for kind in registry().values():
        found = cluster.admin.request("GET", f"{path}/{kind.plural}.{API_GROUP}")
        conditions = {each["type"]: each["status"] for each in found["status"]["conditions"]}
        assert conditions["Established"] == "True"
        assert "NonStructuralSchema" not in conditions


def test_every_example_is_taken_byte_for_byte(cluster: Cluster) -> None:
    taken = 0
    for file in sorted(
        [*EXAMPLES.glob("*/policies/**/*.yaml"), *EXAMPLES.glob("ark/*.yaml"), *EXAMPLES.glob("*/too-*.yaml")]
    ):
        for document in yaml.load_all(file.read_bytes(), _Loader):
            if document is None or document.get("apiVersion") != API_VERSION:
                continue
            cluster.admin.request(
                "PATCH", where(document), document, content="application/apply-patch+yaml",
                query={"fieldManager": "kubectl", "fieldValidation": "Strict", "dryRun": "All"},
            )  # fmt: skip
            taken += 1
    assert taken > 20


BAD = [
    (manifest("InferenceLimit", "a", model="m", tokens=0), "greater than or equal to 1"),
    (manifest("InferenceLimit", "a", model="m", tokens="many"), "should match"),
    (manifest("InferenceLimit", "a", model="m"), "Required value"),
    (manifest("ModelActivation", "a", model="m", state="Open"), "supported values"),
    (manifest("ModelActivation", "a", model="m", subServices=["fast"]), "supported values"),
    (manifest("EndpointRateOverride", "a", endpoint={"name": "e"}), "needs rpm, tpm or both"),
    (manifest("EndpointRateOverride", "a", endpoint={"id": "e", "name": "e"}, rpm=1), "exactly one of id and name"),
    (manifest("EndpointRateOverride", "a", endpoint={"id": "e"}, rpm=1, expiresAt="tomorrow"), "date-time"),
    (manifest("PlatformAccount", "a", platform="other"), "supported values"),
    (manifest("PlatformAccount", "a", ark={"endpoint": "ftp://x"}), "should match"),
    (manifest("PolicyConstraint", "a", schema={}, message=""), "at least 1 chars long"),
]


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_a_bad_manifest_is_refused_in_words_that_help(cluster: Cluster, bad: dict[str, Any], said: str) -> None:
    with pytest.raises(KubeError) as refused:
        cluster.apply(bad)
    assert refused.value.code == 422
    assert said in str(refused.value)


def test_what_a_resource_is_about_cannot_be_changed_but_all_else_can(cluster: Cluster) -> None:
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens="2M"))
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens=500, renewal="2026-12"))
    with pytest.raises(KubeError, match="the model cannot be changed; delete this resource and create another"):
        cluster.apply(manifest("InferenceLimit", "a", model="n", tokens=500))
    with pytest.raises(KubeError, match="the account cannot be changed"):
        cluster.apply(manifest("InferenceLimit", "a", model="m", tokens=500, accountRef={"name": "other"}))


def test_defaults_are_filled_in_and_unknown_fields_are_not_kept(cluster: Cluster) -> None:
    made = cluster.admin.request(
        "POST",
        where(manifest("InferenceLimit", "a"), name=""),
        manifest("InferenceLimit", "a", model="m", tokens=1, token=3),
    )
    assert made["spec"] == {
        "accountRef": {"name": "default"}, "model": "m", "tokens": 1, "freeQuotaOnly": False, "deletionPolicy": "Retain",
    }  # fmt: skip
    assert made["metadata"]["generation"] == 1


def test_a_status_is_written_apart_and_never_moves_the_generation(cluster: Cluster) -> None:
    wrote = manifest("InferenceLimit", "a", model="m", tokens=1)
    cluster.apply(wrote)
    path = where(wrote) + "/status"
    body = {**wrote, "spec": None, "status": {"tokens": 7, "used": 1}}
    del body["spec"]
    once = cluster.admin.apply(path, body)
    assert (once["status"], once["metadata"]["generation"], once["spec"]["tokens"]) == ({"tokens": 7, "used": 1}, 1, 1)
    again = cluster.admin.apply(path, body)
    assert again["metadata"]["resourceVersion"] == once["metadata"]["resourceVersion"]
    less = cluster.admin.apply(path, {**body, "status": {"tokens": 7}})
    assert less["status"] == {"tokens": 7}
    with pytest.raises(KubeError):
        cluster.admin.apply(path, {**body, "status": {"tokens": "seven"}})
