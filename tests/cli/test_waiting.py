"""Who waits over a second at a terminal sees what for, on a line that goes again; nobody else sees anything of it."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.cli.terminal import Terminal
from reconciler.cli.waiting import Waiting
from tests.cli.conftest import embedded

POLICIES = """apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: search}
spec: {model: doubao-seed-1-6}
"""
# A platform that takes its time, and a second that is over sooner.
SLOW = """
import sys, time
from reconciler.cli import root, waiting
from reconciler.platforms.embedded.platform import EmbeddedPlatform
from tests.cli.conftest import embedded

waiting.AFTER_S, waiting.EVERY_S = 0.02, 0.02
observe, write = EmbeddedPlatform.observe, EmbeddedPlatform.write
EmbeddedPlatform.observe = lambda *asked: time.sleep(0.15) or observe(*asked)
EmbeddedPlatform.write = lambda *asked: time.sleep(0.15) or write(*asked)
root.ROOT.main(sys.argv[1:])
"""


def run(folder: Path, *arguments: str, **more: str) -> tuple[str, str]:
    """What the command says on stdout, and on a stderr that is a terminal."""
    ours, theirs = pty.openpty()
    heard: list[bytes] = []

    def hear() -> None:
        try:
            while data := os.read(ours, 4096):
                heard.append(data)
        except OSError:  # the terminal's other side is gone
            pass

    listener = threading.Thread(target=hear)
    listener.start()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", **more}
    if "CI" not in more:
        environment.pop("CI", None)
    done = subprocess.run([sys.executable, "-c", SLOW, *arguments], cwd=folder, env=environment, stderr=theirs,
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=30)  # fmt: skip
    os.close(theirs)
    listener.join()
    os.close(ours)
    assert done.returncode == 0
    return done.stdout, b"".join(heard).decode()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    embedded(tmp_path)
    (tmp_path / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    return tmp_path


def test_who_waits_at_a_terminal_sees_what_for_and_the_line_goes_again(policies: Path) -> None:
    out, err = run(policies, "apply", "policies.yaml", "--yes", "-o", "json")
    assert "\r\x1b[K  looking at account default ... 0 s" in err
    assert f"\r\x1b[K  applying [{' ' * 24}] 0 of 1, 0 s" in err
    shown = [part.rsplit("\r\x1b[K", 1)[-1] for part in err.replace("\r\n", "\n").split("\n")]
    assert not [line for line in shown if "..." in line or "applying [" in line]
    assert "\x1b" not in out
    assert "looking" not in out


@pytest.mark.parametrize("more", [{"CI": "1"}, {"TERM": "dumb"}])
def test_no_line_comes_and_goes_where_a_terminal_cannot_take_it_back(policies: Path, more: dict[str, str]) -> None:
    _, err = run(policies, "plan", "policies.yaml", **more)
    assert "looking" not in err
    assert "\x1b[K" not in err


def test_nothing_is_shown_to_a_pipe(policies: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", SLOW, "apply", "policies.yaml", "--yes"], cwd=policies, env=environment,
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert done.returncode == 0
    assert not [word for word in ("looking", "reading", "applying [", "\r", "\x1b[K") if word in done.stderr]


def test_work_that_is_over_within_a_second_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Terminal, "watched", True)
    monkeypatch.setattr(Terminal, "passing", lambda self, line: said.append(line))
    with Waiting(Terminal(), "reading 1 file"):
        pass
    assert said == [""]


def test_a_bar_grows_with_what_is_done() -> None:
    line = Waiting(None, "applying", 1_000)
    line.done = 500
    assert line._line(12.4) == f"  applying [{'#' * 12}{' ' * 12}] 500 of 1,000, 12 s"
    line.done = 1_001
    assert line._line(13) == f"  applying [{'#' * 24}] 1,001 of 1,000, 13 s"
