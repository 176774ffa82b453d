"""The journal as text: the runs, newest first, or one run with every change it intended and what became of it. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.report.as_text.layout import Layout, Page, Piece, Span
from reconciler.report.as_text.words import count, moment, revision, value
from reconciler.state import UNOBSERVABLE, Entry, Run

_STYLES: Final = {
    "converged": "good",
    "applied": "good",
    "attested": "good",
    "released": "good",
    "waiting": "warning",
    "partial": "warning",
    "skipped": "warning",
    "manual": "warning",
    "deferred": "warning",
    "": "warning",
}
_OPEN: Final = "open"  # still running, or killed: the next run finds out


def history(runs: Iterable[tuple[Run, Sequence[Entry] | None]], *, layout: Layout | None = None) -> str:
    """Each run as a row; where its entries are given, the run in full."""
    page = (layout or Layout()).page()
    given = tuple(runs)
    if not given:
        page.line("Nothing was journaled yet: apply writes the first run.")
    page.rows([_row(run) for run, entries in given if entries is None])
    for run, entries in given:
        if entries is not None:
            page.gap()
            _in_full(page, run, entries)
    return page.text()


def _result(word: str) -> Span:
    return Span(word or _OPEN, _STYLES.get(word, "error"))


def _row(run: Run) -> tuple[Piece, ...]:
    who = " ".join(filter(None, [run.actor, revision(run.revision), f"of {run.set_name}" if run.set_name else ""]))
    return (
        Span(run.id, "bold"),
        moment(run.started_at),
        run.account,
        run.operation,
        _result(run.result),
        f"{who}: {run.reason}" if run.reason else who,
    )


def _in_full(page: Page, run: Run, entries: Sequence[Entry]) -> None:
    page.line(Span(f"Run {run.id}", "title"), "  ", _result(run.result))
    facts = (
        ("account", run.account),
        ("operation", run.operation),
        ("by", run.actor),
        ("set", run.set_name),
        ("revision", run.revision),
        ("job", run.link),
        ("reason", run.reason),
        ("saved plan", run.plan),
        ("started", moment(run.started_at)),
        ("finished", moment(run.finished_at) if run.finished_at else "not finished, or killed"),
    )
    page.rows([(Span(name, "dim"), said) for name, said in facts if said], indent=2)
    page.gap()
    page.line(f"{count(len(entries), 'change')}:")
    for entry in entries:
        page.rows(
            [(f"{entry.sequence}", _result(entry.result or ""), Span(entry.address, "bold"), entry.action)], indent=2
        )
        page.rows(
            [(path, f"{value(path, entry.before.get(path, UNOBSERVABLE))} -> {value(path, after)}")
             for path, after in sorted(entry.after.items())],
            indent=6,
        )  # fmt: skip
        if entry.message:
            page.wrapped(entry.message, indent=6)
