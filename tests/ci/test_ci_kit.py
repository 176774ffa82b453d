"""What examples/ci tells people to copy is valid for its CI, and the commands in it run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"
POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata:
  name: seed
spec:
  model: doubao-seed-1-6
---
apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata:
  name: default
spec:
  platform: embedded
"""


def read(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text())


def schema_says(schema: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.github-workflows", "github/modelpolicy.yml"), ("vendor.gitlab-ci", "gitlab/.gitlab-ci.yml")],
)
def test_each_pipeline_is_valid_for_its_ci(schema: str, file: str, tmp_path: Path) -> None:
    said = schema_says(schema, CI / file)
    assert said.returncode == 0, said.stdout
    broken = tmp_path / "broken.yml"
    broken.write_text(
        (CI / file).read_text().replace("runs-on: ubuntu-latest", "runs_on: x").replace("script:", "scripts:")
    )
    assert schema_says(schema, broken).returncode != 0


def commands() -> list[str]:
    """Every modelpolicy command of the kit, without its exit code being judged twice."""
    workflow = read(CI / "github/modelpolicy.yml")
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    gitlab = read(CI / "gitlab/.gitlab-ci.yml")
    runs += [line for job in gitlab.values() if isinstance(job, dict) for line in job.get("script", ())]
    hooks = read(CI / "pre-commit/.pre-commit-config.yaml")["repos"][0]["hooks"]
    runs += [" ".join([hook["entry"], *hook["args"]]) for hook in hooks]
    return sorted({run for run in runs if run.startswith("modelpolicy ")})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A team's repository with one policy, and the command on its PATH."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/seed.yaml").write_text(POLICY)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/modelpolicy"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m reconciler.cli "$@"\n')
    command.chmod(0o755)
    return tmp_path


def run(command: str, where: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{where / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(where), "CI": "true", **more}
    return subprocess.run(["bash", "-ec", command], cwd=where, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("command", commands())
def test_each_command_of_the_kit_runs(command: str, repository: Path) -> None:
    said = run(command, repository)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_kit_checks_plans_and_applies() -> None:
    assert {command.split()[1] for command in commands()} == {"validate", "fmt", "plan", "apply"}


# What gh does of it: one JSON array of comments, and the script's own filter on it, which reads the environment.
GH = """#!{python}
import json, os, pathlib, re, sys
asked = sys.argv[1:]
pathlib.Path("calls").open("a").write(" ".join(asked) + "\\n")
if "--paginate" in asked:
    assert re.search(r"startswith\\(env\\.MARKER\\)", asked[asked.index("--jq") + 1])
    for comment in json.loads(os.environ["KNOWN"]):
        if comment["bot"] and comment["body"].startswith(os.environ["MARKER"]):
            print(comment["id"])
"""


NEW = "api --method POST repos/a/b/issues/7/comments -F body=@plan.md --silent"
CHANGED = "api --method PATCH repos/a/b/issues/comments/41 -F body=@plan.md --silent"


def of(*accounts: str, under: str = "policies") -> str:
    """The comment of an earlier plan."""
    from dataclasses import replace

    from reconciler.report import as_markdown
    from reconciler.report.review import Provenance
    from tests.report import scenes

    plan = scenes.quiet().plan
    reports = [replace(scenes.quiet(), plan=replace(plan, account=account)) for account in accounts]
    return as_markdown.plan(*reports, provenance=Provenance(revision="0" * 40, under=(under,)))


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ([], NEW),
        ([("lgtm", False), (of("default"), True)], CHANGED),
        ([(of("default"), False)], NEW),  # a person quotes the comment
        ([(of("prod"), True), (of("default", "prod"), True), (of("default", under="envs/prod"), True)], NEW),
    ],
)
def test_the_plan_is_one_comment_of_its_accounts_and_files_made_once_and_then_changed(
    repository: Path, known: list[tuple[str, bool]], call: str
) -> None:
    assert run("modelpolicy plan policies -o markdown=plan.md", repository).returncode == 0
    assert (repository / "plan.md").read_text().startswith("<!-- modelpolicy plan: default in policies -->\n")
    comments = [{"id": 41 + n, "body": body, "bot": bot} for n, (body, bot) in enumerate(known)]
    if call == CHANGED:
        comments[-1]["id"] = 41
    steps = read(CI / "github/modelpolicy.yml")["jobs"]["plan"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "Comment"]
    (repository / "bin/gh").write_text(GH.replace("{python}", sys.executable))
    (repository / "bin/gh").chmod(0o755)
    said = run(
        script, repository, KNOWN=json.dumps(comments), COMMENTS="repos/a/b/issues/7/comments", REPOSITORY="repos/a/b"
    )
    assert said.returncode == 0, said.stderr
    assert (repository / "calls").read_text().splitlines()[-1] == call


def test_each_hook_names_a_verb_and_what_pre_commit_asks_for() -> None:
    from reconciler.cli.root import VERBS

    hooks = read(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["modelpolicy-validate", "modelpolicy-fmt"]
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook)
        assert hook["entry"].split()[1] in VERBS
    local = read(CI / "pre-commit/.pre-commit-config.yaml")["repos"][0]["hooks"]
    assert {hook["entry"] for hook in local} == {hook["entry"] for hook in hooks}


def test_no_secret_is_on_a_command_line_and_no_value_of_an_event_is_in_a_script() -> None:
    workflow = read(CI / "github/modelpolicy.yml")
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
