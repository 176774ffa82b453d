"""The loop's log: one line a decision, nothing where nothing happened, nothing that a terminal would act on."""

import json

import report_samples as samples
from builders import NOW, declared, limit
from standings import PAUSED, kept, passed, used

from reconciler.report import as_log
from reconciler.report.as_log import Entry
from reconciler.state import Outcome, Result
from reconciler.status import ConditionType, ResourceStatus, Truth


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


def test_the_first_pass_of_a_process_says_again_why_something_is_not_well() -> None:
    report = samples.report(outcomes=())
    before = {status.address: status for status in report.statuses}
    unwell = [one.address for one in report.statuses if one.condition(ConditionType.READY).status is not Truth.TRUE]
    said = list(as_log.entries(report, before, first=True))
    assert [each.address for each in said[:-1]] == unwell != []


def test_a_model_that_the_platform_paused_is_told_once_though_everything_is_as_declared() -> None:
    well, paused = (passed(declared(limit(tokens=100)), used(50, pause=cause)) for cause in (None, PAUSED))
    told = [as_log.text(one, NOW) for one in as_log.entries(paused, kept(well), first=False)]
    assert [line.split(": ")[1] for line in told] == [
        "its inference limit is reached; calls are refused until that changes"
    ]
    assert told[0].startswith(f"{NOW:%Y-%m-%d %H:%M:%S} warning default InferenceLimit/")
    assert list(as_log.entries(paused, kept(paused), first=False)) == []
    assert len(list(as_log.entries(paused, kept(paused), first=True))) == 2, "a new process says it again"


def test_what_a_terminal_would_act_on_is_escaped_in_text_and_in_json() -> None:
    nasty = Entry(level="info", event="outcome", account="a\x1b[31m", address="K/\u202ename", message="two\nlines\x07")
    text, document = as_log.text(nasty, NOW), as_log.as_json(nasty, NOW)
    assert text.isprintable()
    assert "\n" not in document
    assert json.loads(document)["message"] == "two\nlines\x07"
    assert document.isascii()
