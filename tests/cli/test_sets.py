"""Whose an item is: declaration sets that share a ledger, a platform, paths and names."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call
from tests.ledger.test_first_version import SQL

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
ACCOUNT = f"{HEAD}kind: PlatformAccount\nmetadata: {{{{name: default}}}}\nspec: {{{{platform: embedded, embedded: {{{{path: {{path}}}}}}}}}}\n"
SEED = """models: [{name: m, domain: LLM, rateLimit: {rpm: 1000, tpm: 100000}}]
endpoints:
- {id: ep-1, name: one, model: m}
- {id: ep-2, name: two, model: m}
"""


def override(name: str, endpoint: str, rpm: int) -> str:
    return (
        f"{HEAD}kind: EndpointRateOverride\nmetadata: {{name: {name}}}\n"
        f"spec: {{endpoint: {{id: {endpoint}}}, rpm: {rpm}, tpm: 5000}}\n"
    )


class Repository:
    """A checkout with policies, and commands that run in it on the shared ledger."""

    def __init__(self, root: Path, url: str | None, run: Callable[..., Result], ledger: Path) -> None:
        self.root, self._run, self._ledger = root, run, ledger
        (root / "policies").mkdir(parents=True)
        if url is not None:
            (root / ".git").mkdir()
            (root / ".git/config").write_text(
                f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +x\n'
            )

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / "policies" / f"{name}.yaml").write_text(text)

    def __call__(self, *arguments: str, at: str = ".") -> Result:
        return self._run(self.root / at, *arguments, "--ledger", str(self._ledger))

    def plan(self, *arguments: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self("plan", "policies", "-o", "json", *arguments).stdout)
        return found


@pytest.fixture
def clone(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Repository]:
    """Makes a checkout; all of them share one ledger and one embedded platform."""
    (tmp_path / "seed.yaml").write_text(SEED)
    assert call("platform", "seed", "--db", str(tmp_path / "platform.db"), "seed.yaml").exit_code == Exit.OK
    monkeypatch.delenv("MODELPOLICY_SET", raising=False)

    def run(where: Path, *arguments: str) -> Result:
        monkeypatch.chdir(where)
        return call(*arguments)

    def made(name: str, url: str | None = None) -> Repository:
        repository = Repository(tmp_path / name, url, run, tmp_path / "ledger.db")
        repository.write(account=ACCOUNT.format(path=tmp_path / "platform.db"))
        return repository

    return made


def rates(clone_root: Path) -> dict[str, int | None]:
    with closing(sqlite3.connect(clone_root.parent / "platform.db")) as connection:
        return dict(connection.execute("SELECT id, rpm FROM endpoints").fetchall())


def test_two_repositories_with_equal_paths_never_touch_each_others_items(clone: Callable[..., Repository]) -> None:
    a, b = clone("a", "https://ci:s3cret@git.example/acme/a.git"), clone("b", "git@git.example:acme/b.git")
    a.write(search=override("search", "ep-1", 100))
    b.write(search=override("search", "ep-2", 200))
    assert a("apply", "policies", "--yes", "--prune").exit_code == Exit.OK
    assert b("apply", "policies", "--yes", "--prune").exit_code == Exit.OK
    (a.root / "policies/search.yaml").unlink()
    a.write(other=override("other", "ep-1", 150))
    assert a("apply", "policies", "--yes", "--prune").exit_code == Exit.OK
    assert rates(a.root) == {"ep-1": 150, "ep-2": 200}
    assert b.plan("--prune")["changes"] == []
    assert b("drift", "policies", "--unmanaged").exit_code == Exit.OK


def test_an_item_of_another_set_is_refused_and_both_sets_are_named(clone: Callable[..., Repository]) -> None:
    a, b = clone("a", "https://git.example/acme/a"), clone("b", "ssh://git@git.example:2222/acme/b.git")
    a.write(search=override("search", "ep-1", 100))
    assert a("apply", "policies", "--yes").exit_code == Exit.OK
    b.write(mine=override("mine", "ep-1", 200))
    for verb in (("plan", "policies"), ("apply", "policies", "--yes")):
        said = b(*verb)
        assert said.exit_code == Exit.REFUSED, said.output
        flat = " ".join(said.output.split())
        assert "EndpointRateOverride/search in policies/search.yaml of set git.example/acme/a" in flat
        assert "git.example/acme/b" in flat
    assert rates(a.root)["ep-1"] == 100


def test_an_item_is_handed_over_by_release_and_adopted_without_a_write(clone: Callable[..., Repository]) -> None:
    a, b = clone("a", "https://git.example/acme/a"), clone("b", "https://git.example/acme/b")
    a.write(search=override("search", "ep-1", 100))
    assert a("apply", "policies", "--yes").exit_code == Exit.OK
    still = a("release", "EndpointRateOverride/search")
    assert still.exit_code == Exit.REFUSED
    assert "still declared here" in still.output
    (a.root / "policies/search.yaml").unlink()
    a.write(account=(a.root / "policies/account.yaml").read_text())
    assert a("release", "EndpointRateOverride/serch").exit_code == Exit.USAGE
    assert a("release", "EndpointRateOverride/search", "--reason", "moved to b").exit_code == Exit.OK
    assert a.plan("--prune")["changes"] == []
    b.write(search=override("search", "ep-1", 100))
    assert b.plan()["changes"] == []
    assert b("apply", "policies", "--yes").exit_code == Exit.OK
    (b.root / "policies/search.yaml").unlink()
    b.write(other=override("other", "ep-2", 10))
    left = b("plan", "policies", "--prune").output
    assert "To release (1 item): it is already what it was before" in left, "b took it over as it was"
    journal = json.loads(a("history", "-o", "json").stdout)["runs"]
    assert ("release", "released", "moved to b") in {
        (run["operation"], run["result"], run["reason"]) for run in journal
    }


def test_an_item_is_taken_by_an_allowed_guard_with_a_reason(clone: Callable[..., Repository]) -> None:
    a, b = clone("a", "https://git.example/acme/a"), clone("b", "https://git.example/acme/b")
    a.write(search=override("search", "ep-1", 100))
    assert a("apply", "policies", "--yes").exit_code == Exit.OK
    b.write(mine=override("mine", "ep-1", 200))
    allow = ("--allow", "foreign-owner=EndpointRateOverride/mine", "--reason", "b runs it now")
    assert b("apply", "policies", "--yes", *allow).exit_code == Exit.OK
    assert rates(a.root)["ep-1"] == 200
    assert a("plan", "policies").exit_code == Exit.REFUSED
    assert a.plan("--prune")["changes"], "it is told, and refused"
    assert rates(a.root)["ep-1"] == 200


def test_a_set_is_the_same_from_every_folder_and_for_every_path_of_it(clone: Callable[..., Repository]) -> None:
    a = clone("a", "https://git.example/acme/a")
    a.write(one=override("one", "ep-1", 100), two=override("two", "ep-2", 200))
    assert a("apply", "policies", "--yes").exit_code == Exit.OK
    (a.root / "policies/one.yaml").unlink()
    a.write(more=override("one", "ep-1", 300))
    ways = (
        (".", ("plan", "policies")), (".", ("plan", "policies/more.yaml", "policies/account.yaml")),
        ("policies", ("plan", ".")), ("..", ("plan", "a/policies")), ("/", ("plan", str(a.root / "policies"))),
    )  # fmt: skip
    for at, arguments in ways:
        said = a(*arguments, at=at)
        assert said.exit_code == Exit.OK, (at, said.output)
        assert "1 to update" in said.output
    (a.root / "policies/more.yaml").unlink()
    for at, path in ((".", "policies"), ("policies", "."), ("..", "a/policies"), ("/", str(a.root / "policies"))):
        said = a("plan", path, "--prune", at=at)
        assert "1 to revert" in said.output, (at, said.output)


def test_without_a_remote_the_set_is_the_root_as_the_ledger_sees_it(clone: Callable[..., Repository]) -> None:
    a, b = clone("a"), clone("b")
    a.write(search=override("search", "ep-1", 100))
    b.write(search=override("search", "ep-2", 200))
    assert a("apply", "policies", "--yes", "--prune").exit_code == Exit.OK
    assert b("apply", "policies", "--yes", "--prune").exit_code == Exit.OK
    assert rates(a.root) == {"ep-1": 100, "ep-2": 200}
    (a.root / "policies/search.yaml").unlink()
    a.write(one=override("one", "ep-1", 300))
    assert "1 to update" in a("plan", ".", at="policies").output, "a root that is known contains these files"


def test_a_shared_ledger_asks_for_a_name_where_files_have_none(clone: Callable[..., Repository], call: Call) -> None:
    a = clone("a")
    a("plan", "policies")
    said = call("plan", "policies", "--ledger", "postgresql://ledger.example/modelpolicy")
    assert said.exit_code == Exit.USAGE
    assert "--set NAME" in said.output


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "x" * 201, "-a"])
def test_a_name_that_is_no_name_of_a_set_is_a_usage_error(clone: Callable[..., Repository], name: str) -> None:
    said = clone("a")("plan", "policies", f"--set={name}")
    assert said.exit_code == Exit.USAGE, said.output
    assert "declaration set" in said.output


def test_a_flag_names_the_set_whatever_the_remote(clone: Callable[..., Repository]) -> None:
    a = clone("a", "https://git.example/acme/a")
    a.write(search=override("search", "ep-1", 100))
    assert a("apply", "policies", "--yes", "--set", "team/x").exit_code == Exit.OK
    a.write(search=override("search", "ep-1", 200))
    assert a("plan", "policies").exit_code == Exit.REFUSED
    assert a("plan", "policies", "--set", "team/x").exit_code == Exit.OK
    (run, *_) = json.loads(a("history", "-o", "json").stdout)["runs"]
    assert run["set"] == "team/x"


def test_what_was_remembered_without_a_set_is_claimed_only_by_declaring_it(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODELPOLICY_SET", raising=False)
    seed = "endpoints:\n- {id: ep-1, name: chat, model: doubao-seed-2-0-lite, rateLimit: {rpm: 100, tpm: 20000}}\n"
    (tmp_path / "seed.yaml").write_text(seed)
    (tmp_path / ".modelpolicy").mkdir()
    with closing(sqlite3.connect(tmp_path / ".modelpolicy/ledger.db")) as connection:
        connection.executescript(SQL.read_text())
    assert call("platform", "seed", "seed.yaml").exit_code == Exit.OK
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/p.yaml").write_text(override("chat", "ep-1", 300))
    said = call("plan", "policies", "--prune")
    assert said.exit_code == Exit.OK, said.output
    assert "unclaimed" in said.output
    assert "ModelActivation/doubao-seed-2-0-lite" in said.output
    assert call("apply", "policies", "--prune", "--yes").exit_code == Exit.OK
    with closing(sqlite3.connect(tmp_path / ".modelpolicy/ledger.db")) as connection:
        kept = {
            kind: json.loads(body) for kind, body in connection.execute("SELECT kind, body FROM modelpolicy_records")
        }
    assert kept["EndpointRateOverride"]["set_name"].startswith("local:")
    assert kept["EndpointRateOverride"]["baseline"] == {"rpm": 600, "tpm": 100_000}
    assert "set_name" not in kept["InferenceLimit"]
    assert kept["InferenceLimit"]["owner"] == "InferenceLimit/lite"
    assert call("release", "InferenceLimit/lite").exit_code == Exit.OK
