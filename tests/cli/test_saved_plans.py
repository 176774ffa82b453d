"""Saved plans on disk: written whole for their owner, never over anything else, refused when edited."""

import json
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import report_samples as samples

from reconciler.cli import saved
from reconciler.cli.endings import Stop, run
from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from reconciler.report.plan_file import LIFETIME, Saved, Terms
from tests.cli.conftest import embedded

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
    for name, why in (("link", "is a link"), ("", "is a folder")):
        with pytest.raises(click.UsageError, match=why):
            made(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


def test_where_it_cannot_be_written_the_plan_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="there is no folder"):
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


POLICY = """apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: seed}
spec: {model: doubao-seed-1-6}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: cap}
spec: {model: doubao-seed-1-6, tokens: 500}
"""


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    embedded(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/seed.yaml").write_text(POLICY)
    assert run(ROOT, ["plan", "policies", "--out", "the.plan"]) == Exit.OK
    return tmp_path


def applied(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(ROOT, ["apply", "--plan", "the.plan", "--yes", "-o", "json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_saved_plan_is_carried_out_as_reviewed_though_the_files_say_otherwise_by_now(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (team / "policies/seed.yaml").write_text(POLICY.replace("500", "900"))
    code, document = applied(capsys)
    assert code == Exit.OK
    assert document["summary"]["applied"] == 2
    assert document["plan"]["changes"][1]["fields"][0]["after"] == 500


def test_a_saved_plan_works_once(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert applied(capsys)[0] == Exit.OK
    code, document = applied(capsys)
    assert code == Exit.STALE
    assert "a plan works once" in document["errors"][0]["message"]


def test_what_does_not_hold_any_more_is_skipped_with_exit_5(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (team / "policies/seed.yaml").write_text(POLICY.split("---")[0])
    assert run(ROOT, ["apply", "policies", "--yes"]) == Exit.OK
    code, document = applied(capsys)
    assert code == Exit.STALE
    assert any(outcome["stale"] for outcome in document["outcomes"])


def test_a_saved_plan_takes_no_other_choice_of_what_to_do(team: Path) -> None:
    assert run(ROOT, ["apply", "policies", "--plan", "the.plan", "--yes"]) == Exit.USAGE
    assert run(ROOT, ["apply", "--plan", "the.plan", "--yes", "--prune"]) == Exit.USAGE


def test_a_plan_that_expired_is_not_carried_out(
    team: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELPOLICY_CLOCK_OFFSET", "90000")
    code, document = applied(capsys)
    assert code == Exit.STALE
    assert "expired at" in document["errors"][0]["message"]
