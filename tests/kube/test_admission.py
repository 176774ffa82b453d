"""The admission policies on a real API server: they refuse what they say, and never a deletion or another edit of an older object."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.conftest import Cluster, where
from kube.real import RealServer
from kube.running import expect_soon, manifest

from reconciler.schema import admission
from reconciler.sources.kube.client import KubeError, path

API = "/apis/admissionregistration.k8s.io/v1"
PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
ALLOW, ATTESTED = "modelpolicy.dev/allow", "modelpolicy.dev/attested"
# One for each policy: all are refused once all are in force.
PROBES = (
    manifest("InferenceLimit", "probe", model="m", tokens="0k"),
    manifest("ModelActivation", "probe", annotations={ALLOW: "consent: please"}, model="m"),
    manifest("PlatformAccount", "probe", annotations={ALLOW: "consent"}),
    manifest("ModelActivation", "probe", annotations={"modelpolicy.dev/protect": "maybe"}, model="m"),
    manifest("ModelActivation", "probe", annotations={ATTESTED: "me"}, model="m"),
)
GOOD = manifest("InferenceLimit", "good", model="m", tokens="1.5k")


@pytest.fixture
def old(cluster: Cluster) -> dict[str, Any]:
    """Objects from before the policies were there, each in breach of one."""
    if not isinstance(cluster.server, RealServer):
        pytest.skip("the small server has no admission policies")
    found = {
        "tokens": manifest("InferenceLimit", "old-tokens", model="m", tokens="0k"),
        "allow": manifest("ModelActivation", "old-allow", annotations={ALLOW: "consent: yes"}, model="m"),
    }
    for thing in found.values():
        cluster.apply(thing)
    return found


@pytest.fixture
def admitting(cluster: Cluster, old: dict[str, Any]) -> Iterator[Cluster]:
    """The cluster with our policies in force."""
    places = []
    try:
        for thing in yaml.safe_load_all(admission.policies()):
            places.append(path(API, PLURALS[thing["kind"]], None, thing["metadata"]["name"]))
            cluster.admin.apply(places[-1], thing)
        expect_soon(lambda: not any(would_take(cluster, probe) for probe in PROBES))
        yield cluster
    finally:
        for place in places:
            cluster.admin.request("DELETE", place)
        expect_soon(lambda: all(would_take(cluster, probe) for probe in PROBES))


def would_take(cluster: Cluster, thing: dict[str, Any]) -> bool:
    """By a dry run, so that what is not yet refused leaves no trace."""
    query = {"dryRun": "All", "fieldManager": "kubectl", "force": "true"}
    try:
        cluster.admin.request("PATCH", where(thing), thing, query=query, content="application/apply-patch+yaml")
    except KubeError:
        return False
    return True


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (manifest("InferenceLimit", "a", model="m", tokens="1.0005k"), "a whole number of tokens"),
        (manifest("InferenceLimit", "a", model="m", tokens="0.0M"), "a whole number of tokens"),
        (manifest("ModelActivation", "a", annotations={ALLOW: "consent: please"}, model="m"), "a PlatformAccount only"),
        (manifest("PlatformAccount", "a", annotations={ALLOW: "consent"}), "REASON"),
        (manifest("PlatformAccount", "a", annotations={"modelpolicy.dev/paused": "yes"}), "silently do nothing"),
        (manifest("ModelActivation", "a", annotations={ATTESTED: "Li Lei"}, model="m"), "GENERATION: WHO"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_at_the_door(admitting: Cluster, bad: dict[str, Any], said: str) -> None:
    with pytest.raises(KubeError) as refused:
        admitting.apply(bad)
    assert refused.value.code == 422
    assert said in str(refused.value)


def test_what_is_right_is_taken(admitting: Cluster) -> None:
    admitting.apply(GOOD)
    admitting.apply(manifest("InferenceLimit", "number", model="m", tokens=7))
    admitting.apply(manifest("InferenceLimit", "long", model="m", tokens="1.2500000M"))
    admitting.apply(
        manifest("PlatformAccount", "a", annotations={ALLOW: "mass-revert, consent=ModelActivation/x/y: agreed"})
    )
    said = {"modelpolicy.dev/protect": "true", ATTESTED: "1: Li Lei"}
    admitting.apply(manifest("ModelActivation", "a", model="m", annotations=said))
    assert admitting.get("ModelActivation", "a")["metadata"]["annotations"] == said
    assert admitting.get("InferenceLimit", "long")["spec"]["tokens"] == "1.2500000M"


def test_the_policies_may_be_applied_in_one_way_and_then_in_another(admitting: Cluster) -> None:
    """`kubectl apply -k` and `kubectl apply --server-side -k`: what the server filled in is no conflict."""
    for thing in yaml.safe_load_all(admission.policies()):
        place = path(API, PLURALS[thing["kind"]], None, thing["metadata"]["name"])
        query = {"fieldManager": "another"}
        taken = admitting.admin.request("PATCH", place, thing, query=query, content="application/apply-patch+yaml")
        assert query["fieldManager"] in {each["manager"] for each in taken["metadata"]["managedFields"]}


def test_an_older_object_can_be_edited_elsewhere_and_deleted(admitting: Cluster, old: dict[str, Any]) -> None:
    for thing in old.values():
        place = where(thing)
        admitting.admin.merge(place, {"metadata": {"labels": {"edited": "yes"}}})
        admitting.admin.merge(place, {"metadata": {"finalizers": ["example.com/held"]}})
        admitting.admin.request("DELETE", place)
        admitting.admin.merge(place, {"metadata": {"finalizers": None}})
        with pytest.raises(KubeError) as gone:
            admitting.admin.request("GET", place)
        assert gone.value.missing


def test_the_shipped_policies_are_what_the_code_says() -> None:
    file = Path(__file__).parents[2] / "deploy" / "kustomize" / "admission" / "policies.yaml"
    assert file.read_text(encoding="utf-8") == admission.policies()
    assert len({check.name for check in admission.checks()}) == len(PROBES)
