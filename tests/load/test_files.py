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


def test_a_link_that_leads_out_is_not_followed_whatever_it_leads_to(here: Path) -> None:
    """Else a stranger's pull request could have any file of the machine that checks it shown in its log."""
    repository = here / "repository"
    for name in (
        "policies/own.yaml",
        "shared/one.yaml",
        ".git/config",
        "policies/..data/mounted.yaml",
        "policies/.env.yaml",
    ):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("secret: canary")
    (here / "outside.yaml").write_text("secret: canary")
    links = {"out.yaml": "../../outside.yaml", "git.yaml": "../.git/config", "env.yaml": ".env.yaml", "dir": "../..",
             "mounted.yaml": "..data/mounted.yaml", "one.yaml": "../shared/one.yaml"}  # fmt: skip
    for name, end in links.items():
        (repository / "policies" / name).symlink_to(end)
    os.chdir(repository)
    gathered = gather(["policies"])
    assert [text.name for text in gathered.texts] == [f"policies/{name}.yaml" for name in ("mounted", "one", "own")]
    said = [finding.message for finding in gathered.findings]
    assert [each.split(" ")[0] for each in said] == [
        f"policies/{name}" for name in ("dir", "env.yaml", "git.yaml", "out.yaml")
    ]
    assert all("outside" in each for each in said)
    assert not gathered.complete
    assert names("policies/own.yaml", "policies/out.yaml") == [
        "policies/out.yaml",
        "policies/own.yaml",
    ]  # named by the user


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("secret: canary")


@pytest.mark.parametrize("cwd", ["/", ".", "repository", "repository/policies", "elsewhere"])
@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_where_a_link_may_lead_does_not_depend_on_where_the_command_runs(here: Path, cwd: str, form: str) -> None:
    write(
        here,
        "repository/.git/HEAD",
        "repository/policies/own.yaml",
        "repository/shared/one.yaml",
        "outside.yaml",
        "elsewhere/x",
    )
    links = {
        "one.yaml": "../shared/one.yaml",
        "out.yaml": "../../outside.yaml",
        "passwords.yaml": "/etc/passwd",
        "up": "../..",
    }
    for name, end in links.items():
        (here / "repository" / "policies" / name).symlink_to(end)
    os.chdir(here / cwd)
    path = here / "repository" / "policies"
    given = str(path) if form == "absolute" else os.path.relpath(path)
    gathered = gather([given])
    assert [Path(text.name).name for text in gathered.texts] == ["one.yaml", "own.yaml"]
    assert [Path(str(each.location)).name for each in gathered.findings] == ["out.yaml", "passwords.yaml", "up"]
    assert not gathered.complete


def test_without_a_repository_a_link_stays_within_the_path_that_was_given(here: Path) -> None:
    write(here, "policies/teams/own.yaml", "shared/one.yaml")
    (here / "policies" / "one.yaml").symlink_to("../shared/one.yaml")
    (here / "policies" / "again").symlink_to("teams")
    assert [text.name for text in gather(["policies"]).texts] == ["policies/teams/own.yaml"]
    assert not gather(["policies"]).complete
    assert len(gather(["."]).texts) == 2
    (here / "also").symlink_to("policies/teams")
    assert [text.name for text in gather(["also"]).texts] == ["also/own.yaml"]


def test_the_nearest_repository_counts_and_each_path_has_its_own(here: Path) -> None:
    write(
        here,
        "outer/.git/HEAD",
        "outer/secret.yaml",
        "outer/inner/.git",
        "outer/inner/policies/own.yaml",
        "outer/mine/own.yaml",
    )
    for folder in ("outer/inner/policies", "outer/mine"):
        (here / folder / "link.yaml").symlink_to(here / "outer" / "secret.yaml")
    gathered = gather(["outer/inner/policies", "outer/mine"])
    assert [text.name for text in gathered.texts] == [
        "outer/inner/policies/own.yaml",
        "outer/mine/link.yaml",
        "outer/mine/own.yaml",
    ]
    assert [str(each.location) for each in gathered.findings] == ["outer/inner/policies/link.yaml"]


def git_sync(root: Path) -> None:
    """A root as git-sync keeps it: a repository, checked out in a hidden folder, and a link that is swapped."""
    write(root, ".git/HEAD", ".git/config.yaml", ".git/worktrees/abc/HEAD", ".secrets/key.yaml", ".worktrees/notes.yaml",
          ".worktrees/abc/.git", ".worktrees/abc/policies/a.yaml", ".worktrees/abc/shared/b.yaml", ".worktrees/abc/.env.yaml")  # fmt: skip
    (root / "current").symlink_to(".worktrees/abc")
    (root / ".worktrees/abc/policies/b.yaml").symlink_to("../shared/b.yaml")


@pytest.mark.parametrize("path", ["sync", "sync/current", "sync/current/policies"])
def test_the_root_of_git_sync_is_read_through_its_link(here: Path, path: str) -> None:
    git_sync(here / "sync")
    gathered = gather([path])
    assert gathered.findings == ()
    assert sorted({Path(text.name).name for text in gathered.texts}) == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize("end", [".git", ".git/config.yaml", ".git/worktrees/abc", ".secrets", ".secrets/key.yaml", ".worktrees", ".worktrees/notes.yaml",
    ".worktrees/abc/.env.yaml", ".worktrees/abc/.git", "../outside.yaml"])  # fmt: skip
def test_nothing_else_that_is_hidden_is_reached_by_a_link(here: Path, end: str) -> None:
    git_sync(here / "sync")
    write(here, "outside.yaml")
    (here / "sync" / "link.yaml").symlink_to(end)
    gathered = gather(["sync"])
    assert [str(each.location) for each in gathered.findings if "outside" in each.message] == ["sync/link.yaml"]
    assert all("canary" not in each.message for each in gathered.findings)
    assert sorted({Path(text.name).name for text in gathered.texts}) == ["a.yaml", "b.yaml"]


def test_a_name_that_is_no_utf_8_is_a_text_that_everything_can_hold(here: Path) -> None:
    Path(os.fsdecode(b"a\xff.yaml")).write_text("a: 1")
    assert names() == ["a\\xff.yaml"]
