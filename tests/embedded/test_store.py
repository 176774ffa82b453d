"""The embedded platform's file: durable, shared, and never a traceback when it is not ours."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import Permanent
from reconciler.kinds.platform_account import Embedded, PlatformAccountSpec
from reconciler.platforms import Connection, connect
from reconciler.platforms.embedded import catalog
from reconciler.state import Operation, Target, Write


def clock() -> datetime:
    return datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def open_at(path: Path, *, create: bool = True):
    return connect(PlatformAccountSpec(embedded=Embedded(path=str(path))), Connection(clock, create=create))


def test_a_fresh_database_carries_the_shipped_catalogue(tmp_path):
    platform = open_at(tmp_path / "new" / "platform.db")
    assert len(platform.observe(frozenset()).models) == len(catalog.document()["models"])
    platform.close()


def test_a_reader_of_a_missing_file_sees_the_catalogue_and_creates_nothing(tmp_path):
    path = tmp_path / "new" / "platform.db"
    platform = open_at(path, create=False)
    assert "doubao-seed-1-6" in platform.observe(frozenset()).models
    platform.close()
    assert not path.parent.exists()


def test_an_acknowledged_write_is_there_for_the_next_opening(tmp_path):
    path = tmp_path / "platform.db"
    first = open_at(path)
    first.write(Write(Operation.ACTIVATE, Target("ModelActivation", "doubao-seed-1-6")))
    second = open_at(path, create=False)
    assert second.observe(frozenset()).models["doubao-seed-1-6"].state == "Activated"
    assert second.observe(frozenset()).identity == first.observe(frozenset()).identity
    second.close()
    first.close()


def test_a_reader_cannot_write_even_by_mistake(tmp_path):
    path = tmp_path / "platform.db"
    open_at(path).close()
    reader = open_at(path, create=False)
    with pytest.raises(Permanent, match="may not be written"):
        reader.write(Write(Operation.ACTIVATE, Target("ModelActivation", "doubao-seed-1-6")))
    reader.close()


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "platform.db"
    path.write_text("this is not a database, only text that is long enough to look at" * 20)
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(Permanent, match=r"platform\.db: this is not a readable database"):
            open_at(path, create=create)
    assert path.read_bytes() == before


def test_another_programs_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "platform.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(Permanent, match="belongs to another program"):
            open_at(path, create=create)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_asks_for_an_upgrade(tmp_path):
    path = tmp_path / "platform.db"
    open_at(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(Permanent, match=r"format 99 .* upgrade modelpolicy"):
        open_at(path)


def test_a_path_that_is_a_directory_is_an_error_in_words(tmp_path):
    with pytest.raises(Permanent, match="cannot be opened"):
        open_at(tmp_path)


def test_a_column_whose_name_was_damaged_is_damage_in_words(tmp_path):
    path = tmp_path / "platform.db"
    open_at(path).close()
    content = path.read_bytes()
    assert content.count(b"invite_only") == 1
    for old in path.parent.glob("platform.db-*"):
        old.unlink()
    path.write_bytes(content.replace(b"invite_only", b"invite_onlz"))
    with pytest.raises(Permanent, match="damaged"):
        open_at(path).observe(frozenset())
