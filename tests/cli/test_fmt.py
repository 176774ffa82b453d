"""`fmt`: files in order, or named; nothing else is touched."""

import os
import threading
import time
from pathlib import Path

import pytest

from reconciler import writer
from reconciler.errors import Overtaken
from tests.cli.conftest import Call

MIXED = "kind: InferenceLimit # k\napiVersion: modelpolicy.dev/v1alpha1\n"
ORDERED = "apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit # k\n"


def test_fmt_puts_files_in_order_names_them_and_keeps_mode_and_links(call: Call, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").write_text(MIXED)
    (tmp_path / "real" / "a.yaml").chmod(0o640)
    (tmp_path / "b.yaml").write_text(ORDERED)
    (tmp_path / "c.yaml").symlink_to("real/a.yaml")
    result = call("fmt")
    assert (result.exit_code, result.stdout) == (0, "real/a.yaml\n")
    assert (tmp_path / "c.yaml").read_text() == ORDERED
    assert (tmp_path / "c.yaml").is_symlink()
    assert (tmp_path / "real" / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a.yaml"]
    assert call("fmt").stdout == ""


def test_fmt_check_writes_nothing_and_exits_2_where_something_would_change(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MIXED)
    result = call("fmt", "--check")
    assert (result.exit_code, result.stdout) == (2, "a.yaml\n")
    assert (tmp_path / "a.yaml").read_text() == MIXED
    (tmp_path / "a.yaml").write_text(ORDERED)
    assert call("fmt", "--check").exit_code == 0


def test_fmt_leaves_a_broken_file_alone_and_exits_3(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: [")
    (tmp_path / "b.json").write_text('{"kind": "InferenceLimit", "apiVersion": "modelpolicy.dev/v1alpha1"}')
    result = call("fmt", "a.yaml", "b.json", "gone.yaml")
    assert result.exit_code == 3
    assert "a.yaml is not valid YAML" in result.stderr
    assert "gone.yaml could not be read" in result.stderr
    assert (tmp_path / "a.yaml").read_text() == "kind: ["


def test_fmt_of_standard_input_goes_to_standard_output(call: Call) -> None:
    result = call("fmt", "-", stdin=MIXED)
    assert (result.exit_code, result.stdout) == (0, ORDERED)


def test_fmt_keeps_line_ends_and_the_byte_order_mark(call: Call, tmp_path: Path) -> None:
    for name, mark, end in (
        ("crlf", "", "\r\n"),
        ("mark", "\ufeff", "\n"),
        ("both", "\ufeff", "\r\n"),
        ("cr", "", "\r"),
    ):
        file = tmp_path / f"{name}.yaml"
        file.write_text(mark + MIXED.replace("\n", end), newline="", encoding="utf-8")
        assert call("fmt", file.name).stdout == f"{file.name}\n"
        assert file.read_bytes() == (mark + ORDERED.replace("\n", end)).encode()
        assert call("fmt", "--check", file.name).exit_code == 0


def test_fmt_does_not_part_a_file_from_its_other_names(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MIXED)
    (tmp_path / "b.txt").hardlink_to(tmp_path / "a.yaml")
    result = call("fmt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "a.yaml was not touched: it has 2 names (hard links)" in result.stderr
    assert (tmp_path / "a.yaml").samefile(tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == MIXED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_fmt_as_root_leaves_a_file_to_its_owner(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MIXED)
    os.chown(tmp_path / "a.yaml", 4321, 4322)
    assert call("fmt").exit_code == 0
    found = (tmp_path / "a.yaml").stat()
    assert (found.st_uid, found.st_gid, (tmp_path / "a.yaml").read_text()) == (4321, 4322, ORDERED)


def test_fmt_puts_an_edit_in_order_that_was_saved_while_it_ran(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real, saves = tmp_path / "a.yaml", writer.replace, iter(("one", "two"))
    file.write_text(MIXED)

    def replace(given: str, expected: bytes, content: bytes) -> None:
        if note := next(saves, None):
            file.write_text(f"{MIXED}# {note}\n")
        real(given, expected, content)

    monkeypatch.setattr(writer, "replace", replace)
    result = call("fmt")
    assert (result.exit_code, result.stdout) == (0, "a.yaml\n")
    assert file.read_text() == f"{ORDERED}# two\n"


def test_fmt_leaves_a_file_that_is_saved_again_and_again_and_exits_5(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(MIXED)

    def replace(given: str, *_: bytes) -> None:
        raise Overtaken(f"{given} was changed by somebody else meanwhile")

    monkeypatch.setattr(writer, "replace", replace)
    result = call("fmt")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "a.yaml was changed by somebody else meanwhile; it was not touched" in result.stderr
    assert file.read_text() == MIXED


def test_fmt_loses_no_edit_of_somebody_who_keeps_saving(call: Call, tmp_path: Path) -> None:
    file, over, saved = tmp_path / "a.yaml", threading.Event(), [0]
    file.write_text(MIXED)

    def person() -> None:
        while not over.is_set():
            saved[0] += 1
            beside = tmp_path / ".swap"
            beside.write_text(f"{MIXED}# {saved[0]}\n")
            beside.replace(file)
            time.sleep(0.013)
            assert file.read_text() in (f"{MIXED}# {saved[0]}\n", f"{ORDERED}# {saved[0]}\n"), "an edit was lost"

    editing = threading.Thread(target=person)
    editing.start()
    end = time.monotonic() + 20
    while saved[0] <= 40 and time.monotonic() < end:
        assert call("fmt").exit_code in (0, 5)
    over.set()
    editing.join()
    assert saved[0] > 40
