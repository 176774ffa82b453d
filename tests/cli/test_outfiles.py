"""Where outputs may go: each to a file of its own, through no link, and never over what people keep."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from reconciler.cli import watch
from reconciler.cli.common import Common
from reconciler.cli.endings import run
from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from tests.cli.conftest import Call, embedded

POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: glm-4-7}
spec: {model: glm-4-7}
"""


@pytest.fixture
def policies(call: Call, tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    embedded(tmp_path)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "glm.yaml").write_text(POLICY)
    return folder


def refused(result: Result, *words: str) -> None:
    """It is a usage error of one sentence, and nothing was done before it."""
    assert result.exit_code == Exit.USAGE, result.output
    (said,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert all(word in said for word in words), said
    assert not Path(".modelpolicy/ledger.db").exists()


def test_outputs_are_written_whole_and_again(call: Call, policies: Path) -> None:
    for _ in range(2):
        result = call("plan", "policies", "-o", "json=plan.json", "-o", "markdown=plan.md", "-o", "text=plan.txt")
        assert result.exit_code == 0, result.output
    assert json.loads(Path("plan.json").read_text())["format_version"]
    assert sorted(each.name for each in Path.cwd().iterdir()) == [
        ".git",
        ".modelpolicy",
        "plan.json",
        "plan.md",
        "plan.txt",
        "policies",
    ]


def test_an_output_in_the_folder_that_is_read_is_no_policy_and_is_written_again(call: Call, policies: Path) -> None:
    for _ in range(2):
        assert call("plan", "-o", "json=plan.json", "-o", "html=policies/plan.html").exit_code == 0


@pytest.mark.parametrize("verb", ["validate", "plan", "apply", "status", "drift", "history"])
def test_no_output_takes_the_place_of_a_policy(call: Call, policies: Path, verb: str) -> None:
    yes = ("--yes",) if verb == "apply" else ()
    paths = () if verb == "history" else ("policies",)
    refused(call(verb, *paths, *yes, "-o", "json=policies/glm.yaml"), "policies/glm.yaml", "holds policies")
    assert (policies / "glm.yaml").read_text() == POLICY


@pytest.mark.parametrize(
    "content",
    [
        POLICY.replace("spec:", "spec"), "\ufeff" + POLICY, POLICY.replace("\n", "\r"), POLICY.replace("\n", "\r\n"),
        json.dumps({"kind": "ModelActivation", "apiVersion": "modelpolicy.dev/v1alpha1"}), "- " + POLICY.replace("\n", "\n  "),
    ],
    ids=["broken", "mark", "cr", "crlf", "json", "list"],
)  # fmt: skip
def test_a_policy_is_known_wherever_it_lies_and_however_it_is_written(call: Call, policies: Path, content: str) -> None:
    kept = Path("elsewhere.txt")
    kept.write_text(content, newline="")
    refused(call("plan", "policies", "-o", "json=elsewhere.txt"), "elsewhere.txt holds policies")
    assert kept.read_bytes() == content.encode()


def test_what_may_be_a_policy_that_cannot_be_read_is_not_overwritten(call: Call, policies: Path) -> None:
    (policies / "broken.yaml").write_text("kind: [")
    refused(call("plan", "policies", "-o", "json=policies/broken.yaml"), "holds policies, or what may be some")
    refused(call("validate", "policies/broken.yaml", "-o", "json=policies/broken.yaml"), "which this run uses")


def test_a_file_that_this_run_is_given_is_never_its_output(call: Call, policies: Path) -> None:
    Path("seed.json").write_text('{"models": []}')
    Path("hard.json").hardlink_to("seed.json")
    refused(call("platform", "seed", "seed.json", "-o", "json=./seed.json"), "seed.json, which this run uses")
    refused(call("platform", "seed", "seed.json", "-o", "json=hard.json"), "seed.json, which this run uses")
    refused(call("plan", "policies", "--out", "a.plan", "-o", "json=./a.plan"), "a.plan, which this run uses")
    refused(call("plan", "policies", "--ledger", "l.db", "-o", "json=l.db"), "l.db, which this run uses")


def test_databases_saved_plans_and_keys_are_kept(call: Call, policies: Path) -> None:
    assert call("apply", "policies", "--yes").exit_code == 0
    assert call("plan", "policies", "--out", "the.plan").exit_code == 0
    Path("keys.json").write_text('{"access_key": "a", "secret_key": "b"}')
    for kept, why in (
        (".modelpolicy/ledger.db", "which this run uses"),
        (".modelpolicy/platform.db", "is a database"),
        ("the.plan", "is a saved plan"),
        ("keys.json", "holds keys"),
    ):
        before = Path(kept).read_bytes()
        result = call("status", "policies", "-o", f"json={kept}")
        assert (result.exit_code, why in result.stderr) == (Exit.USAGE, True), result.stderr
        assert Path(kept).read_bytes() == before


def test_one_file_takes_one_output_however_it_is_spelled(call: Call, policies: Path) -> None:
    refused(call("plan", "policies", "-o", "json=a", "-o", "markdown=./a"), "./a and a are one file")
    Path("a").touch()
    Path("b").hardlink_to("a")
    refused(call("plan", "policies", "-o", "json=a", "-o", "markdown=b"), "b and a are one file")
    refused(call("plan", "policies", "-o", "json=a", "-o", "markdown=policies/../a"), "are one file")
    assert call("plan", "policies", "-o", "json=/dev/null", "-o", "markdown=/dev/null").exit_code == 0


def test_links_and_missing_folders_are_told_before_anything_is_done(call: Call, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path.parent)
    (tmp_path / "a").symlink_to("policies/glm.yaml")
    apply = ("apply", "policies", "--yes")
    refused(call(*apply, "-o", "json=a"), "a is a link and is not written through")
    refused(call(*apply, "-o", "json=out/x"), "leads through the link")
    refused(call(*apply, "-o", "json=none/x"), "there is no folder none")
    refused(call(*apply, "-o", "json=policies"), "policies is a folder")
    refused(call("plan", "policies", "--out", "none/x"), "--out none/x", "there is no folder none")
    refused(call("plan", "policies", "--out", "out/x"), "leads through the link")


def test_schema_writes_its_files_through_no_link_and_over_no_policy(call: Call, policies: Path, tmp_path: Path) -> None:
    assert call("schema", "--out", "schemas").exit_code == 0
    assert call("schema", "--out", "schemas").exit_code == 0
    bundle = tmp_path / "schemas" / "modelpolicy.schema.json"
    bundle.unlink()
    bundle.symlink_to(policies / "glm.yaml")
    written = (tmp_path / "schemas" / "modelactivation.schema.json").stat().st_ino
    refused(call("schema", "--out", "schemas"), "is a link")
    assert (tmp_path / "schemas" / "modelactivation.schema.json").stat().st_ino == written, "all or none"
    bundle.unlink()
    bundle.write_text(POLICY)
    refused(call("schema", "--out", "schemas"), "holds policies")
    (tmp_path / "out").symlink_to(tmp_path.parent)
    refused(call("schema", "--out", "out/schemas"), "leads through the link")
    assert not (tmp_path.parent / "schemas").exists()


def test_a_wrong_place_ends_as_a_usage_error_whoever_meets_it(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").symlink_to(tmp_path.parent)
    for verb in ("schema", "import"):
        assert run(ROOT, [verb, "--out", "out/made"]) == Exit.USAGE
        assert "leads through the link" in capsys.readouterr().err
    assert not (tmp_path.parent / "made").exists()


def test_the_shells_own_names_for_streams_take_outputs(policies: Path) -> None:
    command = f"{sys.executable} -m reconciler.cli plan policies"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def shell(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env)

    assert json.loads(shell(f"{command} -o json=/dev/stdout").stdout)["format_version"]
    assert json.loads(shell(f"{command} -o json=/dev/stderr -o markdown=/dev/null 2>&1 >/dev/null").stdout)[
        "format_version"
    ]
    assert json.loads(shell(f"{command} -o json=/dev/fd/3 -o text 3>&1 >/dev/null").stdout)["format_version"]
    assert json.loads(shell(f"{command} -o json=>(cat >&2) -o text >/dev/null; wait").stderr)["format_version"]
    assert shell(f"{command} -o text -o json=>(true)").returncode == 0, "a reader that went away stops nothing"
    appended = shell(f"echo first > log; {command} -o json=/dev/stdout >> log; head -1 log")
    assert appended.stdout == "first\n"
    both = shell(f"{command} -o text -o json=both > both")
    assert (both.returncode, "are one file" in both.stderr) == (Exit.USAGE, True)


def test_the_status_file_of_watch_is_written_through_no_link_and_that_is_told_once(
    policies: Path, tmp_path: Path, call: Call
) -> None:
    shutil.rmtree(tmp_path / ".modelpolicy")
    (tmp_path / ".modelpolicy").symlink_to(tmp_path.parent)
    told: list[str] = []

    class Heard:
        class diary:  # noqa: N801  # as an audience has it
            @staticmethod
            def trouble(_: str, message: str) -> None:
                told.append(message)

    folders = watch._folders(Common(), Heard(), {"settle": 5.0, "once": False})  # type: ignore[arg-type]
    folders._write(Path(".modelpolicy/status.json"), "{}")
    folders._write(Path(".modelpolicy/status.json"), "{} ")
    assert not (tmp_path.parent / "status.json").exists()
    (said,) = told
    assert "leads through the link" in said
    (tmp_path / ".modelpolicy").unlink()
    folders._write(Path(".modelpolicy/status.json"), "{}")
    assert (tmp_path / ".modelpolicy" / "status.json").read_text() == "{}"


def test_watch_does_not_put_its_status_file_over_a_policy(policies: Path) -> None:
    (policies / "status.json").write_text(json.dumps({"apiVersion": "modelpolicy.dev/v1alpha1", "kind": "X"}))
    assert run(ROOT, ["watch", "policies", "--once", "--ledger", "policies/ledger.db"]) == Exit.USAGE
    assert not (policies / "ledger.db").exists()
