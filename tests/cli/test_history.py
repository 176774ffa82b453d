"""`history` shows the journal and `unlock` breaks a lock; neither creates a ledger."""

import json
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


def test_unlock_breaks_a_lock_and_names_its_holder(call, journal: str) -> None:
    assert "is not locked" in call("unlock", "--ledger", journal).output
    with open_ledger(journal).lock("default", "apply"):
        result = call("unlock", "--ledger", journal)
    assert result.exit_code == 0
    assert "apply, since" in result.output
    assert "is not locked" in call("unlock", "--ledger", journal).output
