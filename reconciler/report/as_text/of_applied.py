"""What became of each change, as text: one line while it happens, and an exact account at the end. Pure."""

from collections import Counter
from typing import Final

from reconciler.report import Report
from reconciler.report.as_text.layout import Layout, Page, Piece, Span, pad
from reconciler.report.as_text.of_findings import failures
from reconciler.report.as_text.of_plan import title
from reconciler.report.as_text.words import MINUTE, count, duration, until
from reconciler.state import Outcome, Result

_STYLES: Final = {
    Result.APPLIED: "good",
    Result.FAILED: "error",
    Result.SKIPPED: "warning",
    Result.DEFERRED: "warning",
    Result.MANUAL: "warning",
}
_SAID: Final = {
    Result.APPLIED: "applied",
    Result.FAILED: "failed",
    Result.SKIPPED: "skipped",
    Result.DEFERRED: "waiting",
    Result.MANUAL: "by hand",
}


def applied(*reports: Report, layout: Layout | None = None) -> str:
    """What was done to each account, and what was not and why."""
    layout = layout or Layout()
    page = layout.page()
    for report in reports:
        page.gap()
        _account(page, report)
    return page.text()


def outcome(one: Outcome, *, layout: Layout | None = None) -> str:
    """One outcome as a line of progress."""
    layout = layout or Layout()
    page = layout.page()
    page.rows([_row(one)], indent=2)
    return page.text().rstrip("\n")


def _account(page: Page, report: Report) -> None:
    title(page, report)
    failures(page, (*report.plan.errors, *report.failures))
    if report.outcomes:
        page.gap()
        page.rows([_row(one) for one in report.outcomes], indent=2)
    page.gap()
    _summary(page, report)


def _row(one: Outcome) -> tuple[Piece, ...]:
    said = "stale" if one.stale else _SAID[one.result]
    message = one.message
    if one.code and one.code not in message:
        message = f"{message} [{one.code}]".strip()
    if one.result is Result.APPLIED and not message:
        message = "written, not read back yet" if _in_doubt(one) else "read back as wanted"
    return Span(pad(said, 7), _STYLES[one.result]), one.address, message


def _in_doubt(one: Outcome) -> bool:
    return one.result is Result.APPLIED and not (one.confirmed or one.accepted)


def _summary(page: Page, report: Report) -> None:
    counts = Counter(one.result for one in report.outcomes)
    took = duration(report.finished_at - report.started_at)
    done = counts[Result.APPLIED]
    if report.interrupted:
        page.wrapped(Span("Interrupted", "error"), ": what was in flight was finished, the rest was not started.")
    if not report.outcomes:
        _nothing(page, report)
        return
    said = [f"{counts[result]} {_SAID[result]}" for result in Result if counts[result] and result is not Result.APPLIED]
    style = "error" if counts[Result.FAILED] or counts[Result.SKIPPED] else "good"
    unconfirmed = sum(map(_in_doubt, report.outcomes))
    said += [f"{unconfirmed} not read back yet"] if unconfirmed else []
    page.wrapped(
        Span(f"Applied {done} of {count(len(report.outcomes), 'change')}", style),
        f" in {took}" + (f": {', '.join(said)}." if said else "."),
    )
    if report.next_wake is not None:
        soon = report.next_wake - report.finished_at < MINUTE
        page.wrapped(
            "Look again in a moment." if soon else f"Look again at {until(report.next_wake, report.finished_at)}."
        )


def _nothing(page: Page, report: Report) -> None:
    """Why no change has an outcome: there was none to make, or none was allowed."""
    if report.plan.changes or report.failures or report.plan.errors:
        page.wrapped(Span("Nothing was written.", "error"))
    else:
        unchanged = report.plan.unchanged
        so = f": {count(unchanged, 'item is', 'items are')} as declared" if unchanged else ""
        page.wrapped(Span(f"Nothing to do{so}.", "good"))
