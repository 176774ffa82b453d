"""`modelpolicy status` says what is wrong first, a line for each model that is well, and everything about what was named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

SEED = """models:
  - {name: doubao-seed-2-0-lite, state: Activated, freeTokens: 1000}
  - {name: doubao-seed-2-0-pro, state: Activated}
  - {name: trial, domain: LLM, freeTokens: 10, used: {online: 10}}
endpoints:
  - {id: ep-20261001-chat, name: chat-prod, model: doubao-seed-2-0-lite}
  - {id: ep-20261001-srch, name: search-prod, model: doubao-seed-2-0-pro}
"""
POLICIES = """apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: chat-fuse}
spec:
  model: doubao-seed-2-0-lite
  tokens: 5000
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: search}
spec: {endpoint: {name: search-prod}, rpm: 100, tpm: 1000}
"""
Account = dict[str, Any]


@pytest.fixture
def account(call: Call, tmp_path: Path) -> Call:
    """An account whose policies are applied."""
    (tmp_path / "seed.yaml").write_text(SEED, encoding="utf-8")
    assert call("platform", "seed", "seed.yaml").exit_code == 0
    (tmp_path / "seed.yaml").unlink()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(POLICIES, encoding="utf-8")
    assert call("apply", "--yes").exit_code == 0
    return call


@pytest.fixture
def paused(account: Call) -> Call:
    """The same with one model that reached its limit."""
    assert account("platform", "use", "chat-prod", "--tokens", "6000").exit_code == 0
    return account


def told(said: Result) -> Account:
    return dict(json.loads(said.stdout))


def flat(said: Result) -> str:
    return " ".join(said.stdout.split())


def test_where_all_is_well_there_is_a_line_a_model_and_none_more_of_it(account: Call) -> None:
    said = account("status")
    assert "No problems. 3 models in use." in flat(said)
    assert sum("doubao-seed-2-0-pro" in line for line in said.stdout.splitlines()) == 1
    assert "Resources: 2 of 2 ready" in said.stdout
    assert "https://www.volcengine.com/docs/82379/1330310" in said.stdout


def test_a_paused_model_comes_first_with_why_since_when_what_next_where_and_who(paused: Call) -> None:
    said = flat(paused("status"))
    assert said.index("PAUSED since") < said.index("model state")
    for words in (
        "6,000 of 5,000 tokens are used", "Raise tokens above the 6,000 used", "edit policies/all.yaml:6",
        "when from 20", "who whoever may change the policy files",
    ):  # fmt: skip
        assert words in said
    [row] = [line for line in paused("status").stdout.splitlines() if line.startswith("doubao-seed-2-0-lite  ")]
    assert row.split()[-1] == "PAUSED"


def test_no_row_of_a_paused_model_reads_as_if_all_were_well(paused: Call) -> None:
    said = paused("status", "chat-fuse").stdout
    [row] = [line for line in said.splitlines() if line.startswith("    InferenceLimit/chat-fuse")]
    assert "Paused: limit reached" in row
    assert "As declared" not in said


@pytest.mark.parametrize(
    ("name", "models", "endpoints", "resources"),
    [
        ("doubao-seed-2-0-pro", ["doubao-seed-2-0-pro"], ["ep-20261001-srch"], ["EndpointRateOverride/search"]),
        ("search-prod", ["doubao-seed-2-0-pro"], ["ep-20261001-srch"], ["EndpointRateOverride/search"]),
        ("ep-20261001-srch", ["doubao-seed-2-0-pro"], ["ep-20261001-srch"], ["EndpointRateOverride/search"]),
        ("search", ["doubao-seed-2-0-pro"], ["ep-20261001-srch"], ["EndpointRateOverride/search"]),
        ("InferenceLimit/chat-fuse", ["doubao-seed-2-0-lite"], [], ["InferenceLimit/chat-fuse"]),
        ("trial", ["trial"], [], []),
    ],
)
def test_a_name_asks_for_a_model_an_endpoint_or_a_resource_and_what_is_about_it(
    account: Call, name: str, models: list[str], endpoints: list[str], resources: list[str]
) -> None:
    said = told(account("status", name, "-o", "json"))
    assert [one["name"] for one in said["models"]] == models
    assert [one["id"] for one in said["endpoints"]] == endpoints
    assert [one["address"] for one in said["resources"]] == resources
    assert f"\n{models[0]}  " in account("status", name).stdout


def test_everything_that_is_known_of_a_named_model_is_shown(account: Call) -> None:
    said = flat(account("status", "doubao-seed-2-0-pro"))
    for group in ("free quota", "limit", "inference", "LoRA tuning", "full tuning", "model rate", "documentation"):
        assert group in said
    assert "search-prod (ep-20261001-srch) 100 / 1,000" in said


def test_several_names_are_all_shown_and_one_path_may_stand_among_them(account: Call) -> None:
    said = told(account("status", "chat-prod", "policies/", "trial", "-o", "json"))
    assert [one["name"] for one in said["models"]] == ["doubao-seed-2-0-lite", "trial"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("search-prd", "did you mean search-prod"), ("InferenceLimit/chat-fues", "did you mean InferenceLimit/chat-fuse?"),
        ("doubao-seed-2-0", "did you mean doubao-seed-2-0-"), ("zzzzzz", "`modelpolicy status` lists"),
    ],
)  # fmt: skip
def test_a_name_that_stands_for_nothing_is_a_usage_error_with_what_is_near(account: Call, name: str, hint: str) -> None:
    said = account("status", "chat-prod", name)
    assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
    assert hint in " ".join(said.stderr.split())
    assert len(said.stderr) < 500
    assert json.loads(account("status", name, "-o", "json").stdout)["errors"][0]["reason"] == "Usage"


def test_a_path_that_is_missing_is_a_path_and_no_name(account: Call) -> None:
    for path in ("nowhere/", "./nowhere", "nowhere.yaml"):
        assert account("status", path).exit_code == Exit.INVALID


def test_what_is_a_folder_and_a_name_is_read_as_a_folder_and_said_so(account: Call, tmp_path: Path) -> None:
    (tmp_path / "search-prod").mkdir()
    said = account("status", "search-prod")
    assert "--name search-prod asks for what is called so" in said.stderr
    assert [one["id"] for one in told(account("status", "--name", "search-prod", "-o", "json"))["endpoints"]] == [
        "ep-20261001-srch"
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], Exit.OK), (["--exit-code"], Exit.CHANGES), (["chat-prod", "--exit-code"], Exit.CHANGES),
        (["chat-fuse", "--exit-code"], Exit.CHANGES), (["search-prod", "--exit-code"], Exit.OK),
        (["trial", "--exit-code"], Exit.OK), (["--problems", "--exit-code", "-o", "json"], Exit.CHANGES),
    ],
)  # fmt: skip
def test_with_exit_code_what_does_not_serve_is_2_and_only_of_what_was_asked_for(
    paused: Call, arguments: list[str], code: Exit
) -> None:
    assert paused("status", *arguments).exit_code == code


def test_with_exit_code_what_is_not_ready_is_2_until_it_is_applied(account: Call, tmp_path: Path) -> None:
    assert account("status", "--exit-code").exit_code == Exit.OK
    (tmp_path / "policies" / "all.yaml").write_text(POLICIES.replace("rpm: 100", "rpm: 90"), encoding="utf-8")
    said = account("status", "--exit-code")
    assert said.exit_code == Exit.CHANGES
    assert "Look at the plan, then apply it." in said.stdout
    assert account("status", "chat-prod", "--exit-code").exit_code == Exit.OK


def test_an_endpoint_that_a_person_stopped_fails_only_who_asks_for_it(account: Call) -> None:
    account("platform", "serve", "--help")  # nothing is served here: the file is changed as a person would
    import sqlite3

    with sqlite3.connect(".modelpolicy/platform.db") as database:
        database.execute("UPDATE endpoints SET status = 'Stopped' WHERE name = 'search-prod'")
    assert account("status", "--exit-code").exit_code == Exit.OK
    said = account("status", "search-prod", "--exit-code")
    assert said.exit_code == Exit.CHANGES
    assert "Start the endpoint" in said.stdout
    with sqlite3.connect(".modelpolicy/platform.db") as database:
        database.execute("UPDATE endpoints SET status = 'Failed' WHERE name = 'search-prod'")
    assert account("status", "--exit-code").exit_code == Exit.CHANGES


def test_problems_are_all_that_problems_shows(paused: Call, account: Call) -> None:
    said = paused("status", "--problems")
    assert "PAUSED since" in said.stdout
    assert "search-prod" not in said.stdout
    assert "Resources:" not in said.stdout
    found = told(paused("status", "--problems", "-o", "json"))
    assert [one["name"] for one in found["problems"]] == ["doubao-seed-2-0-lite"]
    assert [one["name"] for one in found["models"]] == ["doubao-seed-2-0-lite"]
    assert (found["endpoints"], found["resources"]) == ([], [])
    assert "No problems." in account("status", "search-prod", "--problems").stdout


def test_where_the_platform_cannot_be_seen_nothing_is_said_to_be_well(
    account: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".modelpolicy" / "platform.db").write_bytes(
        b"no database at all, but long enough to be read as one" * 9
    )
    for arguments in ([], ["chat-prod"], ["--problems", "--exit-code"]):
        said = account("status", *arguments)
        assert said.exit_code == Exit.UNEXPECTED, said.output
        assert "No problems" not in said.stdout
        assert "failed [" in said.stdout


@pytest.fixture
def many(tmp_path: Path, call: Call) -> Callable[[int], Call]:
    def made(count: int) -> Call:
        models = "".join(
            f"  - {{name: model-{n:05}, domain: LLM, state: Activated, freeTokens: 500000}}\n" for n in range(count)
        )
        (tmp_path / "seed.yaml").write_text(f"models:\n{models}", encoding="utf-8")
        assert call("platform", "seed", "seed.yaml").exit_code == 0
        (tmp_path / "seed.yaml").unlink()
        return call

    return made


def test_a_thousand_models_take_about_a_thousand_lines(many: Callable[[int], Call]) -> None:
    said = many(1_000)("status")
    assert said.stdout.count("model-0") == 1_000
    assert len(said.stdout.splitlines()) < 1_020


def test_a_thousand_resources_that_wait_are_told_by_twenty_and_a_number(
    many: Callable[[int], Call], tmp_path: Path
) -> None:
    call = many(1_000)
    (tmp_path / "policies.yaml").write_text(
        "---\n".join(
            f"apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\nmetadata: {{name: l-{n}}}\n"
            f"spec: {{model: model-{n:05}, tokens: 10}}\n"
            for n in range(1_000)
        ),
        encoding="utf-8",
    )
    said = call("status").stdout
    assert "To be changed (1,000)" in said
    assert "and 980 more of these; --problems shows all." in said
    assert len(said.splitlines()) < 1_080
    every = call("status", "--problems").stdout
    assert every.count("InferenceLimit/l-") == 1_000
