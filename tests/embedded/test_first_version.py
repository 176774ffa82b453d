"""A file that the first version wrote is brought up to date by who writes to it, and read by who does not as if it were."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock

from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.store import VERSION

SQL = Path(__file__).parent / "first_version" / "platform.sql"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Two models in use, one of them on model units, one with a limit; and use from before the record."""
    path = tmp_path / "platform.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL.read_text(encoding="utf-8"))
    return path


def opened(path: Path, *, create: bool) -> Engine:
    return open_engine(path, Clock(datetime(2026, 11, 23, 11, 30, tzinfo=UTC)), create=create)


@pytest.mark.parametrize("create", [True, False])
def test_what_the_first_version_kept_is_there(old: Path, create: bool) -> None:
    with closing(opened(old, create=create)) as engine:
        seen = engine.snapshot()
        chat = seen.models["chat"]
        assert [tokens for _, tokens in chat.hourly_use] == [1200, 7]
        assert (chat.limit.tokens, chat.free_tokens.consumed, chat.state) == (5000, 1000, "Activated")
        assert seen.models["units"].hourly_use == ()
        with engine.store.read() as tx:
            rows = tx.all("SELECT status, sum(tokens) AS tokens, sum(requests) AS requests FROM uses GROUP BY status")
            kept = {row["status"]: (row["tokens"], row["requests"]) for row in rows}
    assert kept == {"normal": (347, 5), "free_for_free_quota": (1000, 0), "free_for_viptier": (60, 1)}


def test_a_reader_leaves_the_file_as_it_is_and_a_writer_brings_it_up_to_date_once(old: Path) -> None:
    before = old.read_bytes()
    opened(old, create=False).close()
    assert old.read_bytes() == before
    first, second = opened(old, create=True), opened(old, create=True)
    for engine in (first, second):
        engine.use(Call("ep-1", 10))
    assert [tokens for _, tokens in first.snapshot().models["chat"].hourly_use] == [1200, 7, 20]
    first.close()
    second.close()
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
