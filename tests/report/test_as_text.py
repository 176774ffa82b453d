"""What people read: golden pages, widths, and that nothing from outside reaches a terminal raw.

`UPDATE_GOLDEN=1 python -m pytest tests/report` writes the golden pages anew; read the diff before you keep it.
"""

import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.finding import Finding, Location, Severity
from reconciler.plan.prices import phrase
from reconciler.report import as_text
from reconciler.report.as_text.layout import Layout, Page, Span, bar, safe, width
from reconciler.report.as_text.words import duration, percent, short, value
from reconciler.report.selection import Selection
from reconciler.state import UNOBSERVABLE, Price
from reconciler.usage import Reading
from tests.report import scenes

GOLDEN: Final = Path(__file__).parent / "golden"


def frame(location: Location) -> str:
    return f"5 |   model: doubao-seed-1-6\n{location.line} |   tokens: 20000000\n  |           ^"


PAGES: Final[dict[str, Callable[[Layout], str]]] = {
    "plan": lambda layout: as_text.plan(scenes.busy(), layout=layout),
    "plan-with-an-error": lambda layout: as_text.plan(scenes.broken(), layout=layout),
    "plan-of-three-accounts": lambda layout: as_text.plan(
        scenes.busy(), scenes.quiet(), scenes.unreachable(), layout=layout
    ),
    "findings": lambda layout: as_text.findings((*scenes.FINDINGS, scenes.ERROR), 12, layout=layout),
    "status": lambda layout: as_text.status(scenes.busy(), layout=layout),
    "status-all": lambda layout: as_text.status(scenes.busy(), selection=Selection(every=True), layout=layout),
    "status-named": lambda layout: as_text.status(
        scenes.busy(), selection=Selection(("deepseek-v4-pro", "InferenceLimit/doubao-seed-1-6")), layout=layout
    ),
    "status-problems": lambda layout: as_text.status(
        scenes.busy(), scenes.unreachable(), selection=Selection(problems=True), layout=layout
    ),
    "applied": lambda layout: as_text.applied(scenes.done(), scenes.quiet(), layout=layout),
}


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_the_golden_one(page: str, columns: int) -> None:
    text = PAGES[page](Layout(columns, frame=frame))
    golden = GOLDEN / f"{page}.{columns}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_lines_fit_in_80_columns_but_for_words_that_cannot_be_broken(page: str) -> None:
    for line in PAGES[page](Layout(80, frame=frame)).splitlines():
        assert width(line) <= 80 or len(max(line.split(), key=len)) > 50


@pytest.mark.parametrize("page", PAGES)
def test_colour_changes_no_word(page: str) -> None:
    plain = PAGES[page](Layout(80, frame=frame))
    colored = PAGES[page](Layout(80, color=True, frame=frame))
    assert "\x1b[" in colored
    assert "\x1b" not in plain
    while "\x1b[" in colored:
        before, _, after = colored.partition("\x1b[")
        colored = before + after.partition("m")[2]
    assert [line.rstrip() for line in colored.splitlines()] == plain.splitlines()


NASTY: Final = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\x07\x08\x1b\x7f\x9b\r\n\t\u202e\u2066\u200b\u2028\ufeff"),
    ),
    min_size=1,
    max_size=20,
)


@given(NASTY)
def test_no_control_character_gets_through_from_any_value(nasty: str) -> None:
    report = scenes.done()
    [first, *rest] = report.plan.changes
    field = replace(first.fields[0], before=nasty, after=(nasty,))
    change = replace(
        first, address=nasty, model=nasty, target_name=nasty, notes=(nasty,), how_to=nasty, fields=(field,),
        origin=Location(nasty, 1, 1),
    )  # fmt: skip
    found = Finding(nasty, Severity.ERROR, nasty, nasty, Location(nasty, 1, 1), nasty)
    report = replace(
        report,
        plan=replace(report.plan, account=nasty, changes=(change, *rest), notes=(nasty,)),
        findings=(found,),
        outcomes=tuple(replace(one, address=nasty, message=nasty, code=nasty) for one in report.outcomes),
        statuses=tuple(replace(one, address=nasty) for one in report.statuses),
    )
    layout = Layout(80, frame=lambda _: nasty)
    pages = [
        as_text.plan(report, layout=layout),
        as_text.applied(report, layout=layout),
        as_text.status(report, layout=layout),
        as_text.status(report, selection=Selection(names=(nasty, "deepseek-v4-pro")), layout=layout),
        as_text.findings((found,), 1, layout=layout),
        as_text.outcome(report.outcomes[0], layout=layout),
    ]
    for character in set("".join(pages)) - {"\n"}:
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(st.text())
def test_safe_text_is_stable_and_keeps_what_is_printable(text: str) -> None:
    assert safe(safe(text)) == safe(text)
    if text.isprintable():
        assert len(safe(text)) >= len(text)


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("模型", 4), ("e\u0301", 1), ("ｆｕｌｌ", 8), ("", 0)])
def test_width_counts_columns_not_characters(text: str, columns: int) -> None:
    assert width(text) == columns


def test_wide_text_is_wrapped_by_columns() -> None:
    page = Page(10)
    page.wrapped("推理限额推理限额")
    assert page.text() == "推理限额推\n理限额\n"


