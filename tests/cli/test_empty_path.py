"""A PATH that holds nothing is told, and gives nothing up, whatever other PATHs declare."""

from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
ACCOUNT = HEAD + "kind: PlatformAccount\nmetadata: {name: default}\nspec: {platform: embedded}\n"
POLICY = HEAD + "kind: ModelActivation\nmetadata: {name: NAME}\nspec: {model: NAME, deletionPolicy: POLICY}\n"


@pytest.fixture(params=["Revert", "Retain"])
def two(call: Call, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Two folders that are carried out."""
    (tmp_path / ".git").mkdir()
    for folder, name in (("here", "glm-4-7"), ("module", "kimi-k2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yaml").write_text(POLICY.replace("NAME", name).replace("POLICY", request.param))
    (tmp_path / "here" / "account.yaml").write_text(ACCOUNT)
    done = call("apply", "here", "module", "--yes")
    assert done.exit_code == Exit.OK, done.output
    return tmp_path


def test_what_was_declared_under_a_path_that_is_empty_now_is_neither_reverted_nor_released(
    call: Call, two: Path
) -> None:
    (two / "module" / "kimi-k2.yaml").unlink()
    for verb in (("plan",), ("apply", "--yes")):
        result = call(*verb, "here", "module", "--prune")
        assert result.exit_code == Exit.REFUSED, result.output
        assert "nothing is declared under module, from which we own 1 item" in " ".join(result.output.split())
    loop = call("watch", "here", "module", "--prune", "--once")
    assert loop.exit_code == Exit.REFUSED, loop.output
    (two / "module" / "kimi-k2.yaml").write_text(POLICY.replace("NAME", "kimi-k2").replace("POLICY", "Retain"))
    assert "adopted" not in call("plan", "here", "module").output
    (two / "module" / "kimi-k2.yaml").unlink()
    allowed = call(
        "apply",
        "here",
        "module",
        "--prune",
        "--yes",
        "--allow",
        "source-empty",
        "--allow",
        "kind-wipe",
        "--reason",
        "meant",
    )
    assert allowed.exit_code == Exit.OK, allowed.output


def test_a_path_that_is_empty_and_owns_nothing_is_invalid_input(call: Call, two: Path) -> None:
    (two / "empty").mkdir()
    for verb in (("plan",), ("apply", "--yes")):
        result = call(*verb, "here", "module", "empty")
        assert result.exit_code == Exit.INVALID, result.output
        assert "empty holds no policy" in result.stderr
    assert call("plan", "-").exit_code == Exit.INVALID


def test_a_path_that_is_missing_is_invalid_and_refused_where_items_are_owned_from_it(call: Call, two: Path) -> None:
    missing = call("plan", "here", "module", "nowhere")
    assert missing.exit_code == Exit.INVALID
    (two / "module").rename(two / "away")
    for verb in (("plan",), ("plan", "--prune"), ("apply", "--yes", "--prune")):
        result = call(*verb, "here", "module")
        assert result.exit_code == Exit.REFUSED, result.output
    assert call("plan", "here", "module", "nowhere").exit_code == Exit.REFUSED
    (two / "here" / "broken.yaml").write_text("kind: [")
    assert call("plan", "here", "module").exit_code == Exit.INVALID


def test_drift_of_an_emptied_path_is_not_called_no_drift(call: Call, two: Path) -> None:
    assert call("drift", "here", "module").exit_code == Exit.OK
    (two / "module" / "kimi-k2.yaml").unlink()
    emptied = call("drift", "here", "module")
    assert emptied.exit_code == Exit.INVALID
    assert "module holds no policy" in emptied.stderr
