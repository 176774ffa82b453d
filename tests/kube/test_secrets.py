"""An operator and its account's key: nothing in the cluster but the Secret shows it, nor what the process says."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube.conftest import Cluster
from kube.running import expect_soon, manifest, ready
from served import Rig
from torture.canaries import ACCESS, SECRET, absent, account, gateway, scraped, served

from reconciler.kinds import registry
from reconciler.sources.kube.client import path, path_of

DATA = {
    name: base64.b64encode(value.encode()).decode() for name, value in (("accessKey", ACCESS), ("secretKey", SECRET))
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    yield from served(tmp_path)


def told(cluster: Cluster) -> str:
    """Everything in the cluster but the Secret."""
    places = [path_of(kind, "default") for kind in registry().values()]
    places += [path("/api/v1", "events", "default"), path("/apis/coordination.k8s.io/v1", "leases", "default")]
    return json.dumps([cluster.admin.list(place, {}).items for place in places])


def test_no_credential_is_in_a_status_an_event_a_lease_a_metric_a_page_or_the_log(
    tmp_path: Path, cluster: Cluster, kubeconfig: Path, rig: Rig
) -> None:
    keys = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "default"}, "data": DATA}
    cluster.admin.request("POST", path("/api/v1", "secrets", "default"), keys)
    words = ["operator", "--kubeconfig", str(kubeconfig), "--listen", "127.0.0.1:0", "--interval", "1s"]
    with gateway(rig) as way:
        cluster.apply(manifest("PlatformAccount", "default", **account(way, credentials={"secretName": "keys"})))
        cluster.apply(manifest("ModelActivation", "a", model="glm-4-7"))
        for state in ("False", "True"):
            log = tmp_path / state
            with log.open("w") as file:
                running = subprocess.Popen([sys.executable, "-m", "reconciler.cli", *words], stderr=file, stdout=file)
            try:
                expect_soon(lambda state=state: ready(cluster.get("ModelActivation", "a"))[0] == state)
                said = [told(cluster), scraped(log.read_text())]
            finally:
                running.terminate()
                running.wait(20)
            for text in (*said, log.read_text()):
                absent("an operator's", text, *DATA.values())
            way.order()
    cluster.admin.request("DELETE", path("/api/v1", "secrets", "default", "keys"))
