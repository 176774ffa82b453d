"""The loop's log: one line a decision, nothing where nothing happened, nothing that a terminal would act on."""

import json

import report_samples as samples
from builders import NOW

from reconciler.report import as_log
from reconciler.report.as_log import Entry
from reconciler.state import Outcome, Result
from reconciler.status import ResourceStatus


def lines(**replaced: object) -> list[str]:
    report = samples.report(**replaced)
    return [as_log.text(entry, NOW) for entry in as_log.entries(report, {}, first=False)]


def test_an_applied_change_is_one_line_with_before_after_and_why() -> None:
    report = samples.report()
    change = report.plan.changes[0]
    done = Outcome(change.address, change.target, Result.APPLIED, confirmed=True)
    said = lines(outcomes=(done,), statuses=())
    assert len(said) == 1
    assert change.address in said[0]
    assert " -> " in said[0]


def test_a_pass_in_which_nothing_happened_says_nothing() -> None:
    report = samples.report()
    before: dict[str, ResourceStatus] = {status.address: status for status in report.statuses}
    quiet = samples.report(outcomes=())
    assert list(as_log.entries(quiet, before, first=False)) == []


def test_the_first_pass_ends_with_how_many_are_ready() -> None:
    said = list(as_log.entries(samples.report(outcomes=()), {}, first=True))
    assert said[-1].event == "pass"
    assert said[-1].message.endswith("ready")


def test_what_a_terminal_would_act_on_is_escaped_in_text_and_in_json() -> None:
    nasty = Entry(level="info", event="outcome", account="a\x1b[31m", address="K/\u202ename", message="two\nlines\x07")
    text, document = as_log.text(nasty, NOW), as_log.as_json(nasty, NOW)
    assert text.isprintable()
    assert "\n" not in document
    assert json.loads(document)["message"] == "two\nlines\x07"
    assert document.isascii()
