"""One database, several threads and processes: no acknowledged write is lost, and no two sets share an interval."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from reconciler.errors import Permanent
from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.engine import open_engine
from reconciler.platforms.embedded.refusals import Refusal

SPEND = """
import sys
from datetime import UTC, datetime
from reconciler.platforms.embedded.engine import open_engine
from reconciler.platforms.embedded.calls import Call

engine = open_engine(sys.argv[1], lambda: datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
for _ in range(50):
    engine.use(Call("doubao-seed-1-6", 10))
engine.close()
"""


def clock() -> datetime:
    return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_processes_that_create_and_spend_at_once_lose_nothing(tmp_path):
    path = tmp_path / "platform.db"
    spenders = [subprocess.Popen([sys.executable, "-c", SPEND, str(path)]) for _ in range(3)]
    assert [spender.wait(50) for spender in spenders] == [0, 0, 0]
    engine = open_engine(path, clock)
    assert engine.use(Call("doubao-seed-1-6", 0)).free_remaining == 500_000 - 3 * 50 * 10
    engine.close()


def test_of_many_threads_that_set_one_limit_exactly_one_does(small):
    small.activated()

    def attempt(tokens: int) -> bool:
        try:
            small.engine.set_limit("chat", tokens)
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(1, 33))) == 1


def test_threads_that_spend_at_once_never_exceed_a_rate(small):
    small.activated(rpm=10)

    def attempt(_: int) -> bool:
        try:
            small.use(tokens=1)
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 10


def test_a_database_that_is_damaged_inside_is_an_error_in_words(tmp_path):
    path = tmp_path / "platform.db"
    open_engine(path, clock).close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\x5a" * (4096 * 4)
    path.write_bytes(content)
    with pytest.raises(Permanent, match=r"platform\.db"):
        open_engine(path, clock).snapshot()
