"""Who a run was by and which CI job it ran in is on record; what a CI says is anybody's text."""

import json
import subprocess
from pathlib import Path

import pytest
from stage import Stage

from reconciler.cli import origin
from tests.cli.conftest import Call
from tests.cli.test_committed import git, repository

VARIABLES = {name for each in origin._SERVICES for name in (each.marker, *each.actors)} | {"BUILD_URL"}


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[str, str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return origin.actor(), origin.link()


GITHUB = {
    "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/policy", "GITHUB_RUN_ID": "42", "GITHUB_RUN_ATTEMPT": "2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "actor", "link"),
    [
        (GITHUB, "octocat (GitHub Actions)", "https://github.com/acme/policy/actions/runs/42/attempts/2"),
        ({**GITHUB, "GITHUB_TRIGGERING_ACTOR": "hubot"}, "hubot (GitHub Actions)", None),
        (
            {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ada", "CI_JOB_URL": "https://gitlab.example:8443/a/-/jobs/7"},
            "ada (GitLab CI)", "https://gitlab.example:8443/a/-/jobs/7",
        ),
        (
            {"JENKINS_URL": "http://ci/", "BUILD_USER_ID": "bob", "BUILD_URL": "http://ci/job/a%20b/7/"},
            "bob (Jenkins)", "http://ci/job/a%20b/7/",
        ),
        (
            {"BUILDKITE": "true", "BUILDKITE_BUILD_CREATOR": "Ada Lovelace", "BUILDKITE_BUILD_URL": "https://b.example/a/1",
             "BUILDKITE_JOB_ID": "0190-a"}, "Ada Lovelace (Buildkite)", "https://b.example/a/1#0190-a",
        ),
        (
            {"CIRCLECI": "true", "CIRCLE_USERNAME": "ada", "CIRCLE_BUILD_URL": "https://circleci.com/gh/a/b/9"},
            "ada (CircleCI)", "https://circleci.com/gh/a/b/9",
        ),
        (
            {"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ada", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
             "SYSTEM_TEAMPROJECT": "My Policy", "BUILD_BUILDID": "3"},
            "Ada (Azure Pipelines)", "https://dev.azure.com/acme/My%20Policy/_build/results?buildId=3",
        ),
    ],
)  # fmt: skip
def test_in_a_ci_it_is_who_started_the_job_and_where_that_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], actor: str, link: str | None
) -> None:
    said = given(monkeypatch, **variables)
    assert said[0] == actor
    assert link is None or said[1] == link


def test_elsewhere_it_is_user_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, link = given(monkeypatch)
    assert "@" in actor
    assert link == ""
    for off in ("", "false", "0"):
        assert given(monkeypatch, CI=off, GITHUB_ACTIONS=off, GITHUB_ACTOR="octocat") == (actor, "")
    assert given(monkeypatch, CI="true", BUILD_URL="https://ci.example/7") == (actor, "https://ci.example/7")


def test_a_ci_that_does_not_say_who_leaves_user_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = given(monkeypatch)[0]
    assert given(monkeypatch, GITLAB_CI="true", GITLAB_USER_LOGIN=" \n") == (alone, "")


def test_what_a_ci_says_is_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a\x1b[31m\nb\u202e\u200b" + "c" * 1000
    actor, _ = given(monkeypatch, GITHUB_ACTIONS="true", GITHUB_ACTOR=name)
    assert actor.isprintable()
    assert actor.startswith("a [31m b c")
    assert len(actor) < 150


@pytest.mark.parametrize(
    ("said", "link"),
    [
        ("https://ci:hunter2@gitlab.example/a/1", "https://gitlab.example/a/1"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("https://", ""),
        ("https://a b/c", ""),
        ("https://[bad/c", ""),
        ("https://h:99999/c", ""),
        ("https://h/<script>\"'`x\x1b\n\u202e", "https://h/%3Cscript%3E%22'%60x%1B%E2%80%AE"),
        ("https://[::1]:80/x", "https://[::1]:80/x"),
        ("https://h/" + "a" * 1000, ""),
        ("not a link", ""),
    ],
)
def test_a_link_is_a_plain_web_address_without_secrets_or_there_is_none(
    monkeypatch: pytest.MonkeyPatch, said: str, link: str
) -> None:
    assert given(monkeypatch, GITLAB_CI="true", CI_JOB_URL=said)[1] == link


def test_an_applied_run_keeps_who_where_and_that_its_files_were_not_committed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stage(tmp_path).close()
    document = "apiVersion: modelpolicy.dev/v1alpha1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
    account = document.format(
        "PlatformAccount", "default", "{platform: embedded, embedded: {path: " + str(tmp_path / "p.db") + "}}"
    )
    model = document.format("ModelActivation", "m", "{model: doubao-seed-1-6, state: Activated}")
    repo = repository(tmp_path / "repo", policy=f"{account}---\n{model}")
    monkeypatch.chdir(repo)
    assert call("platform", "use", "doubao-seed-1-6", "--tokens", "1", "--db", str(tmp_path / "p.db")).exit_code == 0
    said = call("apply", "policies", "--yes", env=GITHUB)
    assert said.exit_code == 0, said.output
    runs = json.loads(call("history", "-o", "json").output)["runs"]
    head = git(repo, "rev-parse", "HEAD")
    assert [(run["actor"], run["link"], run["revision"]) for run in runs] == [
        ("octocat (GitHub Actions)", "https://github.com/acme/policy/actions/runs/42/attempts/2", head)
    ]
    file = repo / "policies" / "policy.yaml"
    file.write_text(file.read_text().replace("state: Activated", "state: NotActivated"))
    assert call("plan", "policies", "--out", "a.plan").exit_code == 0
    subprocess.run(["git", "checkout", "-q", "."], cwd=repo, check=True)
    assert call("apply", "--plan", "a.plan", "--yes").exit_code == 0
    assert json.loads(call("history", "-o", "json", "--limit", "1").output)["runs"][0]["revision"] == f"{head}+dirty"
