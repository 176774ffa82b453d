"""A run is journaled with the commit that its declarations are of, and with +dirty where what was read is not what is in it."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.committed import revision


def git(folder: Path, *arguments: str) -> str:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", *arguments],
        cwd=folder, env=plain, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def repository(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for name, text in (files or {"a": "a: 1\n", "b": "b: 1\n"}).items():
        (folder / "policies").mkdir(exist_ok=True)
        (folder / "policies" / f"{name}.yaml").write_text(text)
    (folder / "README.md").write_text("# r\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "repo")
    monkeypatch.chdir(folder)
    return folder


READ = ("policies/a.yaml", "policies/b.yaml")


def of(*paths: str, read: tuple[str, ...] = READ) -> str:
    return revision(read, paths or ("policies",))


@pytest.fixture
def head(repo: Path) -> str:
    return git(repo, "rev-parse", "HEAD")


def test_committed_files_are_of_their_commit(repo: Path, head: str) -> None:
    (repo / "README.md").write_text("edited, and no policy\n")
    (repo / "untracked.md").write_text("")
    (repo / ".hidden.yaml").write_text("")
    assert of() == head
    assert of(".") == head
    assert of("policies/a.yaml", read=READ[:1]) == head
    assert of(str(repo / "policies"), read=tuple(str(repo / name) for name in READ)) == head


def test_where_one_stands_does_not_matter(
    repo: Path, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert of("repo/policies", read=tuple(f"repo/{name}" for name in READ)) == head
    other = repository(tmp_path / "other", c="c: 1\n")
    monkeypatch.chdir(other)
    assert of("../repo/policies", read=tuple(f"../repo/{name}" for name in READ)) == head


def test_what_is_read_and_not_in_the_commit_is_dirty(repo: Path, head: str) -> None:
    file = repo / "policies" / "a.yaml"
    file.write_text("a: 2\n")
    assert of() == f"{head}+dirty"
    git(repo, "add", "-A")
    assert of() == f"{head}+dirty"
    git(repo, "stash", "-q")
    assert of() == head
    (repo / "policies" / "new.yaml").write_text("")
    assert of(read=(*READ, "policies/new.yaml")) == f"{head}+dirty"
    (repo / ".gitignore").write_text("new.yaml\n")
    assert of(read=(*READ, "policies/new.yaml")) == f"{head}+dirty"


def test_what_was_taken_away_is_dirty_below_the_path_alone(repo: Path, head: str) -> None:
    (repo / "policies" / "b.yaml").unlink()
    assert of(read=READ[:1]) == f"{head}+dirty"
    assert of("policies/a.yaml", read=READ[:1]) == head


def test_what_is_not_read_does_not_count(repo: Path, head: str) -> None:
    (repo / "policies" / "b.yaml").write_text("b: 2\n")
    assert of("policies/a.yaml", read=READ[:1]) == head


def test_an_edited_file_that_is_no_policy_or_hidden_does_not_count(repo: Path, head: str) -> None:
    (repo / "policies" / ".x.yaml").write_text("x: 1\n")
    (repo / "policies" / "notes.md").write_text("x\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "more")
    for name in (".x.yaml", "notes.md"):
        (repo / "policies" / name).write_text("edited\n")
    assert of() == git(repo, "rev-parse", "HEAD")
    assert of("policies/notes.md", read=("policies/notes.md",)).endswith("+dirty")


def test_where_a_link_leads_counts(repo: Path) -> None:
    (repo / "shared.yaml").write_text("s: 1\n")
    (repo / "policies" / "s.yaml").symlink_to("../shared.yaml")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "link")
    now = git(repo, "rev-parse", "HEAD")
    read = (*READ, "policies/s.yaml")
    assert of(read=read) == now
    (repo / "shared.yaml").write_text("s: 2\n")
    assert of(read=read) == f"{now}+dirty"


@pytest.mark.parametrize("name", ["a b.yaml", "ä*[x]?.yaml", "line\nend.yaml", '"q".yaml', ":(top)x.yaml"])
def test_no_name_confuses_it(repo: Path, name: str) -> None:
    file = repo / "policies" / name
    file.write_text("a: 1\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "name")
    now, read = git(repo, "rev-parse", "HEAD"), (*READ, f"policies/{name}")
    assert of(read=read) == now
    file.write_text("a: 2\n")
    assert of(read=read) == f"{now}+dirty"
    assert of(f"policies/{name}", read=read[2:]) == f"{now}+dirty"


def test_files_outside_a_repository_have_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("")
    assert revision(["a.yaml"], ["a.yaml"]) == ""
    assert revision(["<stdin>"], ["-"]) == ""
    assert revision([], []) == ""


def test_what_comes_from_elsewhere_as_well_is_dirty(repo: Path, head: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("")
    assert of("policies", "../x.yaml", read=(*READ, "../x.yaml")) == f"{head}+dirty"
    assert of("policies", "-", read=(*READ, "<stdin>")) == f"{head}+dirty"


def test_two_repositories_have_two_revisions(repo: Path, head: str, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", c="c: 1\n")
    said = of("policies", "../other/policies", read=(*READ, "../other/policies/c.yaml"))
    assert sorted(said.split()) == sorted([head, git(other, "rev-parse", "HEAD")])


def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert revision(["a.yaml"], []) == ""


def test_the_variables_of_a_hook_do_not_name_another_repository(
    repo: Path, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", c="c: 1\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert of() == head


def test_it_starts_no_program_that_the_repository_names(repo: Path, head: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    git(repo, "config", "core.fsmonitor", f"touch {ran}")
    assert of() == head
    assert not ran.exists()


def test_without_git_there_is_no_revision(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert of() == ""
