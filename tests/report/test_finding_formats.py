"""Findings for machines that show them: GitHub's annotations, SARIF and JUnit."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from reconciler.finding import Finding, Location, Severity
from reconciler.reasons import Reason
from reconciler.report import as_github, as_junit, as_sarif
from reconciler.report.as_text import safe
from reconciler.state import Failure
from tests.report import githubs_sarif

FAILED = (Failure("the ledger is newer", Reason.PLATFORM_UNAVAILABLE),)
TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["a::b,c%d\r\n::error::x", "]]>&<\"'", "[x](https://evil)", "\x00\ufffe\ud800"]),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["limit-unsupported-modality", "not-in-the-registry"]),
    severity=st.sampled_from(Severity),
    message=TEXT,
    hint=TEXT,
    location=st.none() | st.builds(Location, file=TEXT, line=st.integers(0, 9), column=st.integers(0, 9)),
    resource=st.none() | TEXT,
)
SARIF_SCHEMA = jsonschema.Draft202012Validator(SarifLog.model_json_schema())


def renderings() -> dict[str, str]:
    return {
        "findings.github": as_github.findings(samples.FINDINGS, 7, FAILED),
        "findings.sarif": as_sarif.findings(samples.FINDINGS, 7, FAILED),
        "findings.junit.xml": as_junit.findings(samples.FINDINGS, 7, FAILED, (samples.FILE, "policies/clean.yaml")),
    }


@pytest.mark.parametrize("name", sorted(renderings()))
def test_the_bytes_of_every_format_are_those_that_were_reviewed(name: str) -> None:
    samples.assert_golden(name, renderings()[name])


def command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it (ActionCommand.TryParseV2)."""
    _, head, data = line.split("::", 2)
    name, _, written = head.partition(" ")

    def back(text: str, *extra: tuple[str, str]) -> str:
        for code, character in (*extra, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, character)
        return text

    pairs = [pair.split("=", 1) for pair in written.split(",")]
    return name, {key: back(value, ("%3A", ":"), ("%2C", ",")) for key, value in pairs}, back(data)


@settings(deadline=None)
@given(st.lists(FINDINGS, min_size=1, max_size=4))
def test_a_runner_reads_back_each_annotation_with_its_line_and_column(found: list[Finding]) -> None:
    *lines, last = as_github.findings(found, 3).splitlines()
    assert len(lines) == len(dict.fromkeys(found))
    assert not last.startswith("::")
    by_message = {}
    for line in lines:
        name, properties, message = command(line)
        assert name in ("error", "warning", "notice")
        assert set(properties) <= {"file", "line", "col", "title"}
        by_message[message] = properties
    for one in found:
        said = f"{one.message}\n{one.hint}" if one.hint else one.message
        shown = "\n".join(safe(part) for part in said.split("\n"))
        if "%" in shown:
            continue  # an escape in the text itself reads back as what it stands for, on any runner
        assert any(message == shown or message.endswith(f": {shown}") for message in by_message)


def test_an_annotation_stands_on_the_line_and_column_of_its_value() -> None:
    _, second, *_ = as_github.findings(samples.FINDINGS, 7).splitlines()
    assert second.startswith("::warning file=policies/doubao.yaml,line=44,col=8,title=sample-oversubscribed ")


@settings(deadline=None, max_examples=60)
@given(st.lists(FINDINGS, max_size=4))
def test_every_sarif_log_is_valid(found: list[Finding]) -> None:
    text = as_sarif.findings(found, 3, FAILED)
    log = json.loads(text)
    SarifLog.model_validate(log)
    assert [error.message for error in SARIF_SCHEMA.iter_errors(log)] == []
    assert githubs_sarif.objections(text) == []


