"""The loop against the served platform, over the vendor's own SDK: edits, changes by hand, and two hours that pass."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from served import MODEL, PRIVATE, Rig, serve
from watching import Watch

HOURS_2 = 7200

POLICIES = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {{name: main}}
spec: {{model: {model}}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {{name: main}}
spec: {{model: {model}, tokens: {tokens}}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {{name: prod}}
spec: {{endpoint: {{name: prod}}, rpm: 60, tpm: 6000}}
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    yield from serve(tmp_path / "served.db")


@pytest.fixture
def watch(tmp_path: Path, rig: Rig) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []
    (tmp_path / "policies").mkdir()
    account = {
        "apiVersion": "modelpolicy.dev/v1alpha1",
        "kind": "PlatformAccount",
        "metadata": {"name": "default"},
        "spec": {"platform": "ark", "allowActivation": True, "ark": {"endpoint": rig.url, "actions": PRIVATE}},
    }
    (tmp_path / "policies" / "account.json").write_text(json.dumps(account))

    def start(**environment: str) -> Watch:
        keys = {"VOLCENGINE_ACCESS_KEY": rig.keys.access_key, "VOLCENGINE_SECRET_KEY": rig.keys.secret_key}
        started.append(Watch(tmp_path, "--interval", "2s", **keys, **environment))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def test_it_converges_mends_drift_and_waits_two_hours_between_limits(
    watch: Callable[..., Watch], rig: Rig, tmp_path: Path
) -> None:
    endpoint = rig.endpoint("prod")
    policy = tmp_path / "policies" / "main.yaml"
    policy.write_text(POLICIES.format(model=MODEL, tokens="2M"))
    it = watch()
    assert it.says(r"EndpointRateOverride/prod applied rpm inherited -> 60"), it.log.read_text()
    assert it.says(r"InferenceLimit/main applied tokens no limit -> 2,000,000"), it.log.read_text()

    rig.engine.set_override(endpoint, 9, 9)  # by hand, behind our back
    assert it.says(r"EndpointRateOverride/prod applied rpm 9 -> 60, tpm 9 -> 6,000 \(drift\)"), it.log.read_text()

    policy.write_text(POLICIES.format(model=MODEL, tokens="3M"))
    assert it.says(r"InferenceLimit/main Ready False, CoolingDown"), it.log.read_text()
    live = rig.engine.snapshot().models[MODEL].limit
    assert live
    assert live.tokens == 2_000_000
    assert it.end() == 143

    rig.clock.offset = timedelta(seconds=HOURS_2)
    later = watch(MODELPOLICY_CLOCK_OFFSET=str(HOURS_2))
    assert later.says(r"InferenceLimit/main applied tokens 2,000,000 -> 3,000,000"), later.log.read_text()
    assert later.end() == 143
    text = it.log.read_text() + later.log.read_text() + (tmp_path / ".modelpolicy" / "status.json").read_text()
    assert rig.keys.secret_key not in text
