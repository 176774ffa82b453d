"""`platform serve` as a person runs it: a process of its own, keys in a file, stopped by a signal."""

import json
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.root import ROOT

ACCOUNT = """
apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {name: default}
spec:
  platform: ark
  ark:
    endpoint: http://127.0.0.1:1
    actions:
      setLimit: {action: MadeUpSet, request: {Model: "{model}", Tokens: "{tokens}"}}
"""


def start(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], str, str]:
    """A server on a free port: the process, its URL and what it said until then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli", "platform", "serve", "--listen", "127.0.0.1:0", *arguments],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = ""
    while "serving" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    url = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert url
    return process, url[0], said


def stop(process: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str]:
    process.send_signal(how)
    rest = process.communicate(timeout=10)[1]
    return process.returncode, rest


def test_keys_are_shown_once_and_the_server_ends_on_a_signal(tmp_path: Path) -> None:
    import httpx

    db, keys, policy = tmp_path / "p.db", tmp_path / "keys.json", tmp_path / "account.yaml"
    policy.write_text(ACCOUNT)
    options = ("--db", str(db), "--keys", str(keys), "--actions", str(policy))
    process, url, said = start(tmp_path, *options)
    made = json.loads(keys.read_text())
    chat = {"model": "doubao-seed-1-6", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {made['api_key']}"}
    answer = httpx.post(f"{url}/api/v3/chat/completions", json=chat, headers=headers, trust_env=False)
    assert answer.status_code == 200
    code, rest = stop(process, signal.SIGTERM)
    assert (code, rest) == (143, "")
    assert made["secret_key"] in said
    assert "MadeUpSet (set-limit)" in said
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    process, _, said = start(tmp_path, *options)
    code, rest = stop(process, signal.SIGINT)
    assert code == 130
    assert made["secret_key"] not in said + rest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--listen", "nowhere"), "is not HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), "is not HOST:PORT"),
        (("--listen", "192.0.2.1:8900"), "cannot be listened on"),
        (("--actions", "."), "one ark account"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(ROOT, ["platform", "serve", "--db", "p.db", *arguments])
    assert result.exit_code in (1, 64)
    assert said in " ".join(result.output.split())
    assert "Traceback" not in result.output
