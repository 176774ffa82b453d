"""How an account stands, as text: what is wrong first, then one line a model; of what was named, all there is to say. Pure.

By default only models that are declared, activated, used or limited; what could not be seen is said to be so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.finding import Severity
from reconciler.report import Report
from reconciler.report.as_text import of_model, of_problems
from reconciler.report.as_text.layout import Layout, Page, Piece, Span, safe, width
from reconciler.report.as_text.of_findings import failures
from reconciler.report.as_text.of_plan import title
from reconciler.report.as_text.words import UNKNOWN, UNSEEN, count, rate, short
from reconciler.report.by_model import Account
from reconciler.report.model_row import Row, Tone
from reconciler.report.selection import EVERYTHING, Chosen, Selection, choose, problems
from reconciler.state import UNOBSERVABLE, Limit, Rate, Snapshot
from reconciler.status import ConditionType, Truth


def status(*reports: Report, selection: Selection = EVERYTHING, layout: Layout | None = None) -> str:
    """How each account stands. Of several accounts one that has nothing by the names asked for is left out."""
    layout = layout or Layout()
    page = layout.page()
    for report in reports:
        account = Account(report)
        chosen = choose(account, selection.names) if selection.names else None
        if chosen is None or chosen or report.failures or len(reports) == 1:
            page.gap()
            _account(page, account, selection, chosen)
    return page.text()


def _account(page: Page, account: Account, selection: Selection, chosen: Chosen | None) -> None:
    report = account.report
    title(page, report)
    failures(page, (*report.plan.errors, *report.failures))
    _unchecked(page, account)
    if account.snapshot is not None and chosen is None:
        _switches(page, account.snapshot)
    found = problems(account, selection, chosen)
    _sum(page, account, len([one for one in found if one.fails]), alone=chosen is None)
    of_problems.write(page, account, found, every=selection.problems or chosen is not None)
    if selection.problems:
        return
    if chosen is not None:
        _named(page, account, chosen)
    elif account.snapshot is not None:
        _table(page, account, every=selection.every)
        _ready(page, account)
    _links(page, account)


def _unchecked(page: Page, account: Account) -> None:
    """That files hold mistakes; what they are, validate says."""
    errors = [one for one in account.findings if one.severity is Severity.ERROR]
    if errors:
        page.gap()
        said = f"{count(len(errors), 'error')} in the declarations; modelpolicy validate --online shows them."
        page.wrapped(Span(said, "error"))


def _switches(page: Page, snapshot: Snapshot) -> None:
    switches = snapshot.switches
    said = [("free tokens only", switches.free_tokens_only), ("auto-activation", switches.auto_activation)]
    words = [f"{name} {_on_off(seen)}" for name, seen in said if seen is not None]
    if words:
        page.wrapped("Switches: " + ", ".join(words))


def _on_off(seen: object) -> str:
    return UNSEEN if seen is UNOBSERVABLE else "on" if seen else "off"


def _sum(page: Page, account: Account, wrong: int, *, alone: bool) -> None:
    """How it adds up, in a line."""
    page.gap()
    if account.snapshot is None and not wrong:
        page.wrapped(Span("The platform could not be seen, so nobody knows what is wrong there.", "error"))
        return
    said = f"{count(wrong, 'problem')}." if wrong else "No problems."
    if alone and account.snapshot is not None:
        used = [row for row in account.rows.values() if row.in_use]
        paused = sum(row.paused is not None and row.paused.tone is Tone.BAD for row in used)
        said += f" {count(len(used), 'model')} in use" + (f", {paused:,} paused." if paused else ".")
    page.wrapped(Span(said, "error" if wrong else "good"))


def _named(page: Page, account: Account, chosen: Chosen) -> None:
    """Everything about what was named: its models in full, with those endpoints, and how its resources stand."""
    by_address = {one.address: one for one in account.report.statuses}
    shown = [by_address[address] for address in chosen.addresses if address in by_address]
    for name in sorted(chosen.models | chosen.around):
        row = account.rows[name]
        page.gap()
        of_model.write(page, row, [one for one in row.endpoints if one.id in chosen.endpoints], account.snapshot)
    of_model.resources(page, account, shown)
    for one in shown:
        if one.address in chosen.alone:
            of_model.conditions(page, one, account.now)


def _ready(page: Page, account: Account) -> None:
    """How many of the resources of each kind are ready."""
    kinds = Counter(one.kind for one in account.report.statuses)
    if not kinds:
        return
    ready = sum(
        one.condition(ConditionType.READY) is not None and one.condition(ConditionType.READY).status is Truth.TRUE  # type: ignore[union-attr]
        for one in account.report.statuses
    )
    held = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
    page.gap()
    page.wrapped(f"Resources: {ready:,} of {kinds.total():,} ready ({held}).")


def _links(page: Page, account: Account) -> None:
    """The platform's own pages."""
    links = account.links
    rows = [
        ("models", links.models),
        ("prices", links.prices),
        ("bills", links.bills),
        ("activation", links.activations),
        ("ticket", links.ticket),
    ]
    known: list[tuple[Piece, ...]] = [(Span(what, "dim"), url) for what, url in rows if url]
    if known:
        page.gap()
        page.line(Span("The platform's pages", "dim"))
        page.rows(known, indent=2)


