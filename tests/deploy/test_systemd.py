"""The shipped unit is one that systemd takes, that gives nothing away, and whose command is a real one."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.watch import command

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "modelpolicy.service"
PROGRAM = "/opt/modelpolicy/bin/modelpolicy"

analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that exists on this machine."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(PROGRAM, "/bin/true"))
    return copy


def setting(name: str) -> str:
    found = re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert found, f"{name}= is not set"
    return found[1]


def test_its_command_is_one_that_watch_takes() -> None:
    program, verb, *arguments = shlex.split(setting("ExecStart"))
    assert (program, verb) == (PROGRAM, "watch")
    context = command.make_context("watch", arguments)
    assert context.params["paths"] == ("/etc/modelpolicy/policies",)
    assert context.params["listen"][0] == "127.0.0.1"


def test_what_it_writes_is_in_its_state_directory() -> None:
    state = f"/var/lib/{setting('StateDirectory')}"
    assert f"--ledger {state}/" in setting("ExecStart")
    assert setting("WorkingDirectory") == state


def test_being_told_to_stop_is_no_failure() -> None:
    assert setting("SuccessExitStatus") == "143"
    assert int(setting("TimeoutStopSec")) >= 60


@analyze
def test_systemd_finds_nothing_wrong_with_it(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=30
    )
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd-analyze cannot run here")
    assert (done.returncode, done.stderr) == (0, "")


@analyze
def test_little_of_the_machine_is_exposed(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old to judge a file")
    assert done.returncode == 0, done.stdout + done.stderr
