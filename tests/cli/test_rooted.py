"""What CI systems and code scanning are told names files from the repository's root, wherever the command was run."""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import rooted
from tests.cli.conftest import Call, embedded
from tests.report import githubs_sarif

WRONG = "apiVersion: modelpolicy.dev/v1alpha1\nkind: ModelActivation\nmetadata: {name: a}\nspec: {modle: a}\n"
RIGHT = (
    "apiVersion: modelpolicy.dev/v1alpha1\nkind: ModelActivation\nmetadata: {name: a}\nspec: {model: doubao-seed-1-6}\n"
)
ACCOUNT = "apiVersion: modelpolicy.dev/v1alpha1\nkind: PlatformAccount\nmetadata: {name: default}\nspec: {platform: embedded}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one policy in a folder of it; no CI's variables."""
    for name in rooted.WORKSPACES:
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "team/policies").mkdir(parents=True)
    (root / "team/policies/a b.yaml").write_text(WRONG)
    return root


def told(call: Call, *arguments: str, **more: Any) -> tuple[set[str], set[str], set[str]]:
    """The places in GitHub's annotations, in SARIF and in JUnit."""
    annotations = {
        line.split("file=")[1].split(",")[0].replace("%3A", ":")
        for line in call("validate", *arguments, "-o", "github", **more).stdout.splitlines()
        if "file=" in line.partition("::")[2].partition("::")[0]
    }
    log = call("validate", *arguments, "-o", "sarif", **more).stdout
    assert githubs_sarif.objections(log) == []
    results = json.loads(log)["runs"][0]["results"]
    sarif = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
    junit = ET.fromstring(call("validate", *arguments, "-o", "junit", **more).stdout_bytes.decode())
    return annotations, sarif, {case.get("file") or "" for case in junit.iter("testcase")}


EVERYWHERE = ({"team/policies/a b.yaml"}, {"team/policies/a%20b.yaml"}, {"team/policies/a b.yaml"})


@pytest.mark.parametrize(
    ("where", "path"),
    [(".", "team"), ("team", "policies"), ("team/policies", "."), ("team/policies", "a b.yaml"), ("team/policies", "../../team"),
     (".", "{root}/team"), ("..", "repository/team/policies"), ("/", "{root}/team/policies/a b.yaml")],
)  # fmt: skip
def test_paths_are_the_same_from_every_folder_and_for_every_way_to_say_them(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch, where: str, path: str
) -> None:
    monkeypatch.chdir(repository / where)
    assert told(call, path.format(root=repository)) == EVERYWHERE


@pytest.mark.parametrize("name", rooted.WORKSPACES)
def test_a_ci_says_where_the_root_is_where_there_is_no_repository(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (repository / ".git").rmdir()
    monkeypatch.setenv(name, str(repository))
    monkeypatch.chdir(repository / "team")
    assert told(call, "policies") == EVERYWHERE


def test_a_checkout_below_the_workspace_is_the_root_and_a_submodule_is_none(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repository.parent))
    monkeypatch.chdir(repository / "team")
    (repository / "team/.git").write_text("gitdir: ../.git/modules/team\n")
    assert told(call, "policies") == EVERYWHERE


def test_a_workspace_that_we_are_not_in_says_nothing(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "other"))
    monkeypatch.chdir(repository)
    assert told(call, "team") == EVERYWHERE


def test_a_file_behind_a_link_is_named_by_the_place_that_is_committed(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "linked").symlink_to("team/policies")
    (repository / "one.yaml").symlink_to("team/policies/a b.yaml")
    monkeypatch.chdir(repository)
    assert told(call, "linked") == EVERYWHERE
    assert told(call, "one.yaml") == EVERYWHERE


def test_a_file_in_another_place_has_no_annotation_of_a_file_that_is_not_there(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.yaml").write_text(WRONG)
    monkeypatch.chdir(repository)
    (repository / "team/policies/a b.yaml").write_text(RIGHT)
    annotations, sarif, _ = told(call, "team", str(tmp_path / "elsewhere.yaml"))
    assert annotations == set()
    assert sarif == {f"file://{tmp_path}/elsewhere.yaml"}
    said = call("validate", "team", str(tmp_path / "elsewhere.yaml"), "-o", "github").stdout
    assert f"::{tmp_path}/elsewhere.yaml:4:" in said


def test_standard_input_has_lines_and_no_file(repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert told(call, "-", stdin=WRONG) == (set(), {"%3Cstdin%3E"}, {"<stdin>"})
    assert "::<stdin>:4:" in call("validate", "-", "-o", "github", stdin=WRONG).stdout


def test_a_name_that_is_no_utf_8_is_the_same_bytes_in_a_uri(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(os.fsdecode(bytes(repository / "team/policies") + b"/\xff.yaml")).write_text(WRONG)
    (repository / "team/policies/a b.yaml").unlink()
    monkeypatch.chdir(repository / "team")
    _, sarif, _ = told(call, "policies")
    assert sarif == {"team/policies/%FF.yaml"}


def test_what_could_not_be_read_is_named_from_the_root_too(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "team")
    (repository / "team/policies/a b.yaml").unlink()
    assert told(call, "missing.yaml")[:2] == ({"team/missing.yaml"}, {"team/missing.yaml"})


@pytest.mark.parametrize("declared", [True, False])
def test_what_no_file_declares_stands_where_its_account_is_declared(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch, *, declared: bool
) -> None:
    """One result without a place would have the whole log refused."""
    monkeypatch.chdir(repository / "team")
    (repository / "team/policies/a b.yaml").write_text(RIGHT)
    (repository / "team/z.yaml").write_text(ACCOUNT if declared else "")
    seed = "models:\n- {name: glm-5-2, state: Activated}\n"
    assert call("platform", "seed", "-", stdin=seed).exit_code == 0
    log = call("validate", "policies", "z.yaml", "--online", "-o", "sarif").stdout
    assert githubs_sarif.objections(log) == []
    results = [one for one in json.loads(log)["runs"][0]["results"] if one["ruleId"] == "unmanaged-item"]
    assert results
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == ("team/z.yaml" if declared else "team/policies/a%20b.yaml")
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_each_account_folder_and_look_has_a_category_of_its_own(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "team")
    embedded(repository / "team")
    (repository / "team/prod").mkdir()
    (repository / "team/policies/a b.yaml").write_text(RIGHT)

    def category(*arguments: str) -> str:
        log = json.loads(call("validate", *arguments, "-o", "sarif").stdout)
        id_: str = log["runs"][0]["automationDetails"]["id"]
        return id_

    assert category("policies") == "modelpolicy/team/policies/"
    assert category("prod") == "modelpolicy/team/prod/"
    assert category("policies", "prod") == "modelpolicy/team/policies+team/prod/"
    assert category("--account", "default", "policies") == "modelpolicy/team/policies/default/"
    assert category("--online", "policies") == "modelpolicy/team/policies/online/"
