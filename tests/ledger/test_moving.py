"""A ledger that is moved is whole at its new place and used nowhere else; a backup is of one moment, and knows what it cannot know."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from ledger.servers import Server

from reconciler.errors import LedgerError, LockHeld
from reconciler.identity import Identity
from reconciler.ledger import Ledger, Settlement, moving, open_access, open_ledger
from reconciler.ledger.database import Access
from reconciler.state import Result, Run
from tests.ledger.test_contract import RECORD, TARGET, TARGET_M, change, intent, run, settlement

PAIRS = ("sqlite sqlite", "sqlite postgres", "postgres sqlite", "postgres postgres")
WORD = Run(id="word", account="*", operation="ledger", actor="ada", started_at=NOW, finished_at=NOW, result="moved")


_OPENED: list[Ledger] = []


def opened(where: str) -> Ledger:
    """The ledger there, closed with the test."""
    _OPENED.append(open_ledger(where))
    return _OPENED[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A place of that kind where nothing is yet."""
    made: list[str] = []

    def at(kind: str) -> str:
        made.append(kind)
        if kind == "sqlite":
            return str(tmp_path / f"ledger-{len(made)}.db")
        server: Server = request.getfixturevalue("postgres")
        return server.url(server.new_database())

    return at


@pytest.fixture
def ways(request: pytest.FixtureRequest, place: Callable[[str], str]) -> tuple[str, str]:
    one, other = request.param.split()
    return place(one), place(other)


def fill(where: str) -> None:
    ledger = opened(where)
    ledger.remember("default", [RECORD])
    ledger.bind("default", Identity(platform="embedded", account="one"))
    ledger.publish("default", {"a": {"ready": True}}, "one")
    ledger.keep_fact("root", "kept")
    pen = ledger.begin(run("r1", set_name="one", link="https://ci.example/1"))
    pen.intend([intent(change("m")), intent(change("n"))], NOW)
    pen.settle([settlement(change("n"), Result.APPLIED, RECORD)], NOW)
    ledger.close()


def told(where: str) -> tuple[object, ...]:
    ledger = opened(where)
    runs = [each for each in ledger.runs() if each.account != WORD.account]
    said = (
        ledger.history("default"), ledger.statuses("default", "one"), ledger.fact("root"), runs,
        [ledger.entries(each.id) for each in runs], ledger.accounts(),
    )  # fmt: skip
    ledger.close()
    return said


def moved(one: str, other: str, word: Run = WORD) -> int:
    with closing(open_access(one)) as source, closing(open_access(other)) as target:
        return moving.move(source, target, word)


@pytest.mark.parametrize("ways", PAIRS, indirect=True)
def test_all_that_is_remembered_is_at_the_new_place_and_the_old_one_is_refused(ways: tuple[str, str]) -> None:
    one, other = ways
    fill(one)
    before = told(one)
    assert moved(one, other) > 0
    assert told(other) == before
    assert opened(other).runs()[0].operation == "ledger"
    old = opened(one)
    for use in (lambda: old.history("default"), old.runs, lambda: old.keep_fact("a", "b"),
                lambda: old.lock("default", "apply").__enter__()):  # fmt: skip
        with pytest.raises(LedgerError, match=r"was moved to .* use that one"):
            use()
    assert moved(one, other) == 0
    opened(other).keep_fact("still", "works")
    assert moved(other, one, Run(**{**vars_of(WORD), "id": "back"})) > 0
    assert opened(one).fact("still") == "works"
    with pytest.raises(LedgerError, match="was moved to"):
        opened(other).runs()


def vars_of(word: Run) -> dict[str, object]:
    return {name: getattr(word, name) for name in word.__dataclass_fields__}


