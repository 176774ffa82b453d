"""Completion offers what the files, the ledger and the reference know, and never prints, waits or fails."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from reconciler.cli import completing
from reconciler.cli.root import ROOT
from reconciler.guards import GUARDS
from reconciler.kinds import registry
from tests.cli.conftest import Call

POLICIES = """apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {name: prod}
spec: {platform: embedded}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: search}
spec: {model: doubao-seed-2-0-pro, tokens: 50M, accountRef: {name: prod}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    return tmp_path


def offered(line: str) -> list[str]:
    """What is offered for the last word of a line, "" where it ends with a blank."""
    words = line.split(" ")
    environment = {"_MODELPOLICY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.cli"], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.stderr == ""
    return [value.partition(",")[2] for value in done.stdout.split()]


def asked(verb: str, what: str, incomplete: str = "", **params: object) -> list[str]:
    """The same of one value, in this process."""
    command = ROOT.get_command(click.Context(ROOT), verb)
    assert command is not None
    context = click.Context(command)
    context.params = {"ledger": ".modelpolicy/ledger.db", **params}
    return [item.value for item in completing.of(what, context, incomplete)]


def test_a_shell_is_offered_accounts_addresses_topics_and_guards(here: Path) -> None:
    assert offered("modelpolicy plan --account ") == ["prod"]
    assert offered("modelpolicy plan --target InferenceLimit/") == ["InferenceLimit/search"]
    assert offered("modelpolicy explain limit-ch") == ["limit-change-interval"]
    assert "mass-revert" in offered("modelpolicy apply --allow ")


def test_the_paths_that_stand_before_it_say_where_the_names_are_from(here: Path) -> None:
    (here / "elsewhere").mkdir()
    (here / "elsewhere" / "more.yaml").write_text(POLICIES.replace("search", "chat"), encoding="utf-8")
    assert asked("plan", "addresses", paths=("elsewhere",)) == ["PlatformAccount/prod", "InferenceLimit/chat"]


def test_targets_are_kinds_first_and_then_their_resources(here: Path) -> None:
    assert asked("plan", "targets", "Inf") == ["InferenceLimit", "InferenceLimit/search"]
    assert asked("plan", "targets", "inferencelimit/") == ["InferenceLimit/search"]
    assert "PolicyConstraint" not in asked("plan", "targets")


def test_every_topic_is_offered_and_fields_once_their_kind_is_there() -> None:
    assert set(registry()) <= set(asked("explain", "topics"))
    assert "InferenceLimit.tokens" not in asked("explain", "topics", "Inference")
    assert "InferenceLimit.tokens" in asked("explain", "topics", "InferenceLimit.t")


def test_guards_are_offered_and_after_an_equals_sign_what_they_may_be_passed_for(here: Path) -> None:
    assert asked("apply", "guards") == list(GUARDS)
    assert "consent=InferenceLimit/search" in asked("apply", "guards", "consent=")


def test_runs_are_offered_from_the_ledger_newest_first(call: Call, here: Path) -> None:
    (here / "policies.yaml").write_text(
        POLICIES.replace("InferenceLimit", "ModelActivation").replace(", tokens: 50M", "")
    )
    assert call("apply", "--yes").exit_code == 0
    [run] = asked("history", "runs")
    assert call("history", run).exit_code == 0
    assert asked("history", "runs", account="prod") == [run]
    assert asked("history", "runs", account="other") == []


@pytest.mark.parametrize(
    "line",
    [
        "modelpolicy nosuchverb ", "modelpolicy plan --nosuchflag x --account ", "modelpolicy platform nosuch ",
        "modelpolicy history --ledger /nowhere/at/all.db ", "modelpolicy history --ledger policies.yaml ",
        "modelpolicy plan nowhere --account ", "modelpolicy plan - --target Infer",
        "modelpolicy history --ledger postgresql://nobody.invalid/x ",
    ],
)  # fmt: skip
def test_whatever_is_wrong_nothing_is_printed_and_no_file_is_made(here: Path, line: str) -> None:
    before = sorted(here.rglob("*"))
    offered(line)
    assert sorted(here.rglob("*")) == before


def test_a_broken_file_hides_only_itself(here: Path) -> None:
    (here / "broken.yaml").write_bytes(b"\xff{{{: [")
    assert asked("plan", "accounts") == ["prod"]


def test_what_takes_longer_than_a_second_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "AT_MOST_S", 0.05)
    monkeypatch.setitem(completing._OFFERS, "accounts", lambda context, incomplete: iter([time.sleep(5)]))  # type: ignore[arg-type]
    started = time.monotonic()
    assert asked("plan", "accounts") == []
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", ["a b", "*", "x\ny", "$(touch owned)", "`id`", "a;b", "", "\x1b[2J", "a'b", "[x]"])
def test_a_name_that_a_shell_would_act_on_is_not_offered(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(completing._OFFERS, "accounts", lambda context, incomplete: iter([(name, ""), ("good", "")]))  # type: ignore[arg-type]
    assert asked("plan", "accounts") == ["good"]
