"""Drift as text: field by field what is declared, what was last applied and what is live, and which side moved. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reconciler.finding import Finding
from reconciler.plan.drift import Drift, FieldDrift, Moved, uncompared
from reconciler.report import Report
from reconciler.report.as_text.layout import Layout, Page, Span
from reconciler.report.as_text.of_findings import failures, paragraphs
from reconciler.report.as_text.of_plan import place, title
from reconciler.report.as_text.words import ago, count, moment, value
from reconciler.report.folding import folded
from reconciler.state import UNOBSERVABLE

_WHO: Final = {
    Moved.CONFIG: "the declaration changed since it was applied",
    Moved.PLATFORM: "the platform changed since it was applied",
    Moved.BOTH: "both the declaration and the platform changed since it was applied",
    Moved.UNKNOWN: "never applied from here, so nobody can tell which side moved",
}


def drift(*seen: tuple[Report, Sequence[Drift], Sequence[Finding]], layout: Layout | None = None) -> str:
    """Each account's drift; the findings are its unmanaged items, where they were asked for."""
    layout = layout or Layout()
    page = layout.page()
    for report, drifts, unmanaged in seen:
        page.gap()
        title(page, report)
        failures(page, report.failures)
        missed = uncompared(report.relevant, report.declared)
        paragraphs(page, folded(missed), layout)
        for one in drifts:
            _item(page, one, report.started_at)
        paragraphs(page, folded(unmanaged), layout)
        page.gap()
        _summary(page, report, len(missed), (len(drifts), len(unmanaged)))
    return page.text()


def _item(page: Page, one: Drift, now: datetime) -> None:
    page.gap()
    page.aside([Span(one.address, "bold")], place(one.origin, one.address))
    style = "update" if one.moved is Moved.CONFIG else "warning" if one.moved is Moved.UNKNOWN else "error"
    page.wrapped(Span(_WHO[one.moved], style), indent=2)
    since = f"last seen equal {moment(one.equal_at)} ({ago(one.equal_at, now)})" if one.equal_at else "never seen equal"
    page.wrapped(Span(since, "dim"), indent=2)
    head = [tuple(Span(word, "dim") for word in ("field", "declared", "last applied", "live", "changed"))]
    page.rows([*head, *(_row(field) for field in one.fields)], indent=2)


def _row(field: FieldDrift) -> tuple[str, ...]:
    applied = "-" if field.applied is UNOBSERVABLE else value(field.path, field.applied)
    return (
        field.path, value(field.path, field.declared), applied, value(field.path, field.live), field.moved.value
    )  # fmt: skip


def _summary(page: Page, report: Report, missed: int, counts: tuple[int, int]) -> None:
    drifted, unmanaged = counts
    if report.snapshot is None:
        page.wrapped(Span("Not known: the platform could not be observed.", "error"))
        return
    said = [count(drifted, "item differs", "items differ") if drifted else "no drift"]
    said += [f"{unmanaged} unmanaged"] if unmanaged else []
    if missed:
        said += [f"{count(missed, 'error')} above kept something from being compared"]
    page.wrapped(Span(", ".join(said).capitalize() + ".", "error" if drifted or missed else "good"))
