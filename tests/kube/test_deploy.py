"""What is shipped in deploy/kustomize: it builds, the rights are enough and no more, and the probes are where they are asked for."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.conftest import Cluster
from kube.real import NOBODY, OPERATOR, RealServer
from kube.running import Operator, Platform, expect_soon, manifest, ready

from reconciler.kinds import registry
from reconciler.sources.kube.client import KubeError, path, path_of
from reconciler.sources.kube.cluster import Scope

Start = Callable[..., Operator]
DEPLOY = Path(__file__).parents[2] / "deploy"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def built(folder: str) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    kubectl = str(Path(assets) / "kubectl") if assets else shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("there is no kubectl, on the PATH or in KUBEBUILDER_ASSETS, to build the kustomization with")
    said = subprocess.run([kubectl, "kustomize", str(DEPLOY / folder)], capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stderr
    return list(yaml.safe_load_all(said.stdout))


def of(things: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [thing for thing in things if thing["kind"] == kind]


def test_the_whole_operator_builds_with_its_definitions_and_least_rights() -> None:
    things = built("kustomize")
    assert len(of(things, "CustomResourceDefinition")) == len(registry())
    rules = [rule for role in of(things, "ClusterRole") + of(things, "Role") for rule in role["rules"]]
    assert all("*" not in rule[part] for rule in rules for part in ("apiGroups", "resources", "verbs"))
    assert all(rule.get("resourceNames") for rule in rules if "secrets" in rule["resources"])
    pod = of(things, "Deployment")[0]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert all(s["namespace"] == "modelpolicy-system" for b in of(things, "RoleBinding") + of(things, "ClusterRoleBinding") for s in b["subjects"])  # fmt: skip


def test_kubernetes_1_29_gets_the_same_without_what_it_does_not_know() -> None:
    whole, old = built("kustomize"), built("kustomize-1.29")
    assert not any("selectableFields" in each["spec"]["versions"][0] for each in of(old, "CustomResourceDefinition"))
    assert {each["kind"] for each in whole} - {each["kind"] for each in old} == {
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    }  # fmt: skip
    assert of(old, "Deployment") == of(whole, "Deployment")


def test_the_namespaced_operator_has_roles_only_and_looks_nowhere_else() -> None:
    things = built("kustomize/namespaced")
    assert {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"}.isdisjoint(
        thing["kind"] for thing in things
    )
    assert all(thing["metadata"]["namespace"] == "modelpolicy-system" for thing in things)
    args = of(things, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[-1] == "--namespace=modelpolicy-system"


@pytest.mark.parametrize("folder", ["kustomize", "kustomize/namespaced"])
def test_the_arguments_of_the_deployment_are_ones_that_the_command_takes(folder: str) -> None:
    from reconciler.cli.operator import command

    args = of(built(folder), "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args[0] == "operator"
    command.make_context("operator", list(args[1:]))


@pytest.mark.parametrize(
    ("file", "scope"),
    [("cluster-role.yaml", Scope()), ("namespaced/policies-role.yaml", Scope(("default",)))],
    ids=["cluster", "namespaced"],
)
def test_the_operator_works_with_exactly_the_rights_it_is_given(
    cluster: Cluster, granted: Callable[[str], None], platform: Platform, start: Start, file: str, scope: Scope
) -> None:
    granted(f"kustomize/{file}")
    granted("kustomize/base/role.yaml")
    platform.models("m")
    platform.endpoints("ep-1", of="m")
    operator = start(token=OPERATOR, scope=scope)
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("EndpointRateOverride", "o", endpoint={"id": "ep-1"}, rpm=5, tpm=50))
    expect_soon(lambda: ready(cluster.get("EndpointRateOverride", "o"))[0] == "True")
    expect_soon(lambda: cluster.admin.list(path("/api/v1", "events", "default"), {}).items)
    cluster.delete("EndpointRateOverride", "o")
    expect_soon(lambda: not cluster.admin.list(path_of(registry()["EndpointRateOverride"], "default"), {}).items)
    assert not operator.troubles


def test_an_operator_that_may_not_read_says_so(cluster: Cluster, start: Start) -> None:
    if not isinstance(cluster.server, RealServer):
        pytest.skip("the small server lets everybody do everything")
    operator = start(token=NOBODY)
    expect_soon(lambda: any("is forbidden" in trouble for trouble in operator.troubles))


def test_the_operators_rights_end_where_its_work_does(cluster: Cluster, granted: Callable[[str], None]) -> None:
    granted("kustomize/cluster-role.yaml")
    granted("kustomize/base/role.yaml")
    theirs = cluster.client(OPERATOR)
    kind = registry()["ModelActivation"]
    for method, place in (
        ("GET", path("/api/v1", "secrets", "default")),
        ("GET", path("/api/v1", "secrets", "default", "another")),
        ("DELETE", path_of(kind, "default", "a")),
        ("POST", path_of(kind, "default")),
        ("GET", path("/apis/coordination.k8s.io/v1", "leases", "kube-system")),
    ):
        with pytest.raises(KubeError) as refused:
            theirs.request(method, place, {} if method == "POST" else None)
        assert refused.value.code == 403
    with pytest.raises(KubeError, match="forbidden"):
        cluster.client(NOBODY).list(path_of(kind, "default"), {})
    theirs.close()
