"""How a repository's `origin` names a declaration set."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sources import repository


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://git.example/acme/policy.git", "git.example/acme/policy"),
        ("https://oauth2:gl-t0ken@git.example/acme/policy.git", "git.example/acme/policy"),
        ("https://x-access-token@GIT.example:8443/Acme/Policy/", "git.example/acme/policy"),
        ("ssh://git@git.example:2222/acme/policy.git", "git.example/acme/policy"),
        ("git@git.example:acme/policy.git", "git.example/acme/policy"),
        ("git.example:acme/policy", "git.example/acme/policy"),
        ("git@git.example:/acme//policy.git/", "git.example/acme/policy"),
        ("https://[2001:db8::1]:8443/acme/policy", "2001:db8::1/acme/policy"),
        ("https://git.example/acme/policy.git?token=s3cret#s3cret", "git.example/acme/policy"),
        ("file:///srv/git/policy.git", "srv/git/policy"),
        ("/srv/git/policy.git", "srv/git/policy"),
        ("../policy", "../policy"),
        ("C:/git/policy.git", "c:/git/policy"),
        ("", ""),
    ],
)
def test_every_way_to_a_repository_has_one_name_without_what_may_be_secret(url: str, name: str) -> None:
    assert repository.named(url) == name


@given(st.text(max_size=80), st.text(alphabet="abcXYZ019!$&'()*+,;=:%", min_size=1, max_size=30))
def test_a_password_in_a_url_never_becomes_a_part_of_a_name(path: str, password: str) -> None:
    secret = f"Qz7{password}7zQ".replace(":", "")
    assert "qz7" not in repository.named(f"https://user:{secret}@git.example/{path}")
    assert "qz7" not in repository.named(f"https://{secret}@git.example/{path}")


def made(root: Path, config: str) -> Path:
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_text(config)
    return root


def test_a_worktree_and_a_submodule_are_of_their_own_repository(tmp_path: Path) -> None:
    main = made(
        tmp_path / "main", '[remote "origin"]\n\turl = https://git.example/main\n[remote "fork"]\n\turl = https://x/y\n'
    )
    tree = tmp_path / "tree"
    (main / ".git/worktrees/tree").mkdir(parents=True)
    (main / ".git/worktrees/tree/commondir").write_text("../..\n")
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    module = main / "vendor/sub"
    module.mkdir(parents=True)
    (main / ".git/modules/sub").mkdir(parents=True)
    (main / ".git/modules/sub/config").write_text('[remote "origin"]\n  url = "https://git.example/sub.git"\n')
    (module / ".git").write_text("gitdir: ../../.git/modules/sub\n")
    assert repository.origin(main) == "git.example/main"
    assert (repository.root_of(tree), repository.origin(tree)) == (tree, "git.example/main")
    assert (repository.root_of(module), repository.origin(module)) == (module, "git.example/sub")


@pytest.mark.parametrize(
    "config", ["", "[remote", "\0\0", '[remote "fork"]\nurl = x', '[remote "origin"]\nfetch = y', "=\n"]
)
def test_a_configuration_without_an_origin_names_nothing(tmp_path: Path, config: str) -> None:
    assert repository.origin(made(tmp_path, config)) == ""


def test_a_pointer_to_nowhere_names_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert repository.origin(tmp_path) == ""
