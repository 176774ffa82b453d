"""Who hears of `modelpolicy watch`: webhooks, and the platform-call metrics, from a real process."""

import re
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from watching import Watch
from webhooks import SECRET, Webhook, serving

POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {name: default}
spec: {platform: embedded, writes: {concurrency: 1, perSecond: 20}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: glm-4-7}
spec: {model: glm-4-7}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: kimi-k2}
spec: {model: kimi-k2}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "models.yaml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with serving() as server:
        yield server


def close_model(home: Path) -> None:
    """What a person does on the console."""
    database = sqlite3.connect(home / ".modelpolicy" / "platform.db")
    with database:
        database.execute("UPDATE models SET activated = 0 WHERE name = 'glm-4-7'")
    database.close()


def test_drift_is_posted_once_and_the_url_is_in_no_log(home: Path, webhook: Webhook) -> None:
    it = Watch(home, "--interval", "1s", MODELPOLICY_WATCH_NOTIFY=webhook.url)
    try:
        assert it.says("kimi-k2 applied"), it.log.read_text()
        close_model(home)
        webhook.wait_for(1)
        assert it.end() == 143
        again = Watch(home, "--once", "--notify", f"slack+{webhook.url}")
        assert again.process.wait(30) == 0
    finally:
        it.process.kill()
        it.process.wait()
    assert len(webhook.posts) == 1
    (notice,) = webhook.posts[0][1]["notices"]
    assert (notice["event"], notice["address"]) == ("drift", "ModelActivation/glm-4-7")
    assert notice["message"].endswith("it was put back")
    assert SECRET not in it.log.read_text() + again.log.read_text()


def test_a_webhook_that_is_none_is_a_usage_error_that_does_not_repeat_it(home: Path) -> None:
    it = Watch(home, "--notify", f"teams+https://example.com/{SECRET}")
    assert it.process.wait(30) == 64
    assert it.says("there is no shape 'teams'")
    assert SECRET not in it.log.read_text()


def test_a_webhook_with_a_password_is_refused_before_anything_is_looked_up(home: Path) -> None:
    it = Watch(home, MODELPOLICY_WATCH_NOTIFY="http://user:very-secret@127.0.0.1:1/x")
    assert it.process.wait(30) == 64
    assert it.says("user or password before its host")
    assert "very-secret" not in it.log.read_text()


def test_platform_calls_and_waits_for_the_pace_are_counted(home: Path) -> None:
    it = Watch(home, "--listen", ":0")
    try:
        found = it.says(r"on (http://\S+):")
        assert found, it.log.read_text()
        assert it.says("kimi-k2 applied"), it.log.read_text()
        with urllib.request.urlopen(f"{found[1]}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        it.process.kill()
        it.process.wait()
    assert 'modelpolicy_platform_calls_total{account="default",action="observe",code="ok"} 1.0' in text
    assert 'modelpolicy_platform_calls_total{account="default",action="activate",code="ok"} 2.0' in text
    waited = re.search(r'limiter_wait_seconds_total\{account="default"\} (\S+)', text)
    assert waited
    assert 0.0 < float(waited[1]) < 1.0


def test_a_platform_that_never_answers_holds_up_neither_the_other_account_nor_a_second_sigterm(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (home / "policies" / "silent.yaml").write_text(
            "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: silent}\n"
            f"spec: {{platform: ark, ark: {{endpoint: '{url}'}}}}\n"
        )
        it = Watch(home, VOLCENGINE_ACCESS_KEY="AK", VOLCENGINE_SECRET_KEY="SK")
        try:
            assert it.says("silent leading"), it.log.read_text()
            assert it.says("default ModelActivation/kimi-k2 applied"), it.log.read_text()
            it.process.send_signal(signal.SIGTERM)
            assert it.says("Stopping: what is in flight is finished first")
            time.sleep(0.3)
            assert it.process.poll() is None, "the first one waits for what is in flight"
            assert it.end() == 143
        finally:
            it.process.kill()
            it.process.wait()
