"""Gathering: what is read, under which name, and what is said of what cannot be read."""

import io
import os
from pathlib import Path

import pytest

from reconciler.sources.files import gather


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str) -> list[str]:
    return [text.name for text in gather(paths).texts]


def test_a_directory_gives_its_yaml_and_json_files_by_name_and_passes_over_the_rest(here: Path) -> None:
    for name in ("b.yml", "a.yaml", "sub/c.json", "notes.txt", ".hidden.yaml", ".git/d.yaml"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("")
    assert names() == ["a.yaml", "b.yml", "sub/c.json"]
    assert names("sub", "a.yaml", "./a.yaml") == ["a.yaml", "sub/c.json"]
    assert names("notes.txt") == ["notes.txt"]
    assert names(str(here)) == [f"{here.as_posix()}/{name}" for name in ("a.yaml", "b.yml", "sub/c.json")]


def test_a_dash_is_standard_input(here: Path) -> None:
    (text,) = gather(["-"], io.BytesIO(b"a: 1")).texts
    assert (text.name, text.content) == ("<stdin>", b"a: 1")


def test_a_path_that_is_not_there_makes_the_set_incomplete(here: Path) -> None:
    gathered = gather(["gone.yaml"])
    assert not gathered.complete
    assert [(finding.rule, str(finding.location)) for finding in gathered.findings] == [("unreadable", "gone.yaml")]
    assert "no such file" in gathered.findings[0].message


def test_a_link_to_itself_and_a_dangling_link_are_unreadable(here: Path) -> None:
    (here / "loop.yaml").symlink_to("loop.yaml")
    (here / "dangling.yaml").symlink_to("gone.yaml")
    gathered = gather(["."])
    assert not gathered.complete
    assert [str(finding.location) for finding in gathered.findings] == ["dangling.yaml", "loop.yaml"]


def test_a_loop_of_directories_is_a_warning_and_each_file_is_read_once(here: Path) -> None:
    (here / "a").mkdir()
    (here / "a" / "x.yaml").write_text("a: 1")
    (here / "a" / "again").symlink_to(here)
    (here / "also").symlink_to("a")
    gathered = gather(["."])
    assert [text.name for text in gathered.texts] == ["a/x.yaml"]
    assert [finding.rule for finding in gathered.findings] == ["symlink-loop"]
    assert gathered.complete


def test_a_file_that_may_not_be_read_makes_the_set_incomplete(here: Path) -> None:
    (here / "a.yaml").write_text("a: 1")
    (here / "a.yaml").chmod(0)
    gathered = gather(["."])
    assert gathered.complete == os.access("a.yaml", os.R_OK)
    assert len(gathered.texts) + len(gathered.findings) == 1


def test_a_pipe_in_a_directory_never_blocks(here: Path) -> None:
    os.mkfifo(here / "pipe.yaml")
    gathered = gather(["."])
    assert not gathered.complete
    assert "regular file" in gathered.findings[0].message


def test_a_path_with_a_nul_is_a_finding(here: Path) -> None:
    assert [finding.rule for finding in gather(["a\0b"]).findings] == ["unreadable"]
