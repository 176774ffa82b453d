"""Secrets in what runs on: a watcher whose keys are refused and repeated by a gateway, and then one whose keys are right."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import webhooks
from served import Rig
from torture.canaries import ACCESS, SECRET, absent, account, gateway, scraped, served
from watching import Watch

from reconciler.platforms.embedded.calls import Call

MODEL = "glm-4-7"
HEAD = {"apiVersion": "modelpolicy.dev/v1alpha1"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    yield from served(tmp_path)


def write(home: Path, spec: dict[str, object]) -> None:
    policies = [
        {**HEAD, "kind": "PlatformAccount", "metadata": {"name": "default"}, "spec": spec},
        {**HEAD, "kind": "ModelActivation", "metadata": {"name": "a"}, "spec": {"model": MODEL}},
        {**HEAD, "kind": "InferenceLimit", "metadata": {"name": "a"}, "spec": {"model": MODEL, "tokens": 5}},
    ]
    (home / "policies").mkdir()
    (home / "policies" / "all.yaml").write_text("\n---\n".join(map(json.dumps, policies)))


def watching(home: Path, log: str, hook: str) -> Watch:
    return Watch(
        home, "--listen", "127.0.0.1:0", "--interval", "1s", "--log-format", log, MODELPOLICY_DEBUG="1",
        MODELPOLICY_WATCH_NOTIFY=hook, VOLCENGINE_ACCESS_KEY=ACCESS, VOLCENGINE_SECRET_KEY=SECRET,
    )  # fmt: skip


def test_a_watcher_shows_no_credential_in_its_log_metrics_pages_notices_or_ledger(tmp_path: Path, rig: Rig) -> None:
    said = []
    with gateway(rig) as way, webhooks.serving() as webhook:
        write(tmp_path, account(way))
        for heard, log in ((r"SignatureDoesNotMatch", "text"), (r"InferenceLimit/a.*applied", "json")):
            it = watching(tmp_path, log, webhook.url)
            try:
                assert it.says(heard), it.log.read_text()
                if "Limit" in heard:
                    for _ in range(2):  # beyond its free quota and its limit, so that a pause is told
                        rig.engine.use(Call(MODEL, 600_000))
                        if rig.engine.snapshot().models[MODEL].pause:
                            break
                    webhook.wait_for(1)
                said.append(scraped(it.log.read_text()))
            finally:
                it.end()
            said.append(it.log.read_text())
            way.order()
        said += [json.dumps(body) for _, body, _ in webhook.posts]
    said += [file.read_bytes().decode("utf-8", "replace") for file in (tmp_path / ".modelpolicy").rglob("*")]
    for text in said:
        absent("a watcher's", text, webhooks.SECRET)