# ---- the table


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its head, what it says of a model, and whether it is left out where there is no room."""

    head: str
    cell: Callable[[Row], Piece]
    optional: bool = False


def _table(page: Page, account: Account, *, every: bool) -> None:
    """One line a model."""
    rows = [row for row in account.rows.values() if every or row.in_use]
    left = len(account.rows) - len(rows)
    if rows:
        page.gap()
        _write(page, rows)
    if left:
        page.gap()
        page.wrapped(Span(f"{count(left, 'model')} not declared, activated, used or limited; --all shows them.", "dim"))
    if rows:
        page.wrapped(Span("modelpolicy status NAME shows all about a model, an endpoint or a resource.", "dim"))


def _write(page: Page, rows: Sequence[Row]) -> None:
    """The table as wide as it needs to be; a name that is too long for its column stands on a line of its own."""
    cells = {column.head: [_span(column.cell(row)) for row in rows] for column in _COLUMNS}
    wide = {head: max(width(head), *(width(safe(one.text)) for one in column)) for head, column in cells.items()}
    longest = max(width("model"), *(width(safe(row.name)) for row in rows))
    heads = [column.head for column in _COLUMNS if not column.optional]
    for column in (column for column in _COLUMNS if column.optional):
        if longest + sum(wide[head] + 2 for head in (*heads, column.head)) <= page.columns:
            heads.append(column.head)
    heads = [column.head for column in _COLUMNS if column.head in heads]
    room = min(longest, max(12, page.columns - sum(wide[head] + 2 for head in heads)))
    _line(page, Span("model", "dim"), room, [(Span(head, "dim"), wide[head]) for head in heads])
    for index, row in enumerate(rows):
        _line(page, Span(row.name, "bold"), room, [(cells[head][index], wide[head]) for head in heads])


def _line(page: Page, name: Span, room: int, cells: Iterable[tuple[Span, int]]) -> None:
    taken = width(safe(name.text))
    pieces: list[Piece] = []
    for cell, wide in cells:
        pieces += ["  ", cell, " " * (wide - width(safe(cell.text)))]
    if taken > room:
        page.line(name)
        page.line(" " * room, *pieces)
    else:
        page.line(name, " " * (room - taken), *pieces)


def _span(piece: Piece) -> Span:
    return Span(piece) if isinstance(piece, str) else piece


def _state(row: Row) -> Piece:
    return UNSEEN if row.model.state is UNOBSERVABLE else row.model.state.value


def _free(row: Row) -> Piece:
    if row.free is None:
        return UNKNOWN if row.model.free_tokens is UNOBSERVABLE else "none"
    return f"{row.free.percent} % of {short(row.free.total)}"


def _limit(row: Row) -> Piece:
    limit = row.model.limit
    if not isinstance(limit, Limit):
        return UNSEEN if limit is UNOBSERVABLE else "none"
    return f"{row.limit.percent} % of {short(limit.tokens)}" if row.limit else short(limit.tokens)


def _rate(row: Row) -> Piece:
    found = row.model.rate_limit
    return rate(found) if isinstance(found, Rate) else UNSEEN if found is UNOBSERVABLE else UNKNOWN


def _price(row: Row) -> Piece:
    """What a million tokens cost, input before output, of the lowest tier; other prices are told of a model by its name."""
    by_item = {price.item: price for price in reversed(row.model.prices)}
    pair = [by_item.get(item) for item in ("InferencePrompt", "InferenceCompletion")]
    said = [one.amount if one and one.amount and one.unit.startswith("CNY/1M tokens") else "-" for one in pair]
    return UNKNOWN if said == ["-", "-"] else " / ".join(said)


def _policy(row: Row) -> Piece:
    """Whether the model is as declared, in a short word; what keeps it from that is told above the table."""
    stopped = row.paused is not None and row.paused.tone is Tone.BAD
    return Span("PAUSED" if stopped else _SHORT[row.standing.tone], of_problems.TONES[row.standing.tone])


_SHORT: Final = {
    Tone.GOOD: "as declared",
    Tone.QUIET: "not managed",
    Tone.WAITS: "waits",
    Tone.CARE: "needs a person",
    Tone.BAD: "problem",
}
_COLUMNS: Final = (
    _Column("state", _state),
    _Column("free quota", _free),
    _Column("limit used", _limit),
    _Column("RPM / TPM", _rate, optional=True),
    _Column("in / out, CNY/1M", _price, optional=True),
    _Column("policy", _policy),
)
