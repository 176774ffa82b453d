"""The Helm chart, rendered by Helm itself: the same operator, rights and policies as deploy/kustomize, by its values."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import __version__
from reconciler.cli.operator import command
from reconciler.kinds import registry

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "modelpolicy"
helm = pytest.importorskip("helm_python.chart", reason="helm-python-sdk has no wheel here")


def rendered(**values: Any) -> list[dict[str, Any]]:
    with helm.Chart.load(CHART) as chart:
        files = chart.render(values=values, name="mp", namespace="policies")
    texts = (text for name, text in sorted(files.items()) if not name.endswith("NOTES.txt"))
    return [thing for text in texts for thing in yaml.safe_load_all(text) if thing]


def of(things: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [thing for thing in things if thing["kind"] in kinds]


def pod(things: list[dict[str, Any]]) -> dict[str, Any]:
    (deployment,) = of(things, "Deployment")
    return dict(deployment["spec"]["template"]["spec"])


def arguments(things: list[dict[str, Any]]) -> dict[str, Any]:
    """What the command makes of the container's arguments."""
    verb, *words = pod(things)["containers"][0]["args"]
    assert verb == "operator"
    return dict(command.make_context("operator", words).params)


def test_the_definitions_are_ours_and_stay_when_the_release_goes() -> None:
    found = of(rendered(), "CustomResourceDefinition")
    assert sorted(each["spec"]["names"]["kind"] for each in found) == sorted(registry())
    for each in found:
        assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        shipped = yaml.safe_load(
            (DEPLOY.parent / "crds" / f"modelpolicy.dev_{each['spec']['names']['plural']}.yaml").read_text()
        )
        assert each["spec"] == shipped["spec"]
    assert not of(rendered(crds={"install": False}), "CustomResourceDefinition")


def test_the_chart_is_of_our_version() -> None:
    with helm.Chart.load(CHART) as chart:
        assert chart.version == chart.metadata["appVersion"] == __version__


def test_kubernetes_1_29_gets_what_it_knows() -> None:
    things = rendered(kubeVersion="v1.29.4")
    versions = [version for each in of(things, "CustomResourceDefinition") for version in each["spec"]["versions"]]
    assert versions
    assert not any("selectableFields" in version for version in versions)
    assert not of(things, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def test_the_pod_and_the_rights_are_those_of_the_kustomization() -> None:
    things = rendered()
    (base,) = yaml.safe_load_all((DEPLOY / "kustomize" / "base" / "deployment.yaml").read_text())
    theirs, mine = base["spec"]["template"]["spec"], pod(things)
    for key in ("securityContext", "terminationGracePeriodSeconds", "volumes"):
        assert mine[key] == theirs[key]
    for key in ("securityContext", "livenessProbe", "readinessProbe", "ports", "resources", "volumeMounts"):
        assert mine["containers"][0][key] == theirs["containers"][0][key]
    (role,) = of(things, "ClusterRole")
    shipped = next(yaml.safe_load_all((DEPLOY / "kustomize" / "cluster-role.yaml").read_text()))
    assert role["rules"] == shipped["rules"]
    policies = of(things, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    assert policies == list(yaml.safe_load_all((DEPLOY / "kustomize" / "admission" / "policies.yaml").read_text()))


def test_in_some_namespaces_it_has_roles_only() -> None:
    things = rendered(
        namespaces=["team-a", "team-b"], crds={"install": False}, admission={"install": False},
        secrets=[{"name": "ark", "namespace": "team-a"}],
    )  # fmt: skip
    assert {"ClusterRole", "ClusterRoleBinding"}.isdisjoint(thing["kind"] for thing in things)
    assert arguments(things)["namespaces"] == ("team-a", "team-b")
    spaces = {thing["metadata"]["name"]: thing["metadata"]["namespace"] for thing in of(things, "Role")}
    assert spaces["mp-modelpolicy-secret-ark"] == "team-a"
    assert {each["metadata"]["namespace"] for each in of(things, "Role") if each["metadata"]["name"].endswith("-policies")} == {"team-a", "team-b"}  # fmt: skip
    assert all(each["subjects"][0]["namespace"] == "policies" for each in of(things, "RoleBinding"))


def test_a_shard_has_its_own_lease_which_it_alone_may_write() -> None:
    things = rendered(selector="shard=1,!old", leaseName="shard-1", leaseDuration="30s", interval="10m")
    said = arguments(things)
    assert (said["selector"], said["lease_name"], said["lease_duration"]) == ("shard=1,!old", "shard-1", 30.0)
    rules = [rule for role in of(things, "Role") for rule in role["rules"] if rule["resources"] == ["leases"]]
    assert {"update"} == {
        verb for rule in rules for verb in rule["verbs"] if rule.get("resourceNames") == ["shard-1"]
    } - {"get"}


def test_the_console_and_the_webhooks_come_from_secrets() -> None:
    things = rendered(console={"secretName": "look"}, notify={"secretName": "hooks"})
    assert arguments(things)["token_file"] == "/etc/modelpolicy/console/token"
    (env,) = pod(things)["containers"][0]["env"]
    assert env["name"] == "MODELPOLICY_OPERATOR_NOTIFY"
    assert env["valueFrom"] == {"secretKeyRef": {"name": "hooks", "key": "urls"}}
    mounts = {each["name"]: each["mountPath"] for each in pod(things)["containers"][0]["volumeMounts"]}
    assert mounts["console"] == "/etc/modelpolicy/console"


def test_the_port_answers_to_the_names_that_are_given() -> None:
    things = rendered(listenNames=["console.example.com", "*.apps.example.com"])
    assert arguments(things)["listen_names"] == ("console.example.com", "*.apps.example.com")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 3}, "replica"),
        ({"persistence": {"enabled": True}}, "set replicas to 1"),
        ({"leaseDuration": "soon"}, "leaseDuration"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        rendered(**values)
