"""`history` shows the journal, searches it, and never creates a ledger."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, limit, target

from reconciler.ledger import Intent, Settlement, open_ledger
from reconciler.plan import Action, Change, ChangeReason, FieldChange
from reconciler.state import Capability, Outcome, Record, Result, Run

RUNS = ("20261123T120000Z-aaaa", "20261123T120000Z-abbb")


@pytest.fixture
def journal(call, tmp_path: Path) -> str:
    """The path of a ledger with two runs, the first finished, the second killed."""
    path = str(tmp_path / "ledger.db")
    ledger = open_ledger(path)
    change = Change(
        address="InferenceLimit/x\x1b[31m", target=target(limit()), action=Action.CREATE, reason=ChangeReason.DECLARED,
        capability=Capability.NATIVE, fields=(FieldChange("tokens", None, 2_000_000),),
    )  # fmt: skip
    for id_ in RUNS:
        pen = ledger.begin(
            Run(
                id=id_,
                account="default",
                operation="apply",
                actor="ada",
                revision="c0ffee",
                reason="why",
                started_at=NOW,
            )
        )
        pen.intend([Intent(change, {"tokens": None}, Record(target=change.target))], NOW)
        if id_ == RUNS[0]:
            outcome = Outcome(change.address, change.target, Result.FAILED, "refused", code="Some.Code")
            pen.settle([Settlement(change, outcome, None)], NOW)
            ledger.finish(id_, "failed", NOW)
    ledger.close()
    return path


def test_history_lists_runs_newest_first(call, journal: str) -> None:
    result = call("history", "--ledger", journal)
    assert result.exit_code == 0
    first, second = result.output.split(RUNS[0])
    assert first.startswith(RUNS[1])
    assert "open" in first
    assert "failed" in second
    assert "ada c0ffee: why" in " ".join(second.split())


def test_one_run_is_shown_with_every_change(call, journal: str) -> None:
    result = call("history", RUNS[0][:-1], "--ledger", journal)
    assert result.exit_code == 0
    for words in ("no limit -> 2,000,000", "refused (Some.Code)", "revision", "c0ffee", "1 change"):
        assert words in result.output
    assert "\x1b" not in result.output


def test_history_as_json_is_one_document(call, journal: str) -> None:
    runs = json.loads(call("history", "--ledger", journal, "-o", "json").output)["runs"]
    assert [run["id"] for run in runs] == [RUNS[1], RUNS[0]]
    assert runs[0]["entries"] is None


def test_an_id_that_is_not_there_or_not_clear_is_said(call, journal: str) -> None:
    assert "has no run" in call("history", "zzz", "--ledger", journal).stderr
    unclear = call("history", "2026", "--ledger", journal)
    assert unclear.exit_code == 1
    assert f"{RUNS[1]}, {RUNS[0]}" in unclear.stderr


def test_history_of_nothing_says_so_and_creates_nothing(call, tmp_path: Path) -> None:
    result = call("history")
    assert (result.exit_code, "Nothing was journaled yet" in result.output) == (0, True)
    assert list(tmp_path.iterdir()) == []


def test_history_is_searched(call, journal: str) -> None:
    def ids(*words: str) -> list[str]:
        said = call("history", *words, "--ledger", journal, "-o", "json")
        assert said.exit_code == 0
        return [run["id"] for run in json.loads(said.output)["runs"]]

    both, name = [RUNS[1], RUNS[0]], target(limit()).name
    assert ids("--target", f"InferenceLimit/{name}") == ids("--target", "InferenceLimit") == both
    assert ids("--target", "InferenceLimit/other") == ids("--target", "ModelActivation") == []
    assert ids("--actor", "ADA") == ids("--since", NOW.date().isoformat()) == ids("--account", "default") == both
    assert ids("--actor", "bob") == ids("--set", "x") == []
    assert "No run is like that." in call("history", "--actor", "bob", "--ledger", journal).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "yesterday"], "neither how long ago"),
        (["--since", "7"], "neither how long ago"),
        (["--since", "2026-13-01"], "neither how long ago"),
        (["--since", "2999-01-01"], "in the future"),
        (["--target", "InferenceLimits/x"], "did you mean InferenceLimit?"),
        (["--account", "defautl"], "did you mean default?"),
        ([RUNS[0], "--actor", "ada"], "RUN is one run"),
    ],
)
def test_a_search_that_cannot_be_meant_is_a_usage_error(call, journal: str, words: list[str], said: str) -> None:
    result = call("history", *words, "--ledger", journal)
    assert (result.exit_code, result.stdout) == (64, "")
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "since", ["90m", "36h", "7d", "2w", "99999w", "2026-11-01", "2026-11-01T08:00", "2026-11-01T08:00:00+08:00"]
)
def test_since_takes_how_long_ago_or_a_date(call, since: str) -> None:
    assert call("history", "--since", since).exit_code == 0


def test_a_run_shows_its_set_its_job_and_that_its_files_were_not_committed(call, journal: str) -> None:
    ledger = open_ledger(journal)
    revision, job = f"{'c0ffee' * 6}abcd+dirty", "https://ci.example/job/7"
    ledger.begin(Run(id="20261124T", account="default", operation="apply", actor="octocat (GitHub Actions)", revision=revision,
                     set_name="git.example/policy", link=job, started_at=NOW + timedelta(days=1)))  # fmt: skip
    ledger.close()
    row = " ".join(call("history", "--ledger", journal, "--limit", "1").output.split())
    assert "octocat (GitHub Actions) c0ffeec0ffee+dirty of git.example/policy" in row
    full = call("history", "20261124T", "--ledger", journal).output
    assert revision in full
    assert job in full
    (run,) = json.loads(call("history", "--limit", "1", "-o", "json", "--ledger", journal).output)["runs"]
    assert (run["set"], run["link"], run["revision"]) == ("git.example/policy", job, revision)
