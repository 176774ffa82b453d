"""Another content for a file that people edit: never over an edit, and nothing but the content is another."""

import ctypes
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import writer
from reconciler.errors import NotWritable, Overtaken
from reconciler.writer import exchange

ROUNDS = 150  # of each way to save
READ, OURS = b"as: it was read\n", b"as: we want it\n"


def by_rename(file: Path, text: bytes) -> None:
    beside = file.with_name(".swap")
    beside.write_bytes(text)
    beside.replace(file)


def by_truncation(file: Path, text: bytes) -> None:
    with file.open("wb") as opened:
        time.sleep(0.0002)
        opened.write(text)


def in_place(file: Path, text: bytes) -> None:
    with file.open("r+b") as opened:
        time.sleep(0.0005)
        opened.write(text)
        opened.truncate()


def anew(file: Path, text: bytes) -> None:
    file.unlink()
    file.write_bytes(text)


Save = Callable[[Path, bytes], None]
SAVES = [by_rename, by_truncation, in_place, anew]


@pytest.mark.parametrize("save", SAVES)
def test_an_edit_saved_at_any_moment_is_what_the_file_says_in_the_end(tmp_path: Path, save: Save) -> None:
    file, chance, taken = tmp_path / "a.yaml", random.Random(save.__name__), 0
    for number in range(ROUNDS):
        file.write_bytes(READ)
        edit = f"edit: {number}\n".encode()
        start = time.perf_counter() + chance.random() * 0.004

        def person(edit: bytes = edit, start: float = start) -> None:
            while time.perf_counter() < start:
                time.sleep(0)
            save(file, edit)

        saving = threading.Thread(target=person)
        saving.start()
        try:
            writer.replace(file, READ, OURS)
            taken += 1
        except Overtaken:
            pass
        saving.join()
        assert file.read_bytes() == edit, f"the edit of round {number} was lost"
        assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]
    assert 0 < taken < ROUNDS, "both orders were met"


@pytest.mark.parametrize("save", SAVES)
def test_an_edit_that_came_between_the_check_and_the_exchange_is_put_back(
    tmp_path: Path, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real, calls = tmp_path / "a.yaml", exchange._exchange, []

    def late(folder: int, one: str, other: str) -> bool:
        if not calls:
            save(file, b"edit: 1\n")
        calls.append(one)
        return real(folder, one, other)

    file.write_bytes(READ)
    monkeypatch.setattr(exchange, "_exchange", late)
    with pytest.raises(Overtaken, match=r"a.yaml was changed by somebody else meanwhile"):
        writer.replace(file, READ, OURS)
    assert file.read_bytes() == b"edit: 1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_without_an_exchange_what_was_saved_until_right_before_the_rename_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"

    def cannot(*_: object) -> bool:
        by_rename(file, b"edit: 1\n")
        return False

    file.write_bytes(READ)
    monkeypatch.setattr(exchange, "_exchange", cannot)
    with pytest.raises(Overtaken):
        writer.replace(file, READ, OURS)
    assert file.read_bytes() == b"edit: 1\n"
    monkeypatch.setattr(exchange, "_exchange", lambda *_: False)
    writer.replace(file, b"edit: 1\n", OURS)
    assert file.read_bytes() == OURS
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_of_two_edits_around_the_exchange_the_later_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real, saved = tmp_path / "a.yaml", exchange._exchange, iter((b"edit: 1\n", b"edit: 2\n", b"edit: 3\n"))

    def late(folder: int, one: str, other: str) -> bool:
        if edit := next(saved, None):
            by_rename(file, edit)
        return real(folder, one, other)

    file.write_bytes(READ)
    monkeypatch.setattr(exchange, "_exchange", late)
    with pytest.raises(Overtaken):
        writer.replace(file, READ, OURS)
    assert file.read_bytes() == b"edit: 3\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_an_interruption_between_loses_no_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real = tmp_path / "a.yaml", exchange._exchange
    file.write_bytes(READ)
    stills = iter((True,))

    def still(*_: object) -> bool:
        if next(stills, None):
            return True
        raise KeyboardInterrupt

    def late(folder: int, one: str, other: str) -> bool:
        if file.read_bytes() == READ:
            by_rename(file, b"edit: 1\n")
        return real(folder, one, other)

    monkeypatch.setattr(exchange, "_is_still", still)
    monkeypatch.setattr(exchange, "_exchange", late)
    with pytest.raises(KeyboardInterrupt):
        writer.replace(file, READ, OURS)
    assert file.read_bytes() == b"edit: 1\n"


def test_a_file_that_is_not_what_was_read_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    with pytest.raises(Overtaken, match="is gone since it was read"):
        writer.replace(file, READ, OURS)
    for other in (b"", READ + b"x", READ[:-1]):
        file.write_bytes(other)
        with pytest.raises(Overtaken):
            writer.replace(file, READ, OURS)
        assert file.read_bytes() == other


def test_mode_owner_and_attributes_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(READ)
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 4321, 4322)
    try:
        os.setxattr(file, "user.note", b"kept")
    except (OSError, AttributeError):
        pytest.skip("this file system has no attributes")
    before = file.stat()
    writer.replace(file, READ, OURS)
    after = file.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert os.getxattr(file, "user.note") == b"kept"
    assert file.read_bytes() == OURS


def test_a_file_with_another_name_is_not_parted_from_it(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_bytes(READ)
    other.hardlink_to(file)
    with pytest.raises(NotWritable, match=r"it has 2 names \(hard links\)"):
        writer.replace(file, READ, OURS)
    assert file.samefile(other)
    assert other.read_bytes() == READ


def test_an_owner_that_cannot_be_kept_is_said_and_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(READ)
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of somebody else")
    os.chown(file, 4321, 4322)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(NotWritable, match=r"its owner .* could not be kept"):
        writer.replace(file, READ, OURS)
    assert (file.read_bytes(), file.stat().st_uid) == (READ, 4321)
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_a_link_stays_one_and_its_file_gets_the_content(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "a.yaml", tmp_path / "a.yaml"
    file.write_bytes(READ)
    link.symlink_to("real/a.yaml")
    writer.replace(link, READ, OURS)
    assert link.is_symlink()
    assert file.read_bytes() == OURS
    assert stat.S_ISREG(file.lstat().st_mode)


def test_the_new_content_is_on_disk_before_it_has_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, order = tmp_path / "a.yaml", []
    file.write_bytes(READ)
    real_sync, real_exchange = os.fsync, exchange._exchange

    def sync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def swap(*given: object) -> bool:
        order.append("name")
        return real_exchange(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(exchange, "_exchange", swap)
    writer.replace(file, READ, OURS)
    assert order[0] == "file"
    assert order.index("name") > order.index("file")
    assert order[-1] == "folder"


def test_this_system_can_exchange_names(tmp_path: Path) -> None:
    """Else the tests above prove less than they say; skipped where the system has no such call."""
    if not hasattr(ctypes.CDLL(None), "renameat2"):
        pytest.skip("no renameat2 here")
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert exchange._exchange(folder, "a", "b")
    finally:
        os.close(folder)
    assert (tmp_path / "a").read_bytes() == b"b"
