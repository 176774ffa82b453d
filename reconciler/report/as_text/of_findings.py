"""Findings as text: severity and rule first, the place, the lines around it, what to do, and a summary. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.finding import Finding, Severity, in_order
from reconciler.report.as_text.layout import Layout, Page, Span
from reconciler.report.as_text.words import count
from reconciler.state import Failure

_PLURAL: Final = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "infos"}
_SINGULAR: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def findings(
    found: Iterable[Finding], resources: int, failed: Iterable[Failure] = (), *, layout: Layout | None = None
) -> str:
    """What `validate` says of `resources` documents: every finding with its lines, and one line that sums it up."""
    layout = layout or Layout()
    page = layout.page()
    ordered = in_order(found)
    paragraphs(page, ordered, layout)
    failures(page, failed)
    page.gap()
    worst = next((severity for severity in Severity if any(one.severity is severity for one in ordered)), None)
    style = {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(worst, "good") if worst else "good"
    page.wrapped(Span(f"{count(resources, 'resource')} checked: {summary(ordered)}", style))
    return page.text()


def paragraphs(page: Page, found: Sequence[Finding], layout: Layout) -> None:
    """Each finding as a paragraph of its own."""
    for one in found:
        page.gap()
        _finding(page, one, layout)


def summary(found: Sequence[Finding]) -> str:
    """Counts by severity, worst first: "2 errors, 1 warning", or "no findings"."""
    counted = Counter(one.severity for one in found)
    said = [
        count(counted[severity], _SINGULAR[severity], _PLURAL[severity]) for severity in Severity if counted[severity]
    ]
    return ", ".join(said) or "no findings"


def failures(page: Page, failed: Iterable[Failure]) -> None:
    """What the world refused, loud: without an observation nothing else can be trusted."""
    for one in dict.fromkeys(failed):
        page.gap()
        code = f" [{one.code}]" if one.code and one.code not in one.message else ""
        page.wrapped(Span("failed", "error"), Span(f" [{one.reason.value}]", "bold"), f": {one.message}{code}", hang=2)


def _finding(page: Page, one: Finding, layout: Layout) -> None:
    page.wrapped(
        Span(one.severity.value, one.severity.value), Span(f"[{one.rule}]", "bold"), f": {one.message}", hang=2
    )
    if one.location is not None:
        named = f"  ({one.resource})" if one.resource and one.resource != str(one.location) else ""
        page.line(Span("  --> ", "info"), str(one.location), Span(named, "dim"))
        for line in layout.frame(one.location).splitlines():
            caret = line.lstrip().startswith("|") and line.rstrip().endswith("^")
            page.line("   ", Span(line, "error" if caret else "dim"))
    elif one.resource:
        page.line(Span("  --> ", "info"), one.resource)
    if one.hint:
        page.wrapped(Span("help: ", "good"), one.hint, indent=2, hang=8)
