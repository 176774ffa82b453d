"""`modelpolicy operator` as a process: it works, answers its probes, and ends well when it is told to."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube.conftest import Cluster
from kube.running import Platform, expect_soon, manifest, ready
from webhooks import Webhook, serving

from reconciler.sources.kube.client import path


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with serving() as server:
        yield server


@pytest.fixture
def process(kubeconfig: Path, tmp_path: Path, cluster: Cluster, webhook: Webhook) -> Iterator[subprocess.Popen[str]]:
    log = (tmp_path / "log").open("w")
    words = [
        "operator",
        "--kubeconfig",
        str(kubeconfig),
        "--listen",
        ":0",
        "--lease-duration",
        "10s",
        "--selector",
        "!skip",
        "--interval",
        "1s",
    ]
    env = {**os.environ, "MODELPOLICY_OPERATOR_NOTIFY": webhook.url}
    command = [sys.executable, "-m", "reconciler.cli", *words]
    with log, subprocess.Popen(command, stderr=log, text=True, env=env) as running:
        yield running
        if running.poll() is None:
            running.kill()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def test_the_command_works_is_seen_and_heard_and_frees_its_lease(
    cluster: Cluster, platform: Platform, process: subprocess.Popen[str], webhook: Webhook, tmp_path: Path
) -> None:
    platform.models("m")
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    expect_soon(lambda: ready(cluster.get("ModelActivation", "a"))[0] == "True")
    said = (tmp_path / "log").read_text()
    found = re.search(r"http://\S+?(?=:? )", said)
    assert found, said
    url = found.group().rstrip(":")
    assert read(url + "/livez") == "ok\n"
    expect_soon(lambda: read(url + "/readyz") == "ok\n", despite=urllib.error.HTTPError)
    assert "modelpolicy_passes_total" in read(url + "/metrics")
    expect_soon(lambda: "Activated" in read(url + "/models/default/default"), despite=urllib.error.URLError)
    platform.engine.deactivate("m")  # by hand
    webhook.wait_for(1)
    assert webhook.posts[0][1]["notices"][0]["event"] == "drift"
    lease = path("/apis/coordination.k8s.io/v1", "leases", "default", "modelpolicy-operator")
    assert cluster.admin.request("GET", lease)["spec"]["holderIdentity"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert cluster.admin.request("GET", lease)["spec"].get("holderIdentity", "") == ""
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_selector_that_makes_no_sense_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "reconciler.cli", "operator", "--selector", "team in (a)"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 64
    assert "no term of a label selector" in ended.stderr
