"""`modelpolicy watch` as a person runs it: a real process, real files, signals, metrics, a standby."""

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import Watch

from tests.cli.conftest import embedded

POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: glm-4-7}
spec: {model: glm-4-7}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    embedded(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "glm.yaml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def watch(home: Path) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def start(*flags: str) -> Watch:
        started.append(Watch(home, *flags))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def test_it_converges_serves_metrics_and_ends_on_sigterm(watch: Callable[..., Watch], home: Path) -> None:
    it = watch("--listen", ":0", "--log-format", "json")
    assert it.says(r"ModelActivation/glm-4-7.*applied state NotActivated -> Activated"), it.log.read_text()
    found = it.says(r"on (http://\S+):")
    assert found
    with urllib.request.urlopen(f"{found[1]}/readyz", timeout=5) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{found[1]}/livez", timeout=5) as answer:
        assert answer.read() == b"ok\n"
    with urllib.request.urlopen(f"{found[1]}/metrics", timeout=5) as answer:
        text = answer.read().decode()
        assert 'modelpolicy_leader{account="default"} 1.0' in text
        assert answer.status == 200
    assert it.end() == 143
    lines = [json.loads(line) for line in it.log.read_text().splitlines()]  # from the first line to the last
    assert lines[-1]["message"].startswith("Stopping: what is in flight is finished first")
    status = json.loads((home / ".modelpolicy" / "status.json").read_text())
    assert [resource["address"] for resource in status["resources"]][-1] == "ModelActivation/glm-4-7"


def test_a_standby_takes_over_when_the_leader_is_killed(watch: Callable[..., Watch], home: Path) -> None:
    leader = watch()
    assert leader.says("applied")
    standby = watch()
    assert standby.says("standing by: the lock is held by .*pid"), standby.log.read_text()
    leader.end(signal.SIGKILL)
    assert standby.says("default leading"), standby.log.read_text()
    (home / "policies" / "glm.yaml").write_text(POLICY.replace("glm-4-7", "kimi-k2"))
    assert standby.says("ModelActivation/kimi-k2 applied"), standby.log.read_text()


def test_once_makes_one_pass_and_a_mistake_is_said_and_exits_3(watch: Callable[..., Watch], home: Path) -> None:
    (home / "policies" / "bad.yaml").write_text(POLICY.replace("model: glm-4-7", "modle: glm-4-7"))
    it = watch("--once", "--log-format", "json")
    assert it.process.wait(30) == 3
    lines = [json.loads(line) for line in it.log.read_text().splitlines()]
    assert any("modle" in line["message"] and line["level"] == "error" for line in lines)


def test_a_wrong_interval_is_a_usage_error(watch: Callable[..., Watch]) -> None:
    it = watch("--interval", "soon")
    assert it.process.wait(30) == 64
    assert it.says("no duration")


def test_what_stops_a_model_is_said_to_settle_first_and_then_done(watch: Callable[..., Watch], home: Path) -> None:
    it = watch("--settle", "2s")
    assert it.says("applied state NotActivated -> Activated"), it.log.read_text()
    (home / "policies" / "glm.yaml").write_text(POLICY.replace("model: glm-4-7", "model: glm-4-7, state: NotActivated"))
    said = it.says(r"ModelActivation/glm-4-7.*(\d\d:\d\d:\d\d) UTC if it is declared so until then")
    assert said, it.log.read_text()
    assert "Activated -> NotActivated" not in it.log.read_text()
    assert it.says("applied state Activated -> NotActivated"), it.log.read_text()


def test_a_time_to_settle_may_be_none_but_not_nonsense(watch: Callable[..., Watch]) -> None:
    it = watch("--settle", "-1s")
    assert it.process.wait(30) == 64
    it = watch("--settle", "0s", "--once")
    assert it.process.wait(30) == 0
