"""What is wrong on an account as text: each paused model by itself, the rest by what has to be done about it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from reconciler.finding import Location
from reconciler.report.as_text.layout import Page, Piece, Span
from reconciler.report.as_text.words import ago, count, moment, number, until
from reconciler.report.by_model import Account
from reconciler.report.model_row import Tone
from reconciler.report.problems import Problem
from reconciler.report.status_words import PAUSES, STANDINGS, STEPS, WHO
from reconciler.report.steps import Step
from reconciler.state import Limit

MOST: Final = 20  # of a sort that are told one by one where nobody asked for all
TONES: Final = {Tone.BAD: "error", Tone.CARE: "warning", Tone.WAITS: "warning", Tone.GOOD: "good", Tone.QUIET: "dim"}


def write(page: Page, account: Account, found: Sequence[Problem], *, every: bool) -> None:
    """The problems, worst first; where not `every` one is shown, how many more there are."""
    most = len(found) if every else MOST
    paused = [one for one in found if not one.address and not one.endpoint and one.fails]
    for one in paused[:most]:
        _paused(page, account, one)
    _more(page, len(paused) - most, "paused model")
    for _, group in groupby([one for one in found if one not in paused], key=_sort):
        _group(page, account, list(group), most)


def step_rows(step: Step, now: datetime, *, alone: bool = True) -> Iterator[tuple[Piece, Piece]]:
    """What to do, where and from when on, and who can; `alone` False: the places are told with each item."""
    values = {key: number(value) if isinstance(value, int) else value for key, value in step.values.items()}
    yield "next", STEPS[step.key][0].format(**values) if alone else STEPS[step.key][0].replace("{address}", "KIND/NAME")
    if alone and step.where is not None:
        yield "edit", place(step.where)
    if step.url:
        yield "page", step.url
    if alone and step.not_before is not None and step.not_before > now:
        yield "when", f"from {until(step.not_before, now)} on"
    yield "who", WHO[step.who][0]


def place(where: Location) -> str:
    """The line to edit, as editors open it."""
    return f"{where.file}:{where.line}" if where.line else where.file


def since(when: datetime | None, now: datetime) -> str:
    """ " since 2026-11-25 13:01 UTC (2 h ago)", or "" where nobody knows."""
    return "" if when is None else f" since {moment(when)} ({ago(when, now)})"


def _paused(page: Page, account: Account, one: Problem) -> None:
    row = account.rows[one.model]
    page.gap()
    page.wrapped(Span(one.name, "bold"), "  ", Span(f"PAUSED{since(one.since, account.now)}", "error"), hang=4)
    why = PAUSES[one.word][0]
    if one.word == "LimitReached" and row.limit is not None and isinstance(row.model.limit, Limit):
        why += f" {number(row.limit.used)} of {number(row.limit.total)} tokens are used."
    _rows(page, [("why", why), *step_rows(one.step, account.now)])


def _sort(one: Problem) -> tuple[str, str, str, str]:
    return one.word, one.step.key, one.step.who, one.step.url


def _group(page: Page, account: Account, group: Sequence[Problem], most: int) -> None:
    """Problems of one sort: what they are about, and once what to do."""
    first = group[0]
    page.gap()
    page.aside([Span(STANDINGS[first.word][0], TONES[first.tone]), f" ({len(group):,})"], first.word)
    alone = len(group) == 1
    page.rows([(one.name, _told(account, one, alone=alone)) for one in group[:most]], indent=2)
    _more(page, len(group) - most, "of these", indent=2)
    _rows(page, step_rows(first.step, account.now, alone=alone))


def _told(account: Account, one: Problem, *, alone: bool) -> str:
    """What is said of a problem: the message and, of one of several, where to edit and until when it waits."""
    said = [one.message] if one.message else []
    if one.expected is not None:
        said.append(f"reached about {until(one.expected, account.now)}")
    if alone:
        return "; ".join(said)
    if one.step.not_before is not None and one.step.not_before > account.now:
        said.append(f"from {until(one.step.not_before, account.now)} on")
    told = "; ".join(said)
    return f"{told} [{place(one.step.where)}]".lstrip() if one.step.where is not None else told


def _rows(page: Page, rows: Iterable[tuple[Piece, Piece]]) -> None:
    page.rows([(Span(str(what), "dim"), text) for what, text in rows], indent=2)


def _more(page: Page, left: int, what: str, indent: int = 0) -> None:
    if left > 0:
        noun = f"{left:,} more {what}" if what.startswith("of") else count(left, f"more {what}")
        page.wrapped(Span(f"and {noun}; --problems shows all.", "dim"), indent=indent)
