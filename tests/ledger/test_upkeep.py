"""The journal is kept small without losing what is owned, and a check finds what is damaged or ahead of the clock."""

from contextlib import closing
from datetime import timedelta

import pytest
from builders import NOW

from reconciler.ledger import checking, open_access, open_ledger, upkeep
from reconciler.state import Record, Result, Run
from tests.ledger.test_contract import RECORD, TARGET, change, intent, run, settlement

WORD = Run(
    id="z-word", account="*", operation="ledger prune", actor="ada", started_at=NOW, finished_at=NOW, result="pruned"
)
OLD = NOW - timedelta(days=100)


@pytest.fixture
def journal(place: str) -> str:
    """Three old runs of one account, the second killed; an old one, the last, of another."""
    with closing(open_ledger(place)) as ledger:
        ledger.remember("default", [RECORD])
        for number in range(3):
            pen = ledger.begin(run(f"r{number}", started_at=OLD + timedelta(hours=number)))
            pen.intend([intent(change(f"m{number}"))], OLD)
            if number != 1:
                pen.settle([settlement(change(f"m{number}"), Result.APPLIED)], OLD)
                ledger.finish(f"r{number}", "converged", OLD)
        ledger.begin(run("new", started_at=NOW))
        ledger.finish("new", "converged", NOW)
        ledger.begin(run("alone", account="other", started_at=OLD))
        ledger.finish("alone", "converged", OLD)
    return place


def test_old_runs_go_and_nothing_that_is_still_needed(journal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PART", 1)
    with closing(open_access(journal)) as access, closing(open_ledger(journal)) as ledger:
        before = ledger.history("default")
        done = upkeep.prune(access, WORD, NOW - timedelta(days=90))
        assert (done.runs, done.why) == (2, "")
        assert {each.id for each in ledger.runs()} == {"r1", "new", "alone", "z-word"}
        assert ledger.entries("r0") == ledger.entries("r2") == ()
        assert ledger.history("default") == before
        assert ledger.history("default").records[TARGET] == RECORD
        assert [each.run for each in before.pending] == ["r1"]
        assert done.before > 0 < done.after


def test_a_check_tells_what_is_open_damaged_or_ahead_of_the_clock(journal: str) -> None:
    with closing(open_access(journal)) as access:
        (open_,) = checking.check(access, NOW + timedelta(days=1))
        assert (open_.item, open_.damaged) == ("InferenceLimit/m1", False)
        assert "run r1 began to change it" in open_.message
        with closing(open_ledger(journal)) as ledger:
            ledger.remember("default", [Record(target=TARGET, set_at=NOW + timedelta(days=400))])
        ahead = [each for each in checking.check(access, NOW + timedelta(days=1)) if "future" in each.message]
        assert [(each.item, each.damaged) for each in ahead] == [(f"{TARGET.kind}/{TARGET.name}", False)]
        with access.writing() as session:
            session.run("UPDATE modelpolicy_records SET body = ?", "[]")
            session.run("UPDATE modelpolicy_runs SET started_at = ? WHERE id = ?", "never", "r2")
            session.run("DELETE FROM modelpolicy_runs WHERE id = ?", "r0")
            session.run("UPDATE modelpolicy_entries SET hoped = ? WHERE run = ?", "{", "r1")
        damaged = {each.item for each in checking.check(access, NOW) if each.damaged}
        assert damaged == {f"{TARGET.kind}/{TARGET.name}", "run r0", "run r1", "run r2"}
