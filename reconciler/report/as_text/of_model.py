"""One model in full as text: the seven groups of the platform's own page, its endpoints, what is declared about it. Pure.

What could not be seen is said to be so.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from reconciler.plan import prices
from reconciler.report.as_text.layout import Page, Piece, Span, bar
from reconciler.report.as_text.of_problems import TONES, place, since
from reconciler.report.as_text.words import UNKNOWN, UNSEEN, ago, count, duration, moment, number, rate, short
from reconciler.report.by_model import Account
from reconciler.report.model_row import Meter, Row, standing_of
from reconciler.report.status_words import STANDINGS
from reconciler.state import UNOBSERVABLE, ActivationState, Endpoint, FreeTokens, Limit, Rate, Seen, Snapshot
from reconciler.status import ResourceStatus, Truth

_STATE_STYLES: Final = {ActivationState.ACTIVATED: "good", ActivationState.INVITE_ONLY: "warning"}
_TRUTHS: Final = {Truth.TRUE: "good", Truth.FALSE: "error", Truth.UNKNOWN: "warning"}


def write(page: Page, row: Row, endpoints: Iterable[Endpoint], snapshot: Snapshot | None) -> None:
    """The model, and those of its endpoints that are asked for."""
    model = row.model
    state = UNSEEN if model.state is UNOBSERVABLE else model.state.value
    style = "" if model.state is UNOBSERVABLE else _STATE_STYLES.get(model.state, "")
    about = ", ".join(word for word in (model.domain, "retiring" if model.deprecated else "") if word)
    services = "" if model.sub_services is UNOBSERVABLE else "".join(f" +{one}" for one in sorted(model.sub_services))
    page.aside([Span(model.name, "bold"), "  ", Span(state, style), services], about)
    if model.pause is not None and row.paused is not None:
        said = STANDINGS[row.paused.word][0]
        page.wrapped(Span(f"{said}{since(model.pause.since, row.now)}", TONES[row.paused.tone]), indent=2, hang=4)
    rows: list[tuple[Piece, ...]] = [
        (Span("free quota", "dim"), _free(row)),
        (Span("limit", "dim"), _limit(row)),
        *((Span("use", "dim"), said) for said in _use(row)),
        *((Span(name, "dim"), said) for name, said in prices.groups(model.prices)),
        (Span("model rate", "dim"), _pool(model.rate_limit, len(row.endpoints))),
        (Span("documentation", "dim"), row.link or UNKNOWN),
    ]
    page.rows(rows, indent=2)
    _endpoints(page, tuple(endpoints), snapshot)


def resources(page: Page, account: Account, statuses: Iterable[ResourceStatus]) -> None:
    """How resources stand in a word, of a paused model that it is paused, and where each is declared."""
    judged = sorted(statuses, key=lambda one: (one.kind, one.address))
    if judged:
        page.gap()
        page.line(Span("  declared", "dim"))
        page.rows([_standing(account, one) for one in judged], indent=4)


def _standing(account: Account, one: ResourceStatus) -> tuple[Piece, ...]:
    row, resource = account.row_of.get(one.address), account.resource_of.get(one.address)
    found = row.standing_of(one) if row is not None else standing_of(one)
    where = place(resource.origin) if resource is not None and resource.origin.line else ""
    return one.address, Span(STANDINGS[found.word][0], TONES[found.tone]), where


def conditions(page: Page, one: ResourceStatus, now: datetime) -> None:
    """Every condition of one resource, since when, and why."""
    page.gap()
    page.line("  ", Span(one.address, "bold"))
    page.rows(
        [
            (
                said.type.value, Span(said.status.value, _TRUTHS[said.status]), said.reason.value,
                f"{since(said.last_transition_time, now).strip()}{': ' if said.message else ''}{said.message}",
            )
            for said in one.conditions
        ],
        indent=4,
    )  # fmt: skip


def _meter(meter: Meter) -> str:
    return f"{bar(meter.used, meter.total)} {number(meter.used)} of {short(meter.total)} used ({meter.percent} %)"


def _free(row: Row) -> str:
    """A bar that fills as the quota is used, as the limit's does."""
    free = row.model.free_tokens
    if free is UNOBSERVABLE:
        return UNKNOWN
    if not isinstance(free, FreeTokens) or row.free is None:
        return "none"
    return f"{_meter(row.free)}, {number(free.remaining)} left{_seen(free.observed_at, row.now)}"


def _limit(row: Row) -> str:
    limit = row.model.limit
    if limit is UNOBSERVABLE:
        return UNSEEN
    if not isinstance(limit, Limit):
        return "none"
    since_when = f", counting since {moment(limit.effective_at)}" if limit.effective_at else ""
    if row.limit is None:
        return f"{number(limit.tokens)}, use not visible{since_when}"
    late = limit.observed_at is not None and row.now - limit.observed_at > timedelta(minutes=5)
    return f"{_meter(row.limit)}{since_when}{_seen(limit.observed_at, row.now) if late else ''}"


def _seen(when: datetime | None, now: datetime) -> str:
    return f", seen {ago(when, now)}" if when else ""


def _use(row: Row) -> Iterable[str]:
    """What was used an hour of late, where it was or cannot be seen, with how old and how late the meter's word is."""
    if row.model.hourly_use is UNOBSERVABLE:
        yield UNSEEN
        return
    reading = row.model.reading
    if row.hourly:
        late = f", up to {duration(reading.delay)} late" if reading and reading.delay else ""
        seen = f", read {ago(reading.at, row.now)}" if reading else ""
        yield f"{number(row.hourly)} tokens an hour over the last day{seen}{late}"


def _pool(limit: Seen[Rate], endpoints: int) -> str:
    if limit is None or limit is UNOBSERVABLE:
        return UNSEEN if limit is UNOBSERVABLE else UNKNOWN
    said = [f"{number(half)} {unit}" for half, unit in ((limit.rpm, "RPM"), (limit.tpm, "TPM")) if half is not None]
    shared = [f"shared by {count(endpoints, 'endpoint')}"] if endpoints > 1 else []
    return ", ".join(said + shared) or UNKNOWN


def _endpoints(page: Page, endpoints: tuple[Endpoint, ...], snapshot: Snapshot | None) -> None:
    """Each endpoint: what is set on it, and what holds: the lower of that and the model's."""
    if not endpoints or snapshot is None:
        return
    head = ("endpoint", "RPM / TPM set", "effective", "")
    rows: list[tuple[Piece, ...]] = [tuple(Span(word, "dim") for word in head)]
    for one in endpoints:
        notes = [one.status.lower()] if one.status not in ("", "Running") else []
        notes += ["TPM package"] if isinstance(one.scale_tier, str) else []
        notes += ["model units"] if isinstance(one.model_units, str) else []
        notes += ["batch only"] if one.batch_only is True else []
        named = f"{one.name} ({one.id})" if one.name != one.id else one.id
        rows.append((named, _set(one.override), _set(snapshot.effective_rate(one)), ", ".join(notes)))
    page.rows(rows, indent=4)


def _set(limit: Seen[Rate]) -> str:
    if limit is UNOBSERVABLE:
        return UNSEEN
    return "inherited" if limit is None else rate(limit)
