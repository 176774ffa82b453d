"""`plan --from-cluster` and `kubectl modelpolicy plan`: what the operator would do, and what a file would, before it is applied."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.conftest import Cluster
from kube.real import OPERATOR
from kube.running import Operator, Platform, expect_soon, manifest, ready

from reconciler.cli import kubectl, root
from reconciler.kinds import registry
from reconciler.sources.kube.client import path_of

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a console script's main against the cluster; its exit code, stdout and stderr."""

    def run(main: Callable[[list[str]], Any], *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--kubeconfig", str(kubeconfig)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def changes(said: str) -> list[tuple[str, str]]:
    return [(each["address"], each["action"]) for each in json.loads(said)["changes"]]


def test_the_plan_of_a_cluster_is_what_the_operator_then_does(
    cluster: Cluster, platform: Platform, call: Call, start: Callable[..., Operator]
) -> None:
    platform.models("m")
    cluster.apply(platform.account())
    cluster.apply(manifest("InferenceLimit", "l", model="m", tokens="2M"))
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    code, out, _ = call(root.ROOT.main, "plan", "--from-cluster", "-o", "json", "--detailed-exitcode")
    assert (code, changes(out)) == (
        2, [("ModelActivation/default/a", "create"), ("InferenceLimit/default/l", "create")]
    )  # fmt: skip
    assert "status" not in cluster.get("InferenceLimit", "l")
    start()
    expect_soon(lambda: ready(cluster.get("InferenceLimit", "l"))[0] == "True")
    code, out, _ = call(root.ROOT.main, "plan", "--from-cluster", "-o", "json", "--detailed-exitcode")
    assert (code, changes(out)) == (0, [])


def test_the_plugin_shows_what_a_file_would_change_before_it_is_applied(
    cluster: Cluster, platform: Platform, call: Call, tmp_path: Path
) -> None:
    platform.models("m")
    cluster.apply(platform.account())
    file = tmp_path / "limit.yaml"
    file.write_text(yaml.safe_dump(manifest("ModelActivation", "a", model="m")))
    code, out, _ = call(kubectl.main, "plan", "-f", str(file), "-o", "json")
    assert (code, changes(out)) == (0, [("ModelActivation/default/a", "create")])
    assert not cluster.admin.list(path_of(registry()["ModelActivation"], "default"), {}).items
    code, out, _ = call(kubectl.main, "plan", "-o", "text", "--detailed-exitcode")
    assert code == 0


def test_the_plugin_means_the_namespace_that_kubectl_would(
    cluster: Cluster, platform: Platform, call: Call, kubeconfig: Path, tmp_path: Path
) -> None:
    cluster.space("team-a")
    platform.models("m")
    cluster.apply(platform.account(namespace="team-a"))
    config = yaml.safe_load(kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = "team-a"
    kubeconfig.write_text(yaml.safe_dump(config))
    file = tmp_path / "a.yaml"
    thing = manifest("ModelActivation", "a", model="m")
    del thing["metadata"]["namespace"]
    file.write_text(yaml.safe_dump(thing))
    code, out, err = call(kubectl.main, "plan", "-f", str(file), "-o", "json")
    assert (code, err) == (0, "")
    assert changes(out) == [("ModelActivation/team-a/a", "create")]


def test_a_resource_on_no_account_of_the_cluster_is_an_error_of_the_plan(
    cluster: Cluster, platform: Platform, call: Call, tmp_path: Path
) -> None:
    platform.models("m", "n")
    cluster.apply(platform.account())
    file = tmp_path / "two.yaml"
    lost = manifest("ModelActivation", "lost", model="n", accountRef={"name": "other"})
    file.write_text(yaml.safe_dump_all([manifest("ModelActivation", "a", model="m"), lost]))
    code, out, _ = call(kubectl.main, "plan", "-f", str(file))
    assert code == 3
    assert "there is no PlatformAccount 'default/other' in the cluster" in " ".join(out.split())
    assert out.count("ModelActivation/default/a") == 1


def test_who_may_read_one_namespace_only_plans_there(
    cluster: Cluster, platform: Platform, call: Call, kubeconfig: Path, granted: Callable[[str], None], tmp_path: Path
) -> None:
    granted("kustomize/namespaced/policies-role.yaml")
    platform.models("m")
    cluster.apply(platform.account())
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = OPERATOR
    kubeconfig.write_text(yaml.safe_dump(config))
    file = tmp_path / "a.yaml"
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    file.write_text(yaml.safe_dump(manifest("ModelActivation", "a", model="m")))
    code, _, err = call(kubectl.main, "plan")
    assert code == 1
    assert "name the namespaces that you may read with --namespace" in err
    code, out, _ = call(kubectl.main, "plan", "-f", str(file), "-n", "default", "-o", "json")
    assert (code, changes(out)) == (0, [("ModelActivation/default/a", "create")])


def test_what_the_api_server_would_refuse_is_an_error_of_the_plan(
    cluster: Cluster, platform: Platform, call: Call, tmp_path: Path
) -> None:
    cluster.apply(platform.account())
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens=5))
    file = tmp_path / "limit.yaml"
    file.write_text(yaml.safe_dump(manifest("InferenceLimit", "a", model="n", tokens=5)))
    code, out, _ = call(kubectl.main, "plan", "-f", str(file))
    assert code == 3
    assert "the model cannot be changed" in " ".join(out.split())


def test_a_cluster_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty"
    file.write_text("{}")
    with pytest.raises(SystemExit) as ended:
        kubectl.main(["plan", "--kubeconfig", str(file)])
    assert ended.value.code == 1
    assert "there is no cluster to talk to" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("policies/",), ("--prune",), ("--out", "x.plan")])
def test_what_only_files_have_is_refused_with_from_cluster(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        root.ROOT.main(["plan", "--from-cluster", *words])
    assert ended.value.code == 64