def test_a_word_longer_than_the_page_is_never_broken_so_that_it_can_be_copied() -> None:
    page = Page(20)
    page.wrapped(Span("see https://console.volcengine.com/ark"), indent=2)
    assert page.text() == "  see\n  https://console.volcengine.com/ark\n"


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [(0, 10, "[........]"), (1, 1000, "[#.......]"), (5, 10, "[####....]"), (999, 1000, "[#######.]"),
     (10, 10, "[########]"), (20, 10, "[########]"), (-5, 10, "[........]"), (5, 0, "[........]")],
)  # fmt: skip
def test_a_bar_is_empty_or_full_only_at_the_ends(part: int, whole: int, drawn: str) -> None:
    assert bar(part, whole, 10) == drawn


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1200, "1,200"), (30_000, "30k"), (500_000, "500k"), (1_500_000, "1.5M"),
     (12_345, "12,345"), (-40_000, "-40k"), (2 * 10**9, "2G"), (5_000_001, "5,000,001")],
)  # fmt: skip
def test_short_numbers_are_exact(number: int, said: str) -> None:
    assert short(number) == said


def test_values_say_what_their_absence_means() -> None:
    assert value("tokens", None) == "no limit"
    assert value("rpm", None) == "inherited"
    assert value("subServices", ()) == "none"
    assert value("tokens", UNOBSERVABLE) == "not visible"
    assert value(path="freeTokensOnly", seen=True) == "true"


def test_percent_says_how_much_more_or_less_and_nothing_where_that_makes_no_sense() -> None:
    assert percent(1_000_000, 2_000_000) == "+100 %"
    assert percent(1000, 975) == "-2.5 %"
    assert percent(None, 5) == percent(0, 5) == percent("a", "b") == percent(5, 5) == ""


@pytest.mark.parametrize(
    ("length", "said"),
    [(timedelta(seconds=4.2), "4.2 s"), (timedelta(minutes=72), "1 h 12 min"), (timedelta(hours=51), "2 d 3 h"),
     (timedelta(seconds=-5), "0 s"), (timedelta(hours=2), "2 h")],
)  # fmt: skip
def test_durations_are_two_units_at_most(length: timedelta, said: str) -> None:
    assert duration(length) == said


def test_prices_say_each_unit_once_and_what_nobody_knows() -> None:
    unit = "CNY/1M tokens"
    known = (Price("InferencePrompt", "0.80", unit), Price("InferenceCompletion", "2.00", unit))
    assert phrase(known) == "input 0.80, output 2.00 CNY/1M tokens"
    assert phrase((*known, Price("Other", None, unit))) == "input 0.80, output 2.00 CNY/1M tokens; Other not known"
    assert phrase(()) == "not known"
    tiers = (Price("InferenceCompletion", "2", f"{unit}, from"), Price("InferenceCompletion", "8", f"{unit}, up to"))
    assert phrase((known[0], *tiers)) == "input 0.80, output 2 to 8 CNY/1M tokens"


def test_by_default_status_shows_only_models_that_matter_and_says_how_many_it_left_out() -> None:
    some = as_text.status(scenes.busy())
    every = as_text.status(scenes.busy(), selection=Selection(every=True))
    assert "gpt-secret" not in some
    assert "2 models not declared, activated, used or limited; --all shows them." in some
    assert "gpt-secret" in every


def test_a_plan_shows_refusals_and_reverts_before_anything_else() -> None:
    text = as_text.plan(scenes.busy())
    assert text.index("REFUSED by guard") < text.index("REVERTS") < text.index("ModelActivation/doubao-seed-1-6  ")


@pytest.mark.parametrize("page", PAGES)
def test_colour_adds_no_text_and_paints_words_of_one_colour_at_once(page: str) -> None:
    colored = PAGES[page](Layout(80, color=True, frame=frame))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == PAGES[page](Layout(80, frame=frame))
    assert not re.search(r"\x1b\[([0-9;]+)m[^\x1b\n]*\x1b\[0m\x1b\[\1m", colored)


def test_recent_use_is_told_with_its_age_and_that_it_cannot_be_seen_is_told_too() -> None:
    busy = scenes.busy()
    assert busy.snapshot is not None
    name = min(busy.snapshot.models)
    now = busy.finished_at

    def told(**use: object) -> str:
        models = {name: replace(busy.snapshot.models[name], **use)}
        report = replace(busy, snapshot=replace(busy.snapshot, models=models))
        page = as_text.status(report, selection=Selection((name,)), layout=Layout(200))
        return next((line.strip() for line in page.splitlines() if line.strip().startswith("use ")), "")

    hours = ((now - timedelta(hours=2), 5000),)
    late = Reading(now - timedelta(minutes=4), timedelta(minutes=30))
    assert re.split(" {2,}", told(hourly_use=hours))[1] == "2,500 tokens an hour over the last day"
    assert told(hourly_use=hours, reading=late).endswith(
        " tokens an hour over the last day, read 4 min ago, up to 30 min late"
    )
    assert told(hourly_use=UNOBSERVABLE)
    assert told(hourly_use=()) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1.9, "Look again in a moment."), (59, "Look again in a moment."), (72 * 60, "Look again at 2026-11-23 13:12:04 UTC (in 1 h 12 min).")],
)  # fmt: skip
def test_looking_again_is_asked_for_at_a_time_only_where_that_is_worth_noting(seconds: float, said: str) -> None:
    done = scenes.done()
    page = as_text.applied(replace(done, next_wake=done.finished_at + timedelta(seconds=seconds)), layout=Layout(80))
    assert page.splitlines()[-1] == said
