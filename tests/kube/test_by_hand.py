"""What the platform has no action for: a person is told, opens a ticket, does it by hand, and says so by annotation."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kube.conftest import Cluster
from kube.running import Operator, condition, expect_soon, manifest, ready
from served import MODEL, Rig, serve

from reconciler.cli import kubectl
from reconciler.sources.kube.client import path

Start = Callable[..., Operator]
TICKET = {"modelpolicy.dev/ticket": "https://desk.example/T-12"}


@pytest.fixture
def rig(tmp_path: Path, cluster: Cluster) -> Iterator[Rig]:
    """Ark as it is, with its keys in a Secret: no published action sets a limit, and none reads it."""
    at = path("/api/v1", "secrets", "default")
    for served in serve(tmp_path / "served.db"):
        served.engine.activate(MODEL)
        keys = {"accessKey": served.keys.access_key, "secretKey": served.keys.secret_key}
        cluster.admin.request("POST", at, {"metadata": {"name": "ark"}, "data": encoded(keys)})
        yield served
        cluster.admin.request("DELETE", f"{at}/ark")


def encoded(values: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def account(rig: Rig) -> dict[str, Any]:
    ark = {"endpoint": rig.url, "credentials": {"secretName": "ark"}}
    return manifest("PlatformAccount", "default", platform="ark", ark=ark)


def limit(cluster: Cluster) -> tuple[str, str]:
    thing = cluster.get("InferenceLimit", "fuse")
    return (
        ready(thing)
        if thing.get("status", {}).get("observedGeneration") == thing["metadata"]["generation"]
        else ("", "")
    )


def test_a_manual_change_is_told_with_its_ticket_attested_and_asked_for_again_when_declared_otherwise(
    cluster: Cluster, rig: Rig, start: Start, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start()
    cluster.apply(account(rig))
    cluster.apply(manifest("InferenceLimit", "fuse", annotations=TICKET, model=MODEL, tokens=500))
    expect_soon(lambda: limit(cluster) == ("False", "ManualActionRequired"))
    said = condition(cluster.get("InferenceLimit", "fuse"), "Ready")["message"]
    assert "kubectl modelpolicy attest InferenceLimit/default/fuse" in said
    assert said.endswith("(ticket: https://desk.example/T-12)")
    with pytest.raises(SystemExit) as ended:
        kubectl.main(["attest", "InferenceLimit/fuse", "--by", "Li Lei", "--kubeconfig", str(kubeconfig)])
    assert (ended.value.code, capsys.readouterr().out) == (
        0, "InferenceLimit/default/fuse: attested by Li Lei, of generation 1\n",
    )  # fmt: skip
    expect_soon(lambda: limit(cluster) == ("True", "Attested"))
    thing = cluster.get("InferenceLimit", "fuse")
    assert "Li Lei attested it" in condition(thing, "Ready")["message"]
    record = json.loads(thing["status"]["managed"][0]["record"])
    assert (record["attestation"]["by"], record["attestation"]["fields"]) == ("Li Lei", {"tokens": 500})
    cluster.admin.merge(
        "/apis/modelpolicy.dev/v1alpha1/namespaces/default/inferencelimits/fuse", {"spec": {"tokens": 600}}
    )
    expect_soon(lambda: limit(cluster) == ("False", "ManualActionRequired"))


@pytest.mark.parametrize("address", ["InferenceLimit", "PlatformAccount/default", "Nothing/a", "InferenceLimit//a"])
def test_what_names_no_policy_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        kubectl.main(["attest", address])
    assert ended.value.code == 64
    assert "is no KIND/[NAMESPACE/]NAME of a policy" in capsys.readouterr().err
