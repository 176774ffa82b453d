"""What every ledger keeps, on SQLite and on PostgreSQL alike."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, limit, target

from reconciler.errors import LedgerError, LockHeld
from reconciler.identity import Identity
from reconciler.ledger import Found, Intent, Journal, Ledger, Search, Settlement, open_access, open_ledger
from reconciler.ledger import schema as ledger_schema
from reconciler.ledger.holders import Life, Process
from reconciler.plan import Action, Change, ChangeReason, FieldChange
from reconciler.state import UNOBSERVABLE, Attestation, Capability, Outcome, Record, Result, Run, Target

Open = Callable[..., Ledger]
TARGET = target(limit())
RECORD = Record(
    target=TARGET, owner="InferenceLimit/a", set_name="git.example/policy", source="team/a.yaml", labels={"team": "a"},
    deletion_policy="Revert", protected=True,
    baseline={"tokens": None, "seen": UNOBSERVABLE}, applied={"tokens": 5, "names": ("a", "b"), "on": True},
    equal_at=NOW, set_at=NOW, removed_at=NOW, renewal="2026-12", attestation=Attestation({"tokens": 5}, "ada", NOW),
)  # fmt: skip


def run(id_: str = "r1", account: str = "default", **facts: object) -> Run:
    known = {"operation": "apply", "actor": "ada", "started_at": NOW}
    return Run(id=id_, account=account, **{**known, **facts})  # type: ignore[arg-type]


def change(name: str = "m", tokens: int = 5) -> Change:
    return Change(
        address=f"InferenceLimit/{name}", target=Target("InferenceLimit", name), action=Action.CREATE,
        reason=ChangeReason.DECLARED, capability=Capability.NATIVE, fields=(FieldChange("tokens", None, tokens),),
    )  # fmt: skip


def intent(of: Change) -> Intent:
    return Intent(of, {"tokens": None}, Record(target=of.target, owner=of.address, applied={"tokens": 5}))


def settlement(of: Change, result: Result = Result.APPLIED, record: Record | None = None) -> Settlement:
    return Settlement(of, Outcome(of.address, of.target, result, "because", code="Some.Code"), record)


def test_reading_a_ledger_that_was_never_written_finds_nothing_and_creates_nothing(open_: Open, place: str) -> None:
    ledger = open_()
    history = ledger.history("default")
    assert (history.exists, dict(history.records), history.pending) == (False, {}, ())
    assert (ledger.runs(), ledger.entries("x"), ledger.spent("x")) == ((), (), None)
    assert (ledger.accounts(), ledger.locks()) == ((), ())
    assert dict(ledger.statuses("default")) == {}
    assert place.startswith("postgresql://") or not Path(place).exists()


def test_a_persons_word_is_journaled_whole_beside_the_open_run_of_a_leading_watcher(open_: Open) -> None:
    ledger, word = open_(), change("noted")
    with ledger.lock("default", "watch"):
        pen = ledger.begin(run("r1", operation="watch"))
        pen.intend([intent(change())], NOW)
        noted = run("r2", operation="attest", finished_at=NOW, result="attested", reason="done by ada")
        record = Record(target=word.target, owner=word.address, attestation=Attestation({"tokens": 5}, "ada", NOW))
        open_().note(noted, intent(word), settlement(word, Result.MANUAL, record))
        (entry,) = ledger.entries("r2")
        assert (entry.address, entry.result, dict(entry.after)) == (word.address, "manual", {"tokens": 5})
        assert ledger.runs()[0] == noted
        assert {each.id: each.result for each in ledger.runs()} == {"r1": "", "r2": "attested"}
        history = ledger.history("default")
        assert history.records[word.target] == record
        assert [each.run for each in history.pending] == ["r1"]


def test_a_record_comes_back_as_it_was_remembered(open_: Open) -> None:
    open_().remember("default", [RECORD])
    history = open_().history("default")
    assert history.exists
    assert history.records == {TARGET: RECORD}


def test_a_renewal_that_is_unknown_stays_unknown(open_: Open) -> None:
    open_().remember("default", [Record(target=TARGET, owner="InferenceLimit/a", renewal_unknown=True)])
    assert open_().history("default").records[TARGET].renewal_unknown


def test_remembering_replaces_the_item_s_record_and_no_other(open_: Open) -> None:
    other = Record(target=Target("InferenceLimit", "other"))
    ledger = open_()
    ledger.remember("default", [RECORD, other])
    ledger.remember("default", [Record(target=TARGET, owner="InferenceLimit/b")])
    assert {record.owner for record in ledger.history("default").records.values()} == {"InferenceLimit/b", ""}


def test_the_facts_of_one_account_never_show_in_another(open_: Open) -> None:
    ledger = open_()
    ledger.remember("one", [RECORD])
    ledger.publish("one", {"a": {}})
    journal = ledger.begin(run(account="one"))
    journal.intend([intent(change())], NOW)
    other = ledger.history("two")
    assert (dict(other.records), other.pending, dict(ledger.statuses("two")), ledger.runs("two")) == ({}, (), {}, ())


def test_a_settled_change_is_in_the_journal_and_in_the_records(open_: Open) -> None:
    journal = open_().begin(run(revision="abc", reason="because", plan="digest"))
    journal.intend([intent(change("m")), intent(change("n"))], NOW)
    journal.settle([settlement(change("m"), record=RECORD), settlement(change("n"), Result.FAILED)], NOW)
    ledger = open_()
    ledger.finish("r1", "partial", NOW + timedelta(seconds=1))
    (kept,) = ledger.runs("default")
    assert (kept.revision, kept.reason, kept.plan, kept.result) == ("abc", "because", "digest", "partial")
    assert kept.finished_at == NOW + timedelta(seconds=1)
    first, second = ledger.entries("r1")
    assert (first.sequence, first.address, first.result, first.finished_at) == (1, "InferenceLimit/m", "applied", NOW)
    assert (dict(first.before), dict(first.after)) == ({"tokens": None}, {"tokens": 5})
    assert (second.result, second.message) == ("failed", "because (Some.Code)")
    assert ledger.history("default").pending == ()
    assert ledger.history("default").records[TARGET] == RECORD


def test_what_was_hoped_is_kept_only_until_it_is_known(place: str) -> None:
    with closing(open_ledger(place)) as ledger:
        pen = ledger.begin(run())
        pen.intend([intent(change("m")), intent(change("n"))], NOW)
        pen.settle([settlement(change("m"))], NOW)
    with closing(open_access(place)) as access, access.reading() as session:
        assert session is not None
        hoped = [text for (text,) in session.rows("SELECT hoped FROM modelpolicy_entries ORDER BY sequence")]
    assert hoped[0] == "{}"
    assert "InferenceLimit/n" in hoped[1]


def test_an_intent_survives_the_process_that_never_settled_it(open_: Open) -> None:
    open_().begin(run()).intend([intent(change())], NOW)
    (pending,) = open_().history("default").pending
    assert (pending.run, pending.sequence, pending.at) == ("r1", 1, NOW)
    assert pending.hoped == Record(target=TARGET_M, owner="InferenceLimit/m", applied={"tokens": 5})


TARGET_M = Target("InferenceLimit", "m")


def test_what_a_later_run_found_out_settles_the_killed_one(open_: Open) -> None:
    ledger = open_()
    ledger.begin(run()).intend([intent(change())], NOW)
    ledger.recover("default", [Found("r1", 1, "applied", "found later", RECORD)], NOW)
    (entry,) = ledger.entries("r1")
    assert (entry.result, entry.message) == ("applied", "found later")
    assert ledger.runs()[0].result == "interrupted"
    assert ledger.history("default").pending == ()
    assert ledger.history("default").records[TARGET] == RECORD


def test_a_run_that_was_killed_between_two_changes_is_closed_by_the_next_of_its_account(open_: Open) -> None:
    ledger = open_()
    ledger.begin(run("killed"))
    ledger.begin(run("elsewhere", "two"))
    ledger.begin(run("next", started_at=NOW + timedelta(minutes=1)))
    found = {each.id: (each.result, each.finished_at) for each in ledger.runs()}
    assert found == {
        "killed": ("interrupted", NOW + timedelta(minutes=1)),
        "elsewhere": ("", None),
        "next": ("", None),
    }


def test_runs_come_newest_first_and_at_most_as_many_as_asked(open_: Open) -> None:
    ledger = open_()
    for number in range(4):
        ledger.begin(run(f"r{number}", started_at=NOW + timedelta(minutes=number)))
    ledger.begin(run("other", "two", started_at=NOW))
    assert [each.id for each in ledger.runs("default", limit=3)] == ["r3", "r2", "r1"]
    assert len(ledger.runs()) == 5


def test_runs_are_found_by_what_they_changed_by_whom_when_and_for_which_set(open_: Open) -> None:
    ledger = open_()
    for number, (actor, set_name) in enumerate(
        [("ada@host", "one"), ("octo_cat (GitHub Actions)", "two"), ("50%", "")]
    ):
        pen = ledger.begin(run(f"r{number}", actor=actor, set_name=set_name, started_at=NOW + timedelta(hours=number)))
        pen.intend([intent(change(f"m{number}"))], NOW)
    ledger.begin(run("whole", account="*", actor="ada@host", started_at=NOW - timedelta(hours=1)))

    def found(account: str | None = None, **search: object) -> list[str]:
        return [each.id for each in ledger.runs(account, 50, Search(**search))]  # type: ignore[arg-type]

    assert found(kind="InferenceLimit", name="m1") == ["r1"]
    assert found(kind="InferenceLimit") == ["r2", "r1", "r0"]
    assert found(kind="ModelActivation", name="m1") == found(kind="InferenceLimit", name="m") == []
    assert found(since=NOW + timedelta(hours=1)) == ["r2", "r1"]
    assert found(actor="ADA") == ["r0", "whole"]
    assert (found(actor="o_c"), found(actor="0%"), found(actor="oXc")) == (["r1"], ["r2"], [])
    assert found(set_name="two") == ["r1"]
    assert found(set_name="two", actor="ada") == []
    assert found("default", actor="ada") == ["r0", "whole"]
    assert ledger.accounts() == ("default",)


def test_a_saved_plan_works_once_for_each_account(open_: Open) -> None:
    ledger = open_()
    assert ledger.spent("digest") is None
    ledger.begin(run("r1", plan="digest"))
    ledger.begin(run("r2", account="two", plan="digest"))
    spent = ledger.spent("digest")
    assert spent is not None
    assert spent.id == "r1"
    with pytest.raises(LedgerError, match="applied already"):
        ledger.begin(run("r3", plan="digest"))
    assert len(ledger.runs("default")) == 1


def test_published_statuses_replace_the_former_ones(open_: Open) -> None:
    ledger = open_()
    ledger.publish("default", {"a": {"ready": True}, "b": {"ready": False}})
    ledger.publish("default", {"a": {"ready": False}})
    assert open_().statuses("default") == {"a": {"ready": False}}


def test_the_statuses_of_one_set_are_not_another_s(open_: Open) -> None:
    ledger = open_()
    ledger.publish("default", {"a": {"ready": True}}, "one")
    ledger.publish("default", {"a": {"ready": False}, "b": {"ready": True}}, "two")
    ledger.publish("default", {}, "two")
    assert open_().statuses("default", "one") == {"a": {"ready": True}}
    assert dict(open_().statuses("default", "two")) == {}


def test_an_account_is_bound_to_the_identity_that_was_last_remembered(open_: Open) -> None:
    ledger = open_()
    ledger.bind("default", Identity(platform="ark", scope="cn-beijing/default", at="cn-beijing", key="digest"))
    known = Identity(platform="ark", account="2100", scope="cn-beijing/default")
    ledger.bind("default", known)
    assert open_().history("default").identity == known
    assert open_().history("other").identity is None


def test_a_fact_stays_what_it_was_first(open_: Open) -> None:
    ledger = open_()
    assert ledger.keep_fact("root", "one") == "one"
    assert open_().keep_fact("root", "two") == "one"
    assert (open_().fact("root"), open_().fact("other")) == ("one", None)


def test_a_run_keeps_its_set_and_its_link(open_: Open) -> None:
    open_().begin(run(set_name="git.example/policy", link="https://ci.example/job/1"))
    (kept,) = open_().runs()
    assert (kept.set_name, kept.link) == ("git.example/policy", "https://ci.example/job/1")


def test_what_is_read_in_one_transaction_is_one_moment(place: str) -> None:
    access, other = open_access(place), open_ledger(place)
    other.remember("default", [RECORD])
    with access.reading() as session:
        assert session is not None
        count = "SELECT count(*) FROM modelpolicy_records"
        before = session.rows(count)
        other.remember("default", [Record(target=TARGET_M)])
        assert session.rows(count) == before == [(1,)]
    other.close()
    access.close()


def test_only_one_holder_has_the_lock_and_the_other_is_told_who(open_: Open) -> None:
    with open_().lock("default", "apply") as lease:
        assert lease.held()
        with pytest.raises(LockHeld) as refused, open_().lock("default", "watch"):
            pass
        assert f"pid {os.getpid()}, apply, since " in refused.value.holder
        assert "@" in refused.value.holder
        with open_().lock("another", "apply") as other:
            assert other.held()
    assert not lease.held()
    with open_().lock("default", "apply") as again:
        assert again.held()


def test_many_who_come_at_once_to_a_new_ledger_get_the_lock_in_turn(open_: Open) -> None:
    """Each opens, writes and closes it: SQLite's own waiting does not cover who comes first and who goes last."""
    start, got = threading.Barrier(8), []

    def come() -> None:
        start.wait()
        ledger = open_()
        with ledger.lock("default", "apply", wait_s=30):
            got.append(ledger)

    many = [threading.Thread(target=come) for _ in range(8)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert len(got) == 8


def test_a_waiting_run_gets_the_lock_once_it_is_free(open_: Open) -> None:
    import threading

    first, second = open_(), open_()
    got = threading.Event()

    def wait() -> None:
        with second.lock("default", "apply", wait_s=10):
            got.set()

    with first.lock("default", "apply"):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not got.wait(0.2)
    assert got.wait(10)
    waiter.join()


def test_the_heartbeat_keeps_a_lease_far_beyond_its_length(open_: Open) -> None:
    with open_(lease_s=0.4).lock("default", "apply") as lease:
        time.sleep(0.8)
        assert lease.held()
        with pytest.raises(LockHeld), open_().lock("default", "apply"):
            pass


def test_a_broken_lock_is_noticed_by_its_former_holder(open_: Open) -> None:
    with open_(lease_s=0.2).lock("default", "apply") as lease:
        (lock,) = open_().locks()
        assert (lock.account, lock.verdict.life) == ("default", Life.LIVES)
        assert "apply" in lock.held.holder
        assert open_().unlock(lock, run("breaks", operation="unlock", finished_at=NOW, result="unlocked"))
        assert not open_().unlock(lock, run("again", operation="unlock"))
        assert [each.id for each in open_().runs()] == ["breaks"]
        until = time.monotonic() + 5
        while lease.held() and time.monotonic() < until:
            time.sleep(0.02)
        assert not lease.held()
        with open_().lock("default", "other") as theirs:
            assert theirs.held()


CHILD = """
import sys, os
from reconciler.ledger import open_ledger
ledger = open_ledger(sys.argv[1], lease_s=float(sys.argv[2]))
with ledger.lock("default", "apply"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def _killed_holder(place: str, lease_s: float) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, place, str(lease_s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "locked\n"
    child.kill()
    child.communicate()


def test_the_lock_of_a_dead_process_of_this_machine_is_taken_over_at_once(open_: Open, place: str) -> None:
    _killed_holder(place, 3600)
    with open_().lock("default", "apply") as lease:
        assert lease.held()


def test_the_lock_of_a_dead_process_elsewhere_frees_itself_after_its_lease(
    open_: Open, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_holder(place, 1.0)
    monkeypatch.setattr("reconciler.ledger.holders.here", lambda: Process("another machine", 1, "1", "another clock"))
    with pytest.raises(LockHeld), open_().lock("default", "apply"):
        pass
    with open_().lock("default", "apply", wait_s=10) as lease:
        assert lease.held()


def test_a_holder_that_cannot_reach_its_ledger_stops_trusting_its_lock(
    open_: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_(lease_s=2.0)
    with ledger.lock("default", "apply") as lease:
        monkeypatch.setattr(type(lease), "_write", lambda *_: None)  # no answer
        assert lease.held()
        time.sleep(2.0)
        assert not lease.held()


def test_a_ledger_from_a_newer_version_is_refused_with_what_to_do(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    open_().remember("default", [RECORD])
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", ())
    with pytest.raises(LedgerError, match=r"schema version 1.*newer modelpolicy"):
        open_().history("default")
    with pytest.raises(LedgerError, match="schema version 1"):
        open_().remember("default", [RECORD])


def test_an_older_ledger_is_brought_up_to_date_once(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    open_().remember("default", [RECORD])
    added = "CREATE TABLE modelpolicy_test (a integer)"
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", (*ledger_schema.MIGRATIONS, (added,)))
    for _ in range(2):
        open_().remember("default", [Record(target=TARGET_M)])
    assert set(open_().history("default").records) == {TARGET, TARGET_M}


def test_many_threads_write_one_journal(open_: Open) -> None:
    from concurrent.futures import ThreadPoolExecutor

    ledger = open_()
    journal: Journal = ledger.begin(run())

    def one(number: int) -> None:
        journal.intend([intent(change(f"m{number}"))], NOW)
        journal.settle([settlement(change(f"m{number}"))], NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(40)))
    entries = ledger.entries("r1")
    assert [each.sequence for each in entries] == list(range(1, 41))
    assert {each.result for each in entries} == {"applied"}


def test_a_postgresql_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    ledger = open_ledger("postgresql://ada:hunter2@127.0.0.1:1/ledger")
    with pytest.raises(LedgerError, match="cannot be reached") as error:
        ledger.history("default")
    assert "hunter2" not in str(error.value)


def test_a_reader_gets_past_what_a_process_killed_in_its_first_write_left(tmp_path: Path) -> None:
    """A hot journal: SQLite itself takes it back, but not for a connection that may only read."""
    place = tmp_path / "ledger.db"
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('CREATE TABLE modelpolicy_schema (version integer NOT NULL)')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.executemany('INSERT INTO modelpolicy_schema VALUES (?)', [(1,)] * 200000)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(place)], check=False)
    assert (tmp_path / "ledger.db-journal").exists()
    ledger = open_ledger(str(place))
    with pytest.raises(
        LedgerError, match="damaged"
    ):  # there is a table and no version in it, which is told as what it is
        ledger.history("default")
    ledger.close()
