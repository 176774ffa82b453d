"""A ledger that the first version wrote is read as it is, and is added to without taking anything from that version."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.identity import Identity
from reconciler.ledger import open_ledger
from reconciler.state import Run, Target
from tests.builders import NOW

SQL = Path(__file__).parent / "first_version" / "ledger.sql"
LIMIT = Target("InferenceLimit", "doubao-seed-2-0-lite")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The ledger of a first version that applied an activation, a limit and an override."""
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL.read_text(encoding="utf-8"))
    return path


def test_what_the_first_version_remembered_is_read_and_is_of_no_set(old: Path) -> None:
    before = old.read_bytes()
    ledger = open_ledger(str(old))
    history = ledger.history("default")
    record = history.records[LIMIT]
    assert (record.owner, record.set_name, record.renewal) == ("InferenceLimit/lite", "", "2026-11")
    assert (record.baseline, record.applied) == ({"tokens": None}, {"tokens": 5_000_000})
    assert history.identity is None
    (run,) = ledger.runs()
    assert (run.operation, run.set_name, run.link) == ("apply", "", "")
    assert [entry.result for entry in ledger.entries(run.id)] == ["applied"] * 3
    assert set(ledger.statuses("default")) == {
        "EndpointRateOverride/chat",
        "InferenceLimit/lite",
        "ModelActivation/lite",
    }
    assert ledger.fact("anything") is None
    ledger.close()
    assert old.read_bytes() == before


def test_the_first_write_adds_to_it_once_and_the_first_version_still_reads_it(old: Path) -> None:
    ledger = open_ledger(str(old))
    ledger.bind("default", Identity(platform="embedded", account="one"))
    ledger.begin(Run(id="r2", account="default", operation="apply", actor="ada", set_name="here", started_at=NOW))
    ledger.finish("r2", "converged", NOW + timedelta(seconds=1))
    assert ledger.history("default").identity == Identity(platform="embedded", account="one")
    ledger.close()
    with closing(sqlite3.connect(old)) as connection:  # by the statements of the first version
        assert connection.execute("SELECT max(version) FROM modelpolicy_schema").fetchone() == (1,)
        first = "SELECT id, account, operation, actor, revision, reason, plan, started_at, finished_at, result"
        rows = connection.execute(f"{first} FROM modelpolicy_runs WHERE account = 'default'").fetchall()
        assert len(rows) == 2
        connection.execute(
            "INSERT INTO modelpolicy_runs (id, account, operation, actor, revision, reason, plan, started_at, finished_at, "
            "result) VALUES ('r3', 'default', 'apply', 'bob', '', '', '', ?, NULL, '')", (NOW.isoformat(),),
        )  # fmt: skip
        connection.commit()
    assert {run.id: run.set_name for run in open_ledger(str(old)).runs()}["r3"] == ""
