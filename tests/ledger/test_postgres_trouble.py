"""What goes wrong with a PostgreSQL ledger is a sentence with what to do, without the password, and passes with its cause."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from builders import NOW, account, activation
from ledger.servers import Server
from stage import Stage

from reconciler.errors import LedgerError
from reconciler.ledger import Ledger, open_ledger
from reconciler.state import Record, Result, Run, Target

RECORD = Record(target=Target("InferenceLimit", "m"))


@pytest.fixture
def database(postgres: Server) -> str:
    return postgres.new_database()


@pytest.fixture
def ledger(postgres: Server, database: str) -> Iterator[Ledger]:
    opened = open_ledger(postgres.url(database))
    opened.remember("default", [RECORD])
    yield opened
    opened.close()


def said(postgres: Server, database: str, *statements: str) -> list[tuple[object, ...]]:
    """What the server's superuser is told."""
    with psycopg.connect(postgres.url(database), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def test_a_user_without_rights_is_told_what_to_grant(postgres: Server, database: str, ledger: Ledger) -> None:
    said(postgres, database, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    theirs = open_ledger(postgres.url(database, "guest"))
    with pytest.raises(LedgerError, match=r"permission.*grant.*SELECT, INSERT, UPDATE, DELETE.*modelpolicy_"):
        theirs.history("default")
    empty = open_ledger(postgres.url(postgres.new_database(), "guest"))
    with pytest.raises(LedgerError, match=r"permission.*grant.*CREATE"):
        empty.remember("default", [RECORD])
    said(postgres, database, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest")
    assert set(theirs.history("default").records) == {RECORD.target}
    theirs.remember("default", [RECORD])  # what the message asks for is enough
    for each in (theirs, empty):
        each.close()


def test_a_standby_is_told_to_be_read_only(postgres: Server, database: str, ledger: Ledger) -> None:
    said(postgres, database, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    standby = open_ledger(postgres.url(database))
    assert standby.history("default").records
    with pytest.raises(LedgerError, match="read-only"):
        standby.remember("default", [RECORD])
    standby.close()


def test_a_full_disk_of_the_server_is_said_and_nothing_is_half_written(
    postgres: Server, database: str, ledger: Ledger
) -> None:
    small = postgres.home / f"small-{database}"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root, where mounting is allowed")
    try:
        subprocess.run(["chown", "postgres", str(small)], check=True)
        move = f"ALTER TABLE modelpolicy_records SET TABLESPACE {database}"
        said(postgres, database, f"CREATE TABLESPACE {database} LOCATION '{small}'", move)
        many = [Record(target=Target("InferenceLimit", f"{n:090}"), source="x" * 900) for n in range(1000)]
        with pytest.raises(LedgerError, match=r"no room left.*run the same command again"):
            ledger.remember("default", many)
        assert set(ledger.history("default").records) == {RECORD.target}
        said(postgres, database, "ALTER TABLE modelpolicy_records SET TABLESPACE pg_default")
        said(postgres, database, f"DROP TABLESPACE {database}")
        ledger.remember("default", many)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_damaged_page_is_said_to_be_damage(postgres: Server, database: str, ledger: Ledger) -> None:
    ledger.close()
    ((where,),) = said(postgres, database, "CHECKPOINT", "SELECT pg_relation_filepath('modelpolicy_records')")
    postgres.stop()
    with Path(postgres.data / str(where)).open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 2000)
    assert postgres.start()
    with pytest.raises(LedgerError, match=r"is damaged.*restore a backup"):
        ledger.history("default")


def test_a_server_that_is_restarted_during_a_run_ends_neither_its_lease_nor_its_journal(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    stage = Stage(tmp_path)
    stage.ledger = open_ledger(postgres.url(database), lease_s=20)
    stage.models("a", "b")
    read = stage.platform.read

    def restarted(target: Target):
        if len(stage.platform.writes) == 1:
            stage.platform.read = read
            postgres.stop()
            assert postgres.start()
        return read(target)

    stage.platform.read = restarted  # type: ignore[method-assign]
    done = stage.apply(account(), activation("a"), activation("b"))
    assert [outcome.result for outcome in done.outcomes] == [Result.APPLIED] * 2
    assert done.failures == ()
    assert [entry.result for entry in stage.ledger.entries(done.run)] == ["applied"] * 2
    assert said(postgres, database, "SELECT count(*) FROM modelpolicy_locks") == [(0,)]
    stage.close()


def test_a_server_that_goes_away_in_a_run_stops_it_and_what_it_did_is_still_told(
    postgres: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.ledger.database.PATIENCE_S", 0.1)
    stage = Stage(tmp_path)
    stage.ledger = open_ledger(postgres.url(database), lease_s=20)
    stage.models("a", "b")
    read = stage.platform.read

    def gone(target: Target):
        if len(stage.platform.writes) == 1:
            stage.platform.read = read
            postgres.stop()
        return read(target)

    stage.platform.read = gone  # type: ignore[method-assign]
    try:
        done = stage.apply(account(writes={"concurrency": 1, "perSecond": 1000}), activation("a"), activation("b"))
    finally:
        assert postgres.start()
    assert [outcome.result for outcome in done.outcomes] == [Result.APPLIED, Result.SKIPPED]
    assert "cannot be reached" in done.failures[0].message
    (lock,) = stage.ledger.locks()  # it could not be given back; of a dead process it is taken over
    word = Run(
        id="u", account="default", operation="unlock", actor="ada", started_at=NOW, finished_at=NOW, result="unlocked"
    )
    assert stage.ledger.unlock(lock, word)
    again = stage.apply(account(), activation("a"), activation("b"))
    assert [outcome.address for outcome in again.outcomes] == ["ModelActivation/b"]
    assert stage.ledger.history("default").pending == ()
    stage.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:hun/ter2@127.0.0.1:1/ledger",  # unescaped: libpq and we read other things as the host
        "postgresql://ada:hun@ter2@127.0.0.1:1/ledger",
        "postgresql://ada:ter2]@[::1/ledger",
        "postgresql://127.0.0.1:1/ledger?password=hunter2&bogus=ter2",
        "postgresql://127.0.0.1:1/ledger?password=hunter2",
        "postgresql://ada:hunter2@127.0.0.1:1/ledger",
    ],
)
def test_no_part_of_a_password_is_said_however_the_url_was_mistyped(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        open_ledger(url).history("default")
    chain: list[BaseException | None] = [error.value]
    while chain[-1] is not None:
        chain.append(chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__))
    assert not any("ter2" in str(each) or "hun" in str(each) for each in chain if each)
    assert "reached" in str(error.value) or "%" in str(error.value)
