"""`unlock` says whose lock it is and how that is known, and breaks that of a living run only when it is told to."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import NOW

from reconciler.cli.exits import Exit
from reconciler.ledger import Ledger, open_ledger
from reconciler.state import Run
from tests.cli.conftest import Call
from tests.ledger.test_holders import ELSEWHERE, HOLDER

RUN = "20261123T120000Z-aaaa"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """With a killed run of account prod, whose lock is free."""
    opened = open_ledger(str(tmp_path / "ledger.db"))
    opened.begin(Run(id=RUN, account="prod", operation="apply", actor="ada", started_at=NOW))
    yield opened
    opened.close()


@pytest.fixture
def unlock(call: Call, ledger: Ledger, tmp_path: Path):
    return lambda *words: call("unlock", *words, "--ledger", str(tmp_path / "ledger.db"))


def left_by_a_killed_process(tmp_path: Path, lease_s: float, **columns: object) -> None:
    """A lock of a process that is gone, its row as another machine would have written it."""
    path = str(tmp_path / "ledger.db")
    script = HOLDER.replace('"default"', '"prod"')
    with subprocess.Popen(
        [sys.executable, "-c", script, path, str(lease_s), "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        child.kill()
    with closing(sqlite3.connect(path)) as connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE modelpolicy_locks SET {name} = ?", (value,))
        connection.commit()


def test_an_account_that_is_not_locked_is_told(unlock) -> None:
    for words in ((), ("--account", "prod"), (RUN,)):
        said = unlock(*words)
        assert (said.exit_code, said.stdout) == (Exit.OK, "Account prod is not locked.\n")


def test_an_account_that_the_ledger_does_not_know_is_told_with_the_nearest(unlock) -> None:
    said = unlock("--account", "pord")
    assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
    assert "the ledger knows no account 'pord': did you mean prod?" in said.stderr


def test_a_ledger_that_is_not_there_is_told(call: Call, tmp_path: Path) -> None:
    said = call("unlock", "--ledger", str(tmp_path / "typo.db"))
    assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
    assert "empty or not there yet" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_living_run_is_not_broken_unasked(unlock, ledger: Ledger) -> None:
    with ledger.lock("prod", "watch") as lease:
        for words in ((), ("--account", "prod"), (RUN,), (RUN[:-2],)):
            said = unlock(*words)
            assert (said.exit_code, said.stdout) == (Exit.LOCKED, "")
            for part in ("is alive", "watch, since", f"(run {RUN})", "renewed its lock", "--force"):
                assert part in said.stderr
        assert lease.held()
    assert [each.operation for each in ledger.runs()] == ["apply"]


def test_with_force_it_is_broken_and_journaled(unlock, ledger: Ledger) -> None:
    with ledger.lock("prod", "watch"):
        said = unlock("--account", "prod", "--force")
        assert said.exit_code == Exit.OK
        assert "Account prod is unlocked; its lock was held by " in said.stdout
        assert ledger.locks() == ()
    run = ledger.runs()[0]
    assert (run.operation, run.result, run.account) == ("unlock", "unlocked", "prod")
    assert "broken by force: the lock of " in run.reason
    assert RUN in run.reason


def test_the_lock_of_a_dead_process_is_broken_and_says_how_it_is_known(unlock, ledger: Ledger, tmp_path: Path) -> None:
    left_by_a_killed_process(tmp_path, 3600)
    said = unlock()
    assert said.exit_code == Exit.OK
    assert "runs on this machine any more" in said.stdout
    assert "by force" not in ledger.runs()[0].reason


def test_a_lock_that_may_be_alive_is_watched_for_a_lease_first(unlock, tmp_path: Path) -> None:
    left_by_a_killed_process(tmp_path, 0.5, machine=ELSEWHERE.machine, clock=ELSEWHERE.clock, expires=0.0)
    said = unlock()
    assert said.exit_code == Exit.OK
    assert "may differ from its own; watching it for" in said.stderr
    assert "has not renewed its lock in" in said.stdout


def test_a_lock_elsewhere_that_still_runs_counts_as_alive(unlock, tmp_path: Path) -> None:
    left_by_a_killed_process(tmp_path, 30, machine=ELSEWHERE.machine, clock=ELSEWHERE.clock)
    assert unlock().exit_code == Exit.LOCKED
    assert unlock("--force").exit_code == Exit.OK


def test_of_several_locks_one_has_to_be_named(unlock, ledger: Ledger) -> None:
    with ledger.lock("prod", "watch"), ledger.lock("dev", "watch"):
        said = unlock("--force")
        assert said.exit_code == Exit.USAGE
        assert "the accounts dev, prod are locked: name one with --account" in said.stderr
    said = unlock()
    assert (said.exit_code, said.stdout) == (Exit.OK, "Account prod is not locked.\n")


def test_a_run_that_ended_holds_no_lock(unlock, ledger: Ledger) -> None:
    ledger.finish(RUN, "converged", NOW)
    said = unlock(RUN)
    assert said.exit_code == Exit.USAGE
    assert f"run {RUN} ended as converged, so it holds no lock" in said.stderr
    assert unlock("nope").exit_code == Exit.UNEXPECTED