def test_every_rule_check_and_constraint_is_described_as_code_scanning_asks() -> None:
    from reconciler import rules
    from reconciler.load import CHECKS

    ids = [*rules.registry(), *CHECKS, "annotation", "not-in-any-registry"]
    found = [Finding(id_, Severity.ERROR, "wrong", location=Location("a.yaml", 1, 1)) for id_ in ids]
    text = as_sarif.findings(found, 1)
    assert githubs_sarif.objections(text) == []
    described = json.loads(text)["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == sorted(set(ids))
    assert all(rule["shortDescription"]["text"].endswith((".", "...")) for rule in described)
    by_id = {rule["id"]: rule for rule in described}
    help_ = by_id["limit-change-interval"]["help"]
    assert "**Why:**" in help_["markdown"]
    assert "The platform says: " in help_["text"]


def test_where_a_rule_is_documented_there_is_a_heading_for_it() -> None:
    from reconciler import rules
    from reconciler.load import CHECKS
    from reconciler.report import catalogue

    pages = Path(__file__).parents[2] / "docs" / "reference"
    for id_ in (*rules.registry(), *CHECKS):
        page, _, heading = catalogue.entry(id_).url.removeprefix(f"{catalogue.DOCUMENTATION}/").partition("#")
        assert f"\n## {heading}\n" in (pages / f"{page}.md").read_text(encoding="utf-8")


def test_of_more_findings_than_code_scanning_keeps_the_errors_stay_and_the_log_says_so() -> None:
    many = [
        Finding("a-rule", Severity.WARNING, f"odd {n}", location=Location("a.yaml", n + 1, 1)) for n in range(6_000)
    ]
    wrong = [Finding("b-rule", Severity.ERROR, f"wrong {n}", location=Location("z.yaml", n + 1, 1)) for n in range(100)]
    text = as_sarif.findings([*many, *wrong], 1)
    (run,) = json.loads(text)["runs"]
    assert len(run["results"]) == 5_000
    assert sum(result["level"] == "error" for result in run["results"]) == 100
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("5,000 of 6,100 findings are in this log, errors first")
    assert run["invocations"][0]["executionSuccessful"] is True
    assert githubs_sarif.objections(text) == []


def test_a_message_is_cut_to_what_an_alert_shows_and_never_within_an_escape() -> None:
    for length in range(1015, 1030):
        found = [Finding("a-rule", Severity.ERROR, "x" * length + "[" * 50 + "😀" * 900)]
        text = json.loads(as_sarif.findings(found, 1))["runs"][0]["results"][0]["message"]["text"]
        assert len(text.encode("utf-16-le")) // 2 <= 1024
        assert text.endswith("…")
        assert not re.search(r"(?<!\\)(?:\\\\)*\\…$", text)


def test_findings_that_no_line_is_about_are_told_apart_by_their_fingerprints() -> None:
    found = [Finding("unmanaged-item", Severity.INFO, f"item {n}", resource=f"InferenceLimit/{n}") for n in range(3)]
    results = json.loads(as_sarif.findings(found, 1))["runs"][0]["results"]
    assert len({result["partialFingerprints"]["primaryLocationLineHash"] for result in results}) == 3


def annotations(text: str) -> list[tuple[str, dict[str, str], str]]:
    return [command(line) for line in text.splitlines() if line.startswith("::")]


def test_of_more_annotations_than_github_keeps_the_last_says_how_many_and_the_log_has_them() -> None:
    many = [
        Finding("a-rule", severity, f"{severity} {n}", location=Location("a.yaml", n + 1, 1))
        for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR)
        for n in range({Severity.INFO: 3, Severity.WARNING: 10, Severity.ERROR: 41}[severity])
    ]
    text = as_github.findings(many, 1)
    shown = annotations(text)
    assert [name for name, _, _ in shown] == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 3
    assert shown[9][1] == {"title": "32 more"}
    assert shown[19][2] == "warning 9"
    rest = [line for line in text.splitlines() if line.startswith("error a.yaml:")]
    assert len(rest) == 32
    assert rest[-1] == "error a.yaml:41:1 a-rule: error 40"
    assert text.splitlines()[-1] == "modelpolicy checked 1 resource: 41 errors, 13 other findings"


def test_failures_of_the_world_count_among_the_errors_and_come_first() -> None:
    wrong = [Finding("a-rule", Severity.ERROR, f"wrong {n}", location=Location("a.yaml", n + 1, 1)) for n in range(20)]
    shown = annotations(as_github.findings(wrong, 1, FAILED))
    assert len(shown) == 10
    assert shown[0][1] == {"title": "PlatformUnavailable"}


def test_the_sarif_schema_that_the_tests_use_refuses_what_is_no_sarif() -> None:
    log = json.loads(as_sarif.findings(samples.FINDINGS, 3))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not SARIF_SCHEMA.is_valid(log)


def test_sarif_names_the_rule_the_level_and_the_place() -> None:
    (run,) = json.loads(as_sarif.findings(samples.FINDINGS, 3))["runs"]
    result = run["results"][1]
    assert (result["ruleId"], result["level"]) == ("sample-oversubscribed", "warning")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "sample-oversubscribed"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "policies/doubao.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 44, "startColumn": 8, "endLine": 44, "endColumn": 9}


def fingerprints(**place: Any) -> str:
    one = Finding("a-rule", Severity.ERROR, "wrong", location=Location("a.yaml", **place))
    fingerprint: str = json.loads(as_sarif.findings([one], 1))["runs"][0]["results"][0]["partialFingerprints"][
        "modelpolicy/v1"
    ]
    return fingerprint


def test_a_finding_keeps_its_fingerprint_when_lines_move() -> None:
    assert fingerprints(line=1, column=1) == fingerprints(line=9, column=2)


@settings(deadline=None)
@given(st.lists(FINDINGS, max_size=4), st.lists(TEXT, max_size=2))
def test_every_junit_report_is_xml_whose_totals_are_its_cases(found: list[Finding], files: list[str]) -> None:
    root = ET.fromstring(as_junit.findings(found, 3, FAILED, files).encode("utf-8"))
    cases = root.findall("testsuite/testcase")
    assert int(root.get("tests", "")) == len(cases)
    assert int(root.get("failures", "")) == len(root.findall(".//failure"))
    assert int(root.get("errors", "")) == len(root.findall(".//error")) == 1


def test_a_file_without_an_error_is_a_test_that_passed() -> None:
    root = ET.fromstring(renderings()["findings.junit.xml"])
    failed = {case.get("name"): case.find("failure") is not None for case in root.iter("testcase")}
    assert failed["policies/clean.yaml"] is False
    assert failed[samples.FILE] is True


def test_sarif_carries_what_explain_says_of_the_rule() -> None:
    from reconciler import rules

    known = next(iter(rules.registry().values()))
    log = json.loads(as_sarif.findings([Finding(known.id, known.severity, "wrong")], 1))
    described = log["runs"][0]["tool"]["driver"]["rules"][0]
    assert described["id"] == known.id
    assert described["shortDescription"]["text"] == known.doc.splitlines()[0]
