"""Saved plans on disk: written whole for their owner, never over anything else, refused when edited."""

import json
import os
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import click
import pytest
import report_samples as samples

from reconciler.cli import saved
from reconciler.cli.endings import Stop, run
from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from reconciler.report.plan_file import LIFETIME, Saved, Terms

TERMS = Terms(made_at=samples.NOW, expires_at=samples.NOW + LIFETIME)


def made(path: Path) -> Saved:
    return saved.write(str(path), samples.report(), TERMS)


def test_a_plan_is_readable_by_its_owner_only_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made(tmp_path / "the.plan")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "the.plan").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["the.plan"]


def test_a_saved_plan_may_be_replaced_by_a_new_one(tmp_path: Path) -> None:
    made(tmp_path / "the.plan")
    made(tmp_path / "the.plan")
    assert saved.read(str(tmp_path / "the.plan")).plan == made(tmp_path / "the.plan").plan


def test_a_policy_file_is_never_overwritten_by_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("kind: InferenceLimit\n")
    with pytest.raises(click.UsageError, match="no saved plan"):
        made(file)
    assert file.read_text() == "kind: InferenceLimit\n"


def test_a_link_or_a_folder_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("link", "."):
        with pytest.raises(click.UsageError, match="not a plain file"):
            made(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


def test_where_it_cannot_be_written_the_plan_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="No such file"):
        made(tmp_path / "missing" / "the.plan")


def test_an_old_plan_is_stale_and_a_fresh_one_is_good(tmp_path: Path) -> None:
    kept = made(tmp_path / "the.plan")
    saved.good(kept, "the.plan", samples.NOW)
    with pytest.raises(Stop, match="expired") as raised:
        saved.good(kept, "the.plan", samples.NOW + timedelta(days=2))
    assert raised.value.code is Exit.STALE


def test_show_renders_what_was_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "the.plan")
    assert run(ROOT, ["show", str(tmp_path / "the.plan"), "-o", "json"]) == Exit.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((samples.GOLDEN / "plan.json").read_text())


def test_show_renders_every_format_that_plan_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "the.plan")
    for format_ in ("text", "markdown", "html"):
        assert run(ROOT, ["show", str(tmp_path / "the.plan"), "-o", format_]) == Exit.OK
        assert "InferenceLimit/kimi-k2" in capsys.readouterr().out


def test_an_edited_plan_is_refused_with_exit_3_and_one_json_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "the.plan"
    made(file)
    file.write_bytes(file.read_bytes().replace(b"2000000", b"9000000"))
    assert run(ROOT, ["show", str(file), "-o", "json"]) == Exit.INVALID
    said = capsys.readouterr()
    assert "edited or damaged" in said.err
    assert "edited or damaged" in json.loads(said.out)["errors"][0]["message"]


def test_a_plan_that_is_not_there_is_refused_with_exit_3(tmp_path: Path) -> None:
    assert run(ROOT, ["show", str(tmp_path / "none.plan")]) == Exit.INVALID


def test_no_secret_of_the_environment_is_in_a_saved_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLCENGINE_ACCESS_KEY", "AKLTsecret-one")
    monkeypatch.setenv("VOLCENGINE_SECRET_KEY", "secret-two")
    made(tmp_path / "the.plan")
    content = (tmp_path / "the.plan").read_text()
    assert "secret-one" not in content
    assert "secret-two" not in content


def test_the_revision_is_the_commit_and_says_when_files_differ_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert saved.revision() == ""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    clean = saved.revision()
    assert len(clean) == 40
    (tmp_path / "new").touch()
    assert saved.revision() == f"{clean}+"
