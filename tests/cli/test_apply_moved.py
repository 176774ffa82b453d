"""`apply` reads its files again before a first write that lowers, stops or takes back; what only allows more goes on."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: glm-4-7}
spec: {model: glm-4-7, state: STATE}
"""
ACCOUNT = "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: default}\nspec: {platform: embedded}\n"
ON, OFF = POLICY.replace("STATE", "Activated"), POLICY.replace("STATE", "NotActivated")


@pytest.fixture
def file(call: Call, tmp_path: Path) -> Path:
    """A policy of an activated model."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "account.yaml").write_text(ACCOUNT)
    found = tmp_path / "policies" / "glm.yaml"
    found.write_text(ON)
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    return found


@pytest.fixture
def while_asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Do something between the plan and the yes."""

    def order(does: Callable[[], object]) -> None:
        def confirm(*_: object, **__: object) -> bool:
            does()
            return True

        monkeypatch.setattr("reconciler.cli.terminal.Terminal.interactive", property(lambda _: True))
        monkeypatch.setattr(click, "confirm", confirm)

    return order


def state(call: Call) -> str:
    return "NotActivated" if call("plan", "policies").stdout.count("NotActivated -> Activated") else "Activated"


def test_a_file_that_changed_while_it_was_asked_about_stops_what_lowers(
    call: Call, file: Path, while_asked: Callable[..., None]
) -> None:
    file.write_text(OFF)
    while_asked(lambda: file.write_text(ON))
    result = call("apply", "policies")
    assert result.exit_code == Exit.STALE, result.output
    assert "Error: policies/glm.yaml changed since the plan was made" in result.stderr
    assert state(call) == "Activated"


def test_a_file_that_is_there_again_is_not_pruned(call: Call, file: Path, while_asked: Callable[..., None]) -> None:
    other = file.with_name("other.yaml")
    other.write_text(ON.replace("glm-4-7", "kimi-k2"))
    file.rename(file.with_suffix(".away"))
    while_asked(lambda: file.with_suffix(".away").rename(file))
    result = call("apply", "policies", "--prune")
    assert result.exit_code == Exit.STALE, result.output
    assert "changed since the plan was made" in result.stderr


def test_what_only_allows_more_is_carried_out_as_it_was_planned(
    call: Call, file: Path, while_asked: Callable[..., None]
) -> None:
    file.write_text(ON + "---\n" + ON.replace("glm-4-7", "kimi-k2"))
    while_asked(lambda: file.write_text(ON))
    assert call("apply", "policies").exit_code == Exit.OK


def test_files_that_stay_as_they_were_lower_what_they_say(call: Call, file: Path) -> None:
    file.write_text(OFF)
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    assert call("apply", "-", "--yes", stdin=ACCOUNT + "---\n" + ON).exit_code == Exit.OK
    assert call("apply", "-", "--yes", stdin=ACCOUNT + "---\n" + OFF).exit_code == Exit.OK, (
        "standard input cannot be read again"
    )
