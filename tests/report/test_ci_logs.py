"""Whatever is printed in a CI job stays text there: no value becomes a command to the runner that keeps the log.

The two readers of lines are GitHub's own (Runner.Common/ActionCommand.cs, TryParseV2 and TryParse); GitLab's is the pattern
of its trace (lib/gitlab/regex.rb); Azure's and TeamCity's commands start with ## and a bracket.
"""

import json
import re

import pytest

from reconciler.finding import Finding, Location, Severity
from reconciler.plan.drift import Drift, FieldDrift, Moved
from reconciler.report import as_github, as_html, as_json, as_junit, as_log, as_markdown, as_sarif, as_text
from reconciler.report.as_text.layout import Layout
from reconciler.state import Failure, Run, Target
from tests import builders as b
from tests.report import filled, scenes

REGISTERED = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path", "notice",
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip
SECTION = re.compile(r"section_((?:start)|(?:end)):(\d+):([a-zA-Z0-9_.-]+)(\[[^\]]*\])?\r\x1b\[0K")
OTHERS = re.compile(r"##(vso|teamcity)\[")


def command(line: str) -> str:
    """The name of the command that GitHub's runner takes a line for, "" for none."""
    said = line.lstrip()
    if (
        said.startswith("::")
        and (end := said.find("::", 2)) >= 0
        and (name := said[2:end].split(" ")[0].lower()) in REGISTERED
    ):
        return name
    start = line.find("##[")
    end = line.find("]", start)
    name = line[start + 3 : end].split(" ")[0].lower() if start >= 0 and end >= 0 else ""
    return name if name in REGISTERED else ""


HOSTILE = [
    "::error::x", "  ::set-output name=a::b", "##[error]x", "a ##[add-mask]b", "\n::stop-commands::x", "\r::error::x", "\r\n##[group]x",
    "%0A::error::x", "%0D%0A##[error]x", "\u2028::error::x", "\x85::warning::x", "\u3000::error::x", "##vso[task.setvariable variable=a]b",
    "##teamcity[message text='x']", "section_start:1:x\r\x1b[0Kx", "\x1b[2K\x1b[1A::error::x", "###[error]x", "#", "\\##[error]x",
]  # fmt: skip


def printed(text: str) -> dict[str, str]:
    """Each output that may be printed, with the text in every place."""
    report = filled.report(text)
    found: tuple[Finding, ...] = filled.filled((*scenes.FINDINGS, scenes.ERROR), text)
    failed: tuple[Failure, ...] = filled.filled(scenes.unreachable().failures, text)
    drift = Drift(
        address=text, target=Target("InferenceLimit", text), origin=Location(text, 1, 1), equal_at=b.NOW,
        fields=(FieldDrift(text, text, text, text, Moved.BOTH),),
    )  # fmt: skip
    run = Run(id=text, account=text, operation=text, actor=text, reason=text, started_at=b.NOW)
    entries = [as_log.Entry(level="error", event="finding", account=text, address=text, message=text)]
    layouts = [
        Layout(columns, color=color, frame=lambda _: f"{text}\n3 | {text}")
        for columns in (60, 80, 200)
        for color in (False, True)
    ]
    texts = {
        f"text {what} {number}": page
        for number, layout in enumerate(layouts)
        for what, page in {
            "plan": as_text.plan(report, layout=layout), "applied": as_text.applied(report, layout=layout),
            "status": as_text.status(report, layout=layout), "findings": as_text.findings(found, 3, failed, layout=layout),
            "drift": as_text.drift((report, [drift], found), layout=layout),
            "history": as_text.history([(run, None), (run, ())], layout=layout),
            "outcome": as_text.outcome(report.outcomes[0], layout=layout),
        }.items()
    }  # fmt: skip
    return texts | {
        "json plan": as_json.plan(report), "json applied": as_json.applied(report), "json status": as_json.status(report),
        "json findings": as_json.findings(found, 3, failed), "json error": as_json.error_document(text, text),
        "markdown": as_markdown.plan(report, report), "html": as_html.plan(report, report),
        "sarif": as_sarif.findings(found, 3, failed), "junit": as_junit.findings(found, 3, failed, (text,)),
        "log": "\n".join(as_log.text(entry, b.NOW) for entry in entries),
        "json log": "\n".join(as_log.as_json(entry, b.NOW) for entry in entries),
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_value_in_any_output_is_a_command_to_a_runner(text: str) -> None:
    for what, page in printed(text).items():
        for line in re.split(r"\r\n|\r|\n", page):
            assert command(line) == "", (what, line)
            assert OTHERS.search(line) is None, (what, line)
        assert SECTION.search(page) is None, what
        assert "\r" not in page, what


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_githubs_own_format_is_our_commands_and_no_others(text: str) -> None:
    found: tuple[Finding, ...] = filled.filled((*scenes.FINDINGS, scenes.ERROR), text)
    lines = re.split(r"\r\n|\r|\n", as_github.findings(found, 3).rstrip("\n"))
    assert [command(line) for line in lines] == ["error", "warning", "notice", ""]
    assert all("##[" not in line for line in lines)


def test_the_readers_of_these_tests_find_a_command_where_there_is_one() -> None:
    assert command("  ::error file=a.py::wrong") == "error"
    assert command("text ##[add-mask]secret") == "add-mask"
    assert command("a::b") == command("::nothing::x") == command("##[nothing]") == ""
    assert SECTION.search("section_start:1:a\r\x1b[0KA") is not None


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_is_broken_up_in_json_is_the_same_value_to_a_reader(text: str) -> None:
    finding = Finding("a-rule", Severity.ERROR, text)
    assert json.loads(as_json.findings([finding], 1))["findings"][0]["message"] == text
    entry = as_log.Entry(level="error", event="finding", account="a", message=text)
    assert json.loads(as_log.as_json(entry, b.NOW))["message"] == text
