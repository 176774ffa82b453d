"""A lock is a living process's until it ends: no clock that is set takes it away, and no number that is given again keeps it."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import LockHeld
from reconciler.ledger import Ledger, holders, open_ledger
from reconciler.ledger.holders import Held, Life, Process, judge
from reconciler.ledger.sqlite import Sqlite

STEPS_S = (60.0, 400 * 86_400.0, -60.0, -400 * 86_400.0)
ELSEWHERE = Process("other-host other-boot pid:[1]", 4321, "99", "other-boot time:[1]")
NOW_SQL = Sqlite.now_sql

HOLDER = """
import sys
from reconciler.ledger import open_ledger
from reconciler.ledger.sqlite import Sqlite
Sqlite.now_sql = f"({Sqlite.now_sql} + {sys.argv[3]})"
with open_ledger(sys.argv[1], lease_s=float(sys.argv[2])).lock("default", "apply") as lease:
    print("locked", flush=True)
    for line in sys.stdin:
        print(lease.held(), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.db")


@contextmanager
def held_by(path: str, lease_s: float, step_s: float = 0.0) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock, its wall clock ahead by `step_s`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path, str(lease_s), str(step_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        try:
            yield child
        finally:
            child.kill()


def still_holds(child: "subprocess.Popen[str]") -> bool:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    return child.stdout.readline() == "True\n"


def clock_of_looker(monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    monkeypatch.setattr(Sqlite, "now_sql", f"({NOW_SQL} + {step_s})")


def row(path: str, **columns: object) -> None:
    """Change the lock's row as another process would have written it."""
    with closing(sqlite3.connect(path)) as connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE modelpolicy_locks SET {name} = ?", (value,))
        connection.commit()


def refused(ledger: Ledger, **how: object) -> bool:
    try:
        with ledger.lock("default", "apply", **how):  # type: ignore[arg-type]
            return False
    except LockHeld:
        return True


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_living_holder_on_this_machine_is_not_overtaken_when_the_wall_clock_is_set(
    path: str, step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_by(path, 30) as child:
        clock_of_looker(monkeypatch, step_s)
        started = time.monotonic()
        assert refused(open_ledger(path))
        assert time.monotonic() - started < 5
        assert still_holds(child)


@pytest.mark.parametrize("step_s", STEPS_S)
def test_the_lock_of_a_killed_holder_is_free_at_once_whatever_its_clock_said(path: str, step_s: float) -> None:
    with held_by(path, 3600, step_s) as child:
        child.kill()
        child.wait()
    assert not refused(open_ledger(path))


def test_a_holder_that_stands_still_for_longer_than_its_lease_loses_the_lock_and_knows_it(path: str) -> None:
    with held_by(path, 1.0) as child:
        child.send_signal(signal.SIGSTOP)
        assert refused(open_ledger(path))
        with open_ledger(path).lock("default", "apply", wait_s=10) as lease:
            child.send_signal(signal.SIGCONT)
            assert lease.held()
            assert not still_holds(child)


def test_a_process_number_that_was_given_again_holds_nothing(path: str) -> None:
    with held_by(path, 3600) as child:
        child.kill()
        child.wait()
    row(path, pid=os.getpid())  # which lives, but was started at another time
    assert not refused(open_ledger(path))


def test_a_reboot_frees_the_lock_though_a_process_has_its_number_again(path: str) -> None:
    """The boot is another one, so its lease is judged by the clock: over, and not renewed for a lease."""
    with held_by(path, 0.5) as child:
        child.kill()
        child.wait()
    host, _, space = holders.here().machine.split()
    row(path, pid=os.getpid(), machine=f"{host} another-boot {space}", clock=f"another-boot {space}")
    time.sleep(0.5)
    started = time.monotonic()
    assert not refused(open_ledger(path))
    assert 0.4 < time.monotonic() - started < 5


def test_a_lock_that_was_written_by_a_clock_far_ahead_does_not_last_for_ever(path: str) -> None:
    with held_by(path, 0.5, 400 * 86_400.0) as child:
        child.kill()
        child.wait()
    row(path, machine=ELSEWHERE.machine, clock=ELSEWHERE.clock)
    assert not refused(open_ledger(path))


@pytest.mark.parametrize("step_s", [60.0, -400 * 86_400.0])
def test_a_living_holder_elsewhere_is_known_by_its_next_renewal_when_this_clock_was_set(
    path: str, step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_by(path, 2.0) as child:
        clock_of_looker(monkeypatch, step_s)
        monkeypatch.setattr(holders, "here", lambda: replace(ELSEWHERE, pid=1))
        started = time.monotonic()
        assert refused(open_ledger(path))
        assert time.monotonic() - started < 2.0  # a renewal was seen
        assert still_holds(child)


def test_who_asks_again_by_itself_is_answered_at_once_and_gets_a_silent_lock_after_a_lease(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_by(path, 1.0) as child:
        child.kill()
        child.wait()
    row(path, machine=ELSEWHERE.machine, clock=ELSEWHERE.clock)
    clock_of_looker(monkeypatch, 60.0)
    ledger = open_ledger(path)
    started = time.monotonic()
    assert refused(ledger, at_once=True)
    assert time.monotonic() - started < 0.5
    time.sleep(1.0)
    assert not refused(ledger, at_once=True)


def test_of_two_who_wait_for_a_silent_lock_one_gets_it(path: str) -> None:
    with held_by(path, 0.5) as child:
        child.kill()
        child.wait()
    row(path, machine=ELSEWHERE.machine, clock=ELSEWHERE.clock, expires=0.0)
    got: list[bool] = []

    def ask() -> None:
        try:
            with open_ledger(path, lease_s=5).lock("default", "apply"):
                got.append(True)
                time.sleep(1.5)
        except LockHeld:
            got.append(False)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(got) == [False, True]


def first_version_row(path: str, pid: int, expires_in_s: float) -> None:
    """The lock as the first version writes it: without start time and boot clock."""
    ledger = open_ledger(path)
    ledger.keep_fact("a", "b")
    ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO modelpolicy_locks (account, token, holder, machine, pid, expires) "
            f"VALUES ('default', 't', 'ada@host pid {pid}, apply, since then', ?, ?, {NOW_SQL} + ?)",
            (holders.here().machine, pid, expires_in_s),
        )
        connection.commit()


def test_a_lock_of_the_first_version_is_its_living_process_s(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first_version_row(path, os.getppid(), 30)
    assert refused(open_ledger(path))
    clock_of_looker(monkeypatch, 60.0)
    beating = threading.Event()

    def beat() -> None:
        time.sleep(0.5)
        row(path, expires=time.time() + 30)
        beating.set()

    thread = threading.Thread(target=beat)
    thread.start()
    assert refused(open_ledger(path))
    assert beating.is_set()
    thread.join()


def test_a_lock_of_a_dead_process_of_the_first_version_is_free_at_once(path: str) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    first_version_row(path, dead.pid, 3600)
    assert not refused(open_ledger(path))


def held(process: Process, left_s: float, ends_in_s: float = 0.0) -> Held:
    return Held("t", "ada", process, 30.0, holders.boot_s() + ends_in_s, 0.0, left_s)


@pytest.fixture
def me() -> Process:
    return holders.here()


Make = Callable[[Process], Process]
CASES: list[tuple[str, Make, float, float, bool, Life]] = [
    ("this very process", lambda me: me, -60, 20, False, Life.LIVES),
    ("this process, its lease over by the boot clock", lambda me: me, 60, -1, False, Life.GONE),
    ("a number that is given again", lambda me: replace(me, started="1"), 20, 20, False, Life.GONE),
    ("a number that nobody has", lambda me: replace(me, pid=2**22 + 1), 20, 20, False, Life.GONE),
    ("a number that is none", lambda me: replace(me, pid=2**40), 20, 20, False, Life.GONE),
    ("another container of this machine", lambda me: replace(me, machine="c boot pid:[7]"), -60, 20, False, Life.LIVES),
    ("another container, over", lambda me: replace(me, machine="c boot pid:[7]"), 60, -1, False, Life.GONE),
    ("elsewhere, on a shared clock", lambda me: ELSEWHERE, 20, -1, True, Life.LIVES),
    ("elsewhere, over on a shared clock", lambda me: ELSEWHERE, -1, 20, True, Life.GONE),
    ("elsewhere, by our own clock", lambda me: ELSEWHERE, 20, -1, False, Life.LIVES),
    ("elsewhere, over by our own clock", lambda me: ELSEWHERE, -1, 20, False, Life.DOUBTFUL),
    ("elsewhere, far in the future", lambda me: ELSEWHERE, 3600, 20, True, Life.DOUBTFUL),
    ("the first version, living", lambda me: replace(me, started="", clock=""), 20, 0, False, Life.LIVES),
    ("the first version, over", lambda me: replace(me, started="", clock=""), -1, 0, False, Life.DOUBTFUL),
    ("a renamed host", lambda me: replace(me, machine=f"new {me.machine.split(' ', 1)[1]}"), -60, 20, False, Life.LIVES),
]  # fmt: skip


@pytest.mark.parametrize(("process", "left_s", "ends_in_s", "shared", "life"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_whether_a_holder_lives(
    me: Process, process: Make, left_s: float, ends_in_s: float, shared: bool, life: Life
) -> None:
    verdict = judge(held(process(me), left_s, ends_in_s), shared_clock=shared)
    assert verdict.life is life
    assert verdict.why


def test_what_is_left_of_a_dead_process_is_no_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    until = time.monotonic() + 10
    while holders.started_of(child.pid) is not None and time.monotonic() < until:  # not yet waited for: a zombie
        time.sleep(0.02)
    assert holders.started_of(child.pid) is None
    child.wait()
