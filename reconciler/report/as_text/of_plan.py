"""The plan as text, for review: refusals and reverts first and loud, then every change grouped by model. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Final

from reconciler.finding import Finding, Location, Severity
from reconciler.plan import Action, Change, Plan, Verdict, VerdictKind
from reconciler.report import Report, folding
from reconciler.report.as_text.layout import Layout, Page, Piece, Span
from reconciler.report.as_text.of_findings import failures, paragraphs
from reconciler.report.as_text.words import count, moment, moved, until, why
from reconciler.state import Capability

SIGNS: Final = {Action.CREATE: "+", Action.UPDATE: "~", Action.REVERT: "-"}


def plan(*reports: Report, layout: Layout | None = None) -> str:
    """What each account's plan would do, and why; each under its account's name."""
    layout = layout or Layout()
    page = layout.page()
    shared = folding.shared(reports)  # as of a file that several accounts are declared in
    paragraphs(page, [each for each in folding.folded(shared) if each.finding.severity is not Severity.INFO], layout)
    for report in reports:
        page.gap()
        write(page, report, layout, shared)
    return page.text()


def write(page: Page, report: Report, layout: Layout, shared: frozenset[Finding] = frozenset()) -> None:
    """One account's plan; findings that are `shared` with others stand above all of them."""
    made, now = report.plan, report.started_at
    title(page, report)
    failures(page, (*made.errors, *report.failures))
    found = folding.of_plan(report, shared)
    paragraphs(page, [one for one in found if one.finding.severity is Severity.ERROR], layout)
    _guards(page, made)
    reverts = [change for change in made.changes if change.action is Action.REVERT]
    if reverts:
        page.gap()
        page.line(Span(f"REVERTS {count(len(reverts), 'item')}: what is live is taken back", "error"))
    _grouped(page, reverts, now)
    _grouped(page, [change for change in made.changes if change.action is not Action.REVERT], now)
    _releases(page, made)
    paragraphs(page, [one for one in found if one.finding.severity is Severity.WARNING], layout)
    for note in made.notes:
        page.gap()
        page.wrapped(Span("note: ", "info"), note, hang=6)
    page.gap()
    _summary(page, report)


def title(page: Page, report: Report) -> None:
    """Which account on which platform, and how fresh the observation is."""
    observed = report.plan.observed_at or (report.snapshot.observed_at if report.snapshot else None)
    where = f" on {report.account.spec.platform.value}"
    page.aside(
        ["Account ", Span(report.plan.account, "bold"), where], f"observed {moment(observed)}" if observed else ""
    )


def place(origin: Location | None, address: str) -> str:
    """file:line, "" where nothing declares it, and where the address says it already, as in a cluster."""
    if origin is None or origin.file == address:
        return ""
    return f"{origin.file}:{origin.line}" if origin.line else origin.file


def _guards(page: Page, made: Plan) -> None:
    refused = [verdict for verdict in made.guards if verdict.verdict is VerdictKind.REFUSED]
    allowed = [verdict for verdict in made.guards if verdict.verdict is VerdictKind.ALLOWED]
    for verdict in refused:
        page.gap()
        page.wrapped(Span("REFUSED", "error"), Span(f" by guard {verdict.id}", "bold"), _said(verdict), hang=2)
        if verdict.hint:
            page.wrapped(Span("help: ", "good"), verdict.hint, indent=2, hang=8)
    for verdict in allowed:
        page.gap()
        page.wrapped(Span("allowed", "warning"), f" past guard {verdict.id}", _said(verdict), hang=2)


def _said(verdict: Verdict) -> str:
    about = f" for {verdict.address}" if verdict.address else ""
    return f"{about}: {verdict.message}" if verdict.message else about


def _grouped(page: Page, changes: Iterable[Change], now: datetime) -> None:
    ordered = sorted(changes, key=lambda change: change.model)
    for model, group in groupby(ordered, key=lambda change: change.model):
        page.gap()
        page.line(Span(model or "the account's switches", "bold"))
        for change in group:
            _change(page, change, now)


def _change(page: Page, change: Change, now: datetime) -> None:
    action = change.action.value
    page.aside(
        [Span(f"  {SIGNS[change.action]} ", action), Span(change.address, action)],
        place(change.origin, change.address),
    )
    page.rows(_rows(change, now), indent=6)


def _rows(change: Change, now: datetime) -> Iterable[tuple[Piece, ...]]:
    """What is said of a change, each as a word and a sentence."""
    if change.target.kind == "EndpointRateOverride":
        named = f"{change.target_name} ({change.target.name})" if change.target_name else change.target.name
        yield "endpoint", named
    for one in change.fields:
        yield one.path, moved(one, "->")
    yield Span("why", "dim"), Span(why(change), "dim")
    for note in change.notes:
        yield Span("note", "dim"), note
    if change.not_before is not None and change.not_before > now:
        yield Span("waits", "warning"), f"until {until(change.not_before, now)}"
    if change.capability is Capability.MANUAL:
        yield Span("by hand", "warning"), change.how_to or "the platform has no published action for this"
    elif change.capability is Capability.UNSUPPORTED:
        yield Span("cannot", "error"), change.how_to or "the platform cannot do this at all"


def _releases(page: Page, made: Plan) -> None:
    ordered = sorted(made.releases, key=lambda release: (release.ends, release.why))
    for (ends, because), group in groupby(ordered, key=lambda release: (release.ends, release.why)):
        releases = list(group)
        page.gap()
        page.wrapped(f"{'To release' if ends else 'Left alone'} ({count(len(releases), 'item')}): {because}")
        for release in releases:
            page.aside([f"  . {release.address}  ", Span(release.deletion_policy, "dim")], release.source)


def _summary(page: Page, report: Report) -> None:
    made = report.plan
    found = Counter(one.severity for one in report.relevant)
    infos = found[Severity.INFO]
    if not made.changes and not made.released:
        if made.observed_at is None:
            page.wrapped(Span("Could not be planned: the platform could not be observed.", "error"))
        elif report.failures or made.errors:
            page.wrapped(Span("No changes are planned: see the failures above.", "error"))
        elif wrong := found[Severity.ERROR]:
            page.wrapped(Span(f"No changes are planned: {count(wrong, 'error')} above.", "error"))
        else:
            so = f": {count(made.unchanged, 'item is', 'items are')} as declared" if made.unchanged else ""
            page.wrapped(Span(f"Nothing to do{so}.", "good"))
    else:
        counts = made.summary(report.started_at)
        said = [f"{counts[word]} to {word}" for word in ("create", "update", "revert") if counts[word]]
        said += [f"{count(counts['deferred'], 'change waits', 'changes wait')}"] if counts["deferred"] else []
        said += [f"{counts['manual']} to do by hand"] if counts["manual"] else []
        said += [f"{made.released} to release"] if made.released else []
        page.wrapped(Span("Plan: ", "bold"), Span(", ".join(said), "bold"), f"; {counts['unchanged']} unchanged.")
    if infos:
        page.wrapped(Span(f"{count(infos, 'info')} not shown here; validate --online shows all findings.", "dim"))
