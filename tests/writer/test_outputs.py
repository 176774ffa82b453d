"""A file of ours: whole or not at all, in the folder that was named and in no other, with the rights that it had."""

import os
import stat
from pathlib import Path

import pytest

from reconciler import writer
from reconciler.errors import NotWritable, WrongPlace


def left_over(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.startswith(".modelpolicy-")]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that we stand in, and a folder outside of it."""
    (tmp_path / "outside").mkdir()
    repository = tmp_path / "repository"
    (repository / ".git" / "hooks").mkdir(parents=True)
    (repository / "build").mkdir()
    monkeypatch.chdir(repository)
    return repository


def test_a_new_file_has_the_mode_of_the_umask_and_a_private_one_is_its_owners(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        writer.write(tmp_path / "a", b"a")
        writer.write(tmp_path / "b", b"b", private=True)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o640, 0o600]
    assert left_over(tmp_path) == []


def test_a_file_that_is_replaced_keeps_its_mode_and_a_reader_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o604)
    with file.open("rb") as reading:
        writer.write(file, b"new")
        assert reading.read() == b"old"
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o604)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_somebody_else_stays_theirs(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    os.chown(file, 4321, 4322)
    writer.write(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid, file.read_bytes()) == (4321, 4322, b"new")


def test_where_it_cannot_be_written_the_old_file_stays_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritable, match="a cannot be written: no space left on device"):
        writer.write(file, b"new")
    assert (file.read_bytes(), left_over(tmp_path)) == (b"old", [])


def test_what_ends_a_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        writer.write(file, b"new")
    assert (file.read_bytes(), left_over(tmp_path)) == (b"old", [])


def test_a_link_is_never_written_through_whether_or_not_it_leads_anywhere(checkout: Path) -> None:
    target = checkout / "build" / "target"
    target.write_bytes(b"old")
    for name, to in (("good", "build/target"), ("dangling", "build/none"), ("loop", "loop")):
        (checkout / name).symlink_to(to)
        with pytest.raises(WrongPlace, match="is a link"):
            writer.write(name, b"new")
    assert target.read_bytes() == b"old"
    assert not (checkout / "build" / "none").exists()


@pytest.mark.parametrize("given", ["reports/a", "build/../reports/a", "./inner/a", "hooks/a"])
def test_no_folder_on_the_way_may_be_a_link_out_of_the_checkout(checkout: Path, given: str) -> None:
    (checkout / "reports").symlink_to("../outside")
    (checkout / "inner").symlink_to("reports")
    (checkout / "hooks").symlink_to(".git/hooks")
    with pytest.raises(WrongPlace, match="leads through the link"):
        writer.write(given, b"new")
    with pytest.raises(WrongPlace, match="leads through the link"):
        writer.create(given, b"new")
    with pytest.raises(WrongPlace, match="leads through the link"):
        writer.make_folder(f"{given}/below")
    assert [*(checkout.parent / "outside").iterdir(), *(checkout / ".git" / "hooks").iterdir()] == []


def test_whether_a_link_leads_out_does_not_depend_on_where_we_stand(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "reports").symlink_to("../outside")
    for here in ("/", str(checkout.parent), str(checkout.parent / "outside")):
        monkeypatch.chdir(here)
        with pytest.raises(WrongPlace, match="leads through the link"):
            writer.write(checkout / "reports" / "a", b"new")


def test_links_within_the_checkout_and_of_the_machine_itself_are_followed(checkout: Path) -> None:
    (checkout / "reports").symlink_to("build")
    (checkout.parent / "machine").symlink_to("outside")
    writer.write("reports/a", b"in")
    writer.write(checkout.parent / "machine" / "b", b"out")
    assert (checkout / "build" / "a").read_bytes() == b"in"
    assert (checkout.parent / "outside" / "b").read_bytes() == b"out"


def test_without_a_repository_the_working_directory_is_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "here" / "reports").symlink_to("../outside")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(WrongPlace, match="leads through the link"):
        writer.write("reports/a", b"new")


@pytest.mark.parametrize(
    ("given", "why"),
    [("missing/a", "there is no folder missing"), ("missing/../a", "there is no folder missing"), ("build", "is a folder"), ("file/a", "file is not a folder|not a directory"),
     ("..", "names no file"), ("", "names no file"), ("a\0b", "names no file"), ("/dev/fd/987", "is not open in this process")],
)  # fmt: skip
def test_a_place_that_cannot_be_is_said_before_anything_is_done(checkout: Path, given: str, why: str) -> None:
    (checkout / "file").write_bytes(b"old")
    with pytest.raises(WrongPlace, match=why):
        writer.check(given)
    with pytest.raises(WrongPlace, match=why):
        writer.write(given, b"new")


def test_a_pipe_a_device_and_an_inherited_descriptor_take_the_bytes_as_they_come(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer.write(tmp_path / "pipe", b"to the pipe")
    assert os.read(reading, 100) == b"to the pipe"
    os.close(reading)
    writer.write("/dev/null", b"nowhere")
    out, into = os.pipe()
    os.set_inheritable(into, True)  # noqa: FBT003  # as the shell hands it on
    writer.write(f"/dev/fd/{into}", b"to the shell")
    writer.write(f"/proc/self/fd/{into}", b", twice")
    assert os.read(out, 100) == b"to the shell, twice"
    os.close(out)
    writer.write(f"/dev/fd/{into}", b"nobody reads this")  # as where `head` has had enough
    os.close(into)


def test_a_descriptor_that_is_our_own_is_not_written_to(tmp_path: Path) -> None:
    with (tmp_path / "ledger").open("wb") as ours, pytest.raises(WrongPlace, match="not open in this process"):
        writer.write(f"/dev/fd/{ours.fileno()}", b"new")
    assert (tmp_path / "ledger").read_bytes() == b""


def test_one_file_is_one_however_it_is_spelled(checkout: Path) -> None:
    file = checkout / "build" / "a"
    spellings = ["build/a", "./build//a", "build/../build/a", str(file)]
    assert len({writer.identity(each) for each in spellings}) == 1, "also before it is there"
    file.write_bytes(b"")
    (checkout / "hard").hardlink_to(file)
    (checkout / "linked").symlink_to("build")
    assert len({writer.identity(each) for each in [*spellings, "hard", "linked/a"]}) == 1
    assert writer.identity("build/b") != writer.identity("build/a")
    assert writer.identity("/dev/null") is None


def test_what_is_to_be_new_never_takes_the_place_of_what_is_there(tmp_path: Path) -> None:
    assert writer.create(tmp_path / "keys", b"first", private=True)
    assert not writer.create(tmp_path / "keys", b"second", private=True)
    (tmp_path / "link").symlink_to("nowhere")
    assert not writer.create(tmp_path / "link", b"through")
    assert (tmp_path / "keys").read_bytes() == b"first"
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["keys", "link"]


def test_a_new_file_is_also_made_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    assert writer.create(tmp_path / "keys", b"first", private=True)
    assert not writer.create(tmp_path / "keys", b"second", private=True)
    assert (tmp_path / "keys").read_bytes() == b"first"


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    writer.write(file, b"new")
    assert file.read_bytes() == b"new"
