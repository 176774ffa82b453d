"""Findings as text: severity and rule first, the place, the lines around it, what to do, and a summary. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.finding import Finding, Severity, in_order
from reconciler.report.as_text.layout import Layout, Page, Span
from reconciler.report.as_text.words import count
from reconciler.report.folding import Folded, folded, followers
from reconciler.state import Failure

NAMED: Final = 5  # how many of a list are named before the rest is counted
_PLURAL: Final = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "infos"}
_SINGULAR: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def findings(
    found: Iterable[Finding], resources: int, failed: Iterable[Failure] = (), *, layout: Layout | None = None
) -> str:
    """What `validate` says of `resources` documents: every finding with its lines, and one line that sums it up."""
    layout = layout or Layout()
    page = layout.page()
    ordered = in_order(found)
    failures(page, failed)
    paragraphs(page, folded(ordered), layout)
    page.gap()
    worst = next((severity for severity in Severity if any(one.severity is severity for one in ordered)), None)
    style = {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(worst, "good") if worst else "good"
    page.wrapped(Span(f"{count(resources, 'resource')} checked: {summary(ordered)}", style))
    return page.text()


def paragraphs(page: Page, found: Iterable[Folded], layout: Layout) -> None:
    """Each finding as a paragraph of its own, with where else the same is so and what follows from it."""
    for each in found:
        page.gap()
        if each.routine and each.same:
            _routine(page, each)
        else:
            _finding(page, each, layout)


def _routine(page: Page, each: Folded) -> None:
    """One line for all that says one thing of many items."""
    from reconciler.report import catalogue  # of plans only

    one = each.finding
    names = [found.resource or str(found.location) for found in each.all]
    page.wrapped(
        Span(one.severity.value, one.severity.value), Span(f"[{one.rule}]", "bold"),
        f" {len(names):,} times: {catalogue.entry(one.rule).short} {listed(names)}", hang=2,
    )  # fmt: skip


def summary(found: Sequence[Finding]) -> str:
    """Counts by severity, worst first: "2 errors, 1 warning", or "no findings"."""
    counted = Counter(one.severity for one in found)
    said = [
        count(counted[severity], _SINGULAR[severity], _PLURAL[severity]) for severity in Severity if counted[severity]
    ]
    later = len(followers(found))
    said += [f"{later:,} of which {'follows' if later == 1 else 'follow'} from another"] if later else []
    return ", ".join(said) or "no findings"


def failures(page: Page, failed: Iterable[Failure]) -> None:
    """What the world refused, loud: without an observation nothing else can be trusted."""
    for one in dict.fromkeys(failed):
        page.gap()
        code = f" [{one.code}]" if one.code and one.code not in one.message else ""
        page.wrapped(Span("failed", "error"), Span(f" [{one.reason.value}]", "bold"), f": {one.message}{code}", hang=2)


def _finding(page: Page, each: Folded, layout: Layout) -> None:
    one = each.finding
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
    if each.same:
        page.wrapped(Span("also: ", "info"), listed(map(placed, each.same)), indent=2, hang=8)
    if each.follows:
        said = count(len(each.follows), "finding follows", "findings follow")
        page.wrapped(Span("note: ", "info"), f"{said} from it: {listed(map(placed, each.follows))}", indent=2, hang=8)


def placed(one: Finding) -> str:
    """Where a finding stands, and of what it speaks, in a list of such."""
    return " ".join(filter(None, (str(one.location or ""), f"({one.resource})" if one.resource else "")))


def listed(names: Iterable[str], most: int = NAMED) -> str:
    """Names in their order, at most a handful, then how many more there are."""
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more:,} more" if more > 0 else "")
