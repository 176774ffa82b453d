"""What stands beside policies is passed over and counted; what could be meant for us, or could be a policy that broke, never is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.finding import Severity
from reconciler.load import Loaded, SourceText, foreign, load
from reconciler.sources.files import gather

POLICY = "apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\nmetadata: {name: a}\nspec: {model: doubao-seed-2-0-pro, tokens: 5M}\n"
TEMPLATE = (
    "{{- if .Values.on }}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n"
)
SETTINGS = '{\n  // editors write these\n  "compilerOptions": {"strict": true, "url": "http://x//y", /* and\n  these */ "lib": ["a",],},\n}\n'


def beside(content: str | bytes, name: str = "a.yaml") -> Loaded:
    """What is said of a file that was met in a folder."""
    return load([SourceText(name, content if isinstance(content, bytes) else content.encode(), asked=False)])


def rules(loaded: Loaded) -> list[str]:
    return [finding.rule for finding in loaded.findings]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("chart/templates/a.yaml", TEMPLATE, "it is a template"),
        ("site/a.yaml", "a: {% raw %} [\n", "it is a template"),
        ("a.yml", "a: <%= b %>: c: d\n", "it is a template"),
        ("tsconfig.json", SETTINGS, "it is JSON with comments"),
        ("kustomization.yaml", "resources: [a\nb: c\n", "it is a Kustomization"),
        ("k.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {a: [}\n", "it is of apps/v1"),
        ("package-lock.json", '{"a": "' + "x" * 9_000_000 + '"}', "larger than the 8 MiB"),
        ("latin.json", '{"a": "\xe9"}'.encode("latin-1"), "is not UTF-8 text"),
        ("i18n.json", '{"a": "b\u2028c"}', "control character U+2028"),
    ],
)  # fmt: skip
def test_a_file_that_shows_what_else_it_is_is_passed_over_with_a_note(
    name: str, content: str | bytes, why: str
) -> None:
    result = beside(content, name)
    (note,) = result.findings
    assert (note.rule, note.severity) == ("passed-over", Severity.INFO)
    assert name in note.message
    assert why in note.message
    assert result.declared.held == ()
    asked = load([SourceText(name, content if isinstance(content, bytes) else content.encode())])
    assert any(finding.severity is Severity.ERROR for finding in asked.findings), "asked for by its name it is judged"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", '{"name": "x", "scripts": {"a": "b"}}'),
        ("data.json", "[1, 2, 3]"),
        ("words.json", '"text"'),
        ("list.yaml", "- a\n- b: c\n"),
        (".drone.yaml", "kind: pipeline\ntype: docker\nname: x\n"),
        ("values.yaml", "metadata: {a: b}\nreplicas: 2\nimage: {tag: v1}\n"),
        ("cloud.yaml", "AWSTemplateFormatVersion: 2010-09-09\nResources: {A: {Type: 'AWS::X', Properties: {B: !Ref C}}}\n"),
        ("mkdocs.yml", "site_name: x\nmarkdown_extensions: [{a: {emoji: !!python/name:x.y ''}}]\n"),
        ("k.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1, n: 0755, on: yes}\n"),
        ("compose.yml", "x-a: &a {b: c}\nservices:\n  d:\n    <<: *a\n"),
        ("ci.yml", "name: ci\non: push\njobs: {a: {steps: [{run: 'echo ${{ x }}'}]}}\n"),
        ("deep.yaml", "a: {" * 50 + "}" * 50 + "\nb: c\n"),
        ("lock.yaml", "packages:\n" + "".join(f"  /a/{number}:\n    v: {number}\n" for number in range(70_000))),
        ("o.json", '{"openapi": "3.1", "info": {"a": 1e999, "b": 01.5}}'.replace("01.5", "1.5")),
    ],
)  # fmt: skip
def test_a_document_of_something_else_is_left_alone_whatever_it_holds(name: str, content: str) -> None:
    result = beside(content, name)
    assert rules(result) == ["foreign-document"]
    assert result.declared.held == ()


@pytest.mark.parametrize(
    "content",
    [
        POLICY.replace("spec", "spec:["),
        POLICY.replace("5M}", "5M, {{ x }}"),
        POLICY.replace("modelpolicy.dev/v1alpha1", "apps/v1"),
        POLICY.replace("modelpolicy.dev/v1alpha1", "MODELPOLICY.dev/v1"),
        POLICY.replace("modelpolicy.dev/v1alpha1", "modelpolcy.dev/v1alpha1"),
        POLICY.replace("modelpolicy.dev/v1alpha1", "model\u200bpolicy.dev/v1alpha1").replace("InferenceLimit", "X"),
        POLICY.replace("apiVersion: modelpolicy.dev/v1alpha1\n", ""),
        POLICY.replace("apiVersion: modelpolicy.dev/v1alpha1\n", "").replace("InferenceLimit", "InferenceLimt"),
        POLICY.replace("apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\n", ""),
        POLICY.replace("apiVersion", "apiversion"),
        "apiVersion: apps/v1\nkind: A\n---\n" + POLICY.replace("5M}", ""),
        TEMPLATE + "# as modelpolicy says\n",
        "apiVersion: modelpol",
        "some: [broken\n",
        "just text\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "a: 1\na: 2\nb: {{{\n",
        b"\x00GITCRYPT\x00\x8a\x9b{{ a }}",
        b"\xff\xfe" + "{{ a }}".encode("utf-16-le"),
        b"a: \x01{{ b }}",
    ],
)
def test_what_could_be_meant_for_us_or_be_a_policy_that_broke_is_never_passed_over(content: str | bytes) -> None:
    result = beside(content)
    assert any(finding.severity is Severity.ERROR for finding in result.findings)
    assert result.declared.held


def test_a_policy_is_a_policy_whatever_its_file_is_called() -> None:
    for name in ("kustomization.yaml", "package.yaml", "values.yml"):
        assert [one.name for one in beside(POLICY, name).declared.resources] == ["a"]
    assert beside("resources: [a.yaml]\nmetadata: {name: x}\n", "base/kustomization.yml").declared.held == ()


def test_many_are_counted_and_not_listed() -> None:
    texts = [SourceText(f"t{number:02}.yaml", TEMPLATE.encode(), asked=False) for number in range(12)]
    texts += [SourceText(f"k{number:02}.yaml", b"apiVersion: v1\nkind: Service\n", asked=False) for number in range(12)]
    other, passed = load(texts).findings
    assert other.message == "12 documents of other kinds (Service) in 12 files are left alone"
    assert passed.message == "12 files that are no policies were passed over: t00.yaml, t01.yaml, t02.yaml and 9 more"
    assert passed.location is not None


@pytest.mark.parametrize("text", ["modelpolicy.dev/x", "InferenceLimit", "platformaccount", "ｍodelpolicy", "model\u200bpolicy", "apiVersion: modelpolisy.dev/v1", "apiVersion: m"])  # fmt: skip
def test_whatever_names_us_is_seen(text: str) -> None:
    assert foreign.mentions_us(f"a: b\n{text}\n")
    assert not foreign.mentions_us("apiVersion: apps/v1\nkind: Deployment # a model, a policy\n")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository as they are: policies, a chart, manifests, settings of editors and builders."""
    files = {
        "policies/a.yaml": POLICY,
        "policies/kustomization.yaml": "resources: [a.yaml]\n",
        "chart/Chart.yaml": "apiVersion: v2\nname: x\nversion: 0.1.0\n",
        "chart/values.yaml": "replicas: 1\nspec: {a: b}\n",
        "chart/templates/a.yaml": TEMPLATE,
        "tsconfig.json": SETTINGS,
        "package.json": '{"name": "x"}',
        "data.json": "[1, 2]",
        "deploy/list.yml": "- a\n- b\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_repository_of_many_things_is_valid_and_says_how_many_were_passed_over(repository: Path) -> None:
    gathered = gather(["."])
    loaded = load(gathered.texts, complete=gathered.complete)
    assert {finding.severity for finding in loaded.findings} == {Severity.INFO}
    assert [one.name for one in loaded.declared.resources] == ["a"]
    assert loaded.declared.held == ()


def test_its_verbs_work_in_it(repository: Path) -> None:
    def ran(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "reconciler.cli", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, capture_output=True, text=True, input=text, env=environment, timeout=50)

    done = ran("validate", ".")
    assert done.returncode == 0, done.stdout
    assert "tsconfig.json is no policy and was passed over: it is JSON with comments" in " ".join(done.stdout.split())
    done = ran("fmt", "--check", ".")
    assert (done.returncode, "not valid" in done.stderr) == (0, False), done.stderr
    assert ran("platform", "seed").returncode == 0
    done = ran("plan", ".")
    assert "limit-needs-activation" in done.stdout  # of the policy, and of nothing else
    assert "1 error above" in done.stdout
    assert ran("validate", "chart/templates/a.yaml").returncode == 3
    assert ran("validate", "-", text=TEMPLATE).returncode == 3
    assert ran("validate", "-", text=POLICY).returncode == 0
