"""Secrets: a canary for each credential goes through every verb, error and log level, and is found nowhere that we write."""

import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import proxy as proxies
import pytest
from click.testing import CliRunner
from served import PRIVATE, Rig
from torture.canaries import ACCESS, CONSOLE, PASSWORD, SECRET, TOKEN, absent, echo, served
from torture.conftest import Effort

from reconciler.cli.root import ROOT, VERBS
from reconciler.platforms.ark import client

KEPT = ("keys.json", "bad.json", "pasted.yaml", "token")  # where a person put them
HEAD = {"apiVersion": "modelpolicy.dev/v1alpha1"}
FORMATS = ("text", "json", "markdown", "html", "sarif", "junit", "github")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    yield from served(tmp_path_factory.mktemp("served"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MODELPOLICY_DEBUG", "1")
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.5)
    keys = tmp_path / "keys.json"
    keys.touch(0o600)
    keys.write_text(json.dumps({"access_key": ACCESS, "secret_key": SECRET, "session_token": TOKEN}))
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(CONSOLE)
    return tmp_path


def policies(here: Path, url: str, **ark: object) -> None:
    spec = {"platform": "ark", "allowActivation": True, "ark": {"endpoint": url, "actions": PRIVATE, **ark}}
    name = "glm-4-7"
    documents = [
        {**HEAD, "kind": "PlatformAccount", "metadata": {"name": "default"}, "spec": spec},
        {**HEAD, "kind": "ModelActivation", "metadata": {"name": name}, "spec": {"model": name}},
        {**HEAD, "kind": "InferenceLimit", "metadata": {"name": name}, "spec": {"model": name, "tokens": 5}},
    ]
    (here / "policies.yaml").write_text("\n---\n".join(map(json.dumps, documents)))


def verbs() -> Iterator[tuple[str, ...]]:
    for verb in ("validate", "plan", "status", "drift", "doctor"):
        yield (verb, "policies.yaml", "-o", "json")
        yield (verb, "policies.yaml")
    for format_ in FORMATS:
        yield ("plan", "policies.yaml", "-o", format_)
        yield ("validate", "policies.yaml", "--online", "-o", format_)
    yield ("plan", "policies.yaml", "--out", "saved.plan")
    yield ("apply", "policies.yaml", "--yes")
    yield ("apply", "policies.yaml", "--yes", "--ledger", f"postgresql://me:{PASSWORD}@127.0.0.1:1/x")
    yield ("watch", "policies.yaml", "--once")
    yield ("import", "policies.yaml", "--out", "imported")
    yield ("attest", "policies.yaml", "InferenceLimit/glm-4-7", "--yes")
    yield ("history",)
    yield ("history", "-o", "json")
    yield ("show", "saved.plan")
    yield ("release", "InferenceLimit/glm-4-7", "--reason", "told")
    yield ("unlock", "--account", "default")
    server = f"postgresql://me:{PASSWORD}@127.0.0.1:1/x"
    yield ("ledger", "check")
    yield ("ledger", "check", "--ledger", server)
    yield ("ledger", "copy", ".modelpolicy/ledger.db", server)
    yield ("ledger", "move", ".modelpolicy/ledger.db", server)
    yield ("fmt", "policies.yaml", "--check")


PAGES = ("/models/default", "/model/default?name=glm-4-7", "/plan/default", "/findings/default", "/history/default")


def console() -> tuple[tuple[str, ...], str]:
    """What the console says in a terminal and on each of its pages, from its first look on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    pages: list[str] = []
    bearer = {"Authorization": f"Bearer {CONSOLE}"}

    def read() -> None:
        end = time.monotonic() + 20
        try:
            while time.monotonic() < end and len(pages) < len(PAGES):
                try:
                    found = httpx.get(f"http://{host}{PAGES[len(pages)]}", timeout=5, headers=bearer)
                except httpx.TransportError:
                    found = None
                if found is not None and (found.status_code == httpx.codes.OK or "?name" in PAGES[len(pages)]):
                    pages.append(found.text + str(found.headers))
                else:
                    time.sleep(0.05)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    reader = threading.Thread(target=read)
    reader.start()
    arguments = ("console", "policies.yaml", "--listen", host, "--token-file", "token")
    result = CliRunner().invoke(ROOT, list(arguments))
    reader.join()
    assert len(pages) == len(PAGES), result.output
    return arguments, result.output + repr(result.exception) + "".join(pages)


def nothing_leaks(here: Path, caplog: pytest.LogCaptureFixture, effort: Effort) -> set[str]:
    """Run every verb and look at all that was said, logged and written; the verbs that ran."""
    said = []
    for arguments in verbs():
        result = CliRunner().invoke(ROOT, list(arguments))
        said.append((arguments, result.output + repr(result.exception)))
        effort.tried()
    said.append(console())
    said.append((("the log",), caplog.text + "".join(repr(record.args) for record in caplog.records)))
    written = [path for path in here.rglob("*") if path.is_file() and path.name not in KEPT]
    said += [((str(path),), path.read_bytes().decode("utf-8", "replace")) for path in written]
    for where, text in said:
        absent(str(where), text)
    return {"console", *(arguments[0] for arguments in verbs())}


def test_no_credential_is_in_anything_that_goes_well(
    rig: Rig, here: Path, caplog: pytest.LogCaptureFixture, effort: Effort
) -> None:
    policies(here, rig.url, credentials={"file": "keys.json"})
    ran = nothing_leaks(here, caplog, effort)
    assert set(VERBS) - ran <= {"explain", "schema", "completion", "platform", "operator"}, (
        "a new verb goes through this test too"
    )


def test_no_credential_is_in_anything_that_fails(
    rig: Rig, here: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, effort: Effort
) -> None:
    """Keys that are refused, a gateway that repeats them, files that hold them by mistake."""
    (here / "bad.json").touch(0o600)
    (here / "bad.json").write_text(f'{{"access_key": "{ACCESS}", "secret_key": "{SECRET}" oops')
    policies(here, rig.url, credentials={"file": "bad.json"})
    nothing_leaks(here, caplog, effort)
    (here / "pasted.yaml").write_text(
        f"apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {{name: x}}\nspec:\n  secret_key: {SECRET}\n"
        f"  access_key: {ACCESS}\n"
    )
    result = CliRunner().invoke(ROOT, ["validate", "pasted.yaml"])
    assert SECRET not in result.output
    with proxies.before(rig.url) as way:
        policies(here, way.url, credentials={"file": "keys.json"})
        monkeypatch.setitem(proxies._SAYS, "html", echo(SECRET, TOKEN))
        way.order(*["html"] * 10_000)
        nothing_leaks(here, caplog, effort)