@pytest.mark.parametrize("ways", PAIRS, indirect=True)
def test_a_move_that_is_interrupted_leaves_the_source_or_is_ended_by_the_same_command(
    ways: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = ways
    fill(one)
    before = told(one)

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        original, calls = moving.seal.put, []

        def put(*arguments: object) -> None:
            calls.append(1)
            if len(calls) == 2:
                raise Killed  # the target is written, the source not yet sealed
            original(*arguments)  # type: ignore[arg-type]

        patch.setattr(moving.seal, "put", put)
        with pytest.raises(Killed):
            moved(one, other)
    assert told(one) == before
    with pytest.raises(LedgerError, match=r"a move from .* that was interrupted"):
        opened(other).history("default")
    opened(one).keep_fact("later", "too")
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_unseal", killed)  # the source is sealed, the target not yet unsealed
        with pytest.raises(Killed):
            moved(one, other)
    for where in ways:
        with pytest.raises(LedgerError, match="move"):
            opened(where).runs()
    assert moved(one, other) == 0
    assert opened(other).fact("later") == "too"
    assert told(other) == before


@pytest.mark.parametrize("ways", PAIRS, indirect=True)
def test_a_ledger_on_which_somebody_works_is_not_moved_and_none_is_overwritten(ways: tuple[str, str]) -> None:
    one, other = ways
    fill(one)
    with opened(one).lock("default", "watch"), pytest.raises(LockHeld):
        moved(one, other)
    assert told(one)
    fill(other)
    for first, second in ((one, other), (one, one)):
        with pytest.raises(LedgerError, match="already, which is not overwritten"):
            moved(first, second)
    assert told(one)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_is_not_there_is_not_moved_and_not_made(place: Callable[[str], str], kind: str) -> None:
    one, other = place(kind), place("sqlite")
    with pytest.raises(LedgerError, match="there is no ledger at"):
        moved(one, other)
    for where in (one, other):
        assert where.startswith("postgresql") or not Path(where).exists()


def test_an_open_session_of_an_earlier_version_cannot_write_into_a_moved_ledger(place: Callable[[str], str]) -> None:
    one, other = place("sqlite"), place("sqlite")
    fill(one)
    with closing(sqlite3.connect(one, isolation_level=None)) as connection:
        assert connection.execute("SELECT max(version) FROM modelpolicy_schema").fetchone() == (1,)
        moved(one, other)
        with pytest.raises(sqlite3.IntegrityError, match=f"this ledger was moved to {other}"):
            connection.execute("DELETE FROM modelpolicy_records")
        assert connection.execute("SELECT max(version) FROM modelpolicy_schema").fetchone()[0] > 1


@pytest.mark.parametrize("ways", PAIRS, indirect=True)
def test_a_backup_is_of_one_moment_and_is_read_but_not_used(ways: tuple[str, str]) -> None:
    one, other = ways
    fill(one)
    before = told(one)
    with closing(open_access(one)) as source, closing(open_access(other)) as target:
        moving.copy(source, target, NOW.isoformat())
    assert told(other) == before == told(one)
    backup = opened(other)
    for use in (lambda: backup.keep_fact("a", "b"), lambda: backup.lock("default", "apply").__enter__()):
        with pytest.raises(LedgerError, match="is a backup of"):
            use()


def test_a_backup_is_whole_while_others_write(place: Callable[[str], str]) -> None:
    one = place("sqlite")
    fill(one)
    stop = threading.Event()

    def write() -> None:
        ledger = opened(one)
        number = 0
        while not stop.is_set():
            number += 1
            pen = ledger.begin(run(f"w{number:05}", started_at=NOW + timedelta(seconds=number)))
            pen.intend([intent(change("m"))], NOW)
            pen.settle([Settlement(change("m"), settlement(change("m")).outcome, None)], NOW)
            ledger.finish(f"w{number:05}", "converged", NOW)
        ledger.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            other = place("sqlite")
            with closing(open_access(one)) as source, closing(open_access(other)) as target:
                moving.copy(source, target, NOW.isoformat())
            backup = opened(other)
            for each in backup.runs():
                assert len(backup.entries(each.id)) <= 2
                assert each.result != "converged" or [entry.result for entry in backup.entries(each.id)] == ["applied"]
            backup.close()
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("ways", PAIRS, indirect=True)
def test_a_restored_ledger_knows_that_renewals_may_have_been_set_since(
    ways: tuple[str, str], place: Callable[[str], str]
) -> None:
    one, other = ways
    fill(one)
    restored = place("sqlite")
    with (
        closing(open_access(one)) as source,
        closing(open_access(other)) as target,
        closing(open_access(restored)) as last,
    ):
        moving.copy(source, target, NOW.isoformat())
        moving.restore(target, last, WORD)
    ledger = opened(restored)
    history = ledger.history("default")
    assert (history.records[TARGET].renewal, history.records[TARGET].renewal_unknown) == (None, True)
    assert history.records[TARGET].baseline == RECORD.baseline
    assert [(each.hoped.target, each.hoped.renewal_unknown) for each in history.pending] == [(TARGET_M, True)]
    assert ledger.keep_fact("it", "works") == "works"
    with (
        closing(open_access(other)) as target,
        closing(open_access(restored)) as last,
        pytest.raises(LedgerError, match="already"),
    ):
        moving.restore(target, last, WORD)


MOVE = """
import sys
from datetime import datetime, UTC
from reconciler.ledger import moving, open_access
from reconciler.state import Run
now = datetime.now(UTC)
word = Run(id="w", account="*", operation="ledger move", actor="a", started_at=now, finished_at=now, result="moved")
print("go", flush=True)
print(moving.move(open_access(sys.argv[1]), open_access(sys.argv[2]), word))
"""


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.05, 0.1])
def test_killed_at_any_moment_there_is_one_ledger_and_it_is_whole(place: Callable[[str], str], after_s: float) -> None:
    one, other = place("sqlite"), place("sqlite")
    fill(one)
    before = told(one)
    child = subprocess.Popen([sys.executable, "-c", MOVE, one, other], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "go\n"
    threading.Event().wait(after_s)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    moved(one, other)
    assert told(other) == before


def test_of_two_moves_at_once_one_happens(place: Callable[[str], str]) -> None:
    one = place("sqlite")
    others = [place("sqlite") for _ in range(2)]
    fill(one)
    before = told(one)
    children = [
        subprocess.Popen([sys.executable, "-c", MOVE, one, other], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for other in others
    ]
    for child in children:
        child.communicate()
    codes = [child.returncode for child in children]
    assert sorted(codes) == [0, 1]
    assert told(others[codes.index(0)]) == before


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Access]:
    """A ledger on a disk that is full as soon as something is written: SQLite's own bound stands in for it."""
    access = open_access(str(tmp_path / "tiny.db"))
    session = access.database.session

    def bounded(*, write: bool):
        made = session(write=write)
        if made is not None:
            made.rows("PRAGMA max_page_count = 8")
        return made

    access.database.session = bounded  # type: ignore[method-assign]
    yield access
    access.close()


def test_a_full_disk_at_the_new_place_leaves_the_old_one_as_it_was(place: Callable[[str], str], tiny: Access) -> None:
    one = place("sqlite")
    fill(one)
    before = told(one)
    with closing(open_access(one)) as source, pytest.raises(LedgerError, match="the disk is full"):
        moving.move(source, tiny, WORD)
    assert told(one) == before
