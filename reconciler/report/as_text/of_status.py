"""How every model, endpoint and resource stands, as text: the seven groups of the platform's own page, then conditions.

Pure. By default only models that are declared, activated, used or limited; what could not be seen is said to be so.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from reconciler.kinds.inference_limit import recent_hourly_use
from reconciler.plan import prices
from reconciler.report import Report
from reconciler.report.as_text.layout import Layout, Page, Piece, Span, bar
from reconciler.report.as_text.of_findings import failures
from reconciler.report.as_text.of_plan import title
from reconciler.report.as_text.words import UNKNOWN, UNSEEN, ago, count, duration, moment, number, rate, short
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Endpoint,
    FreeTokens,
    Limit,
    Model,
    PauseReason,
    Rate,
    Seen,
    Snapshot,
)
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth

_STATE_STYLES: Final = {ActivationState.ACTIVATED: "good", ActivationState.INVITE_ONLY: "warning"}
_HEADS: Final = {ConditionType.CREDENTIALS_VALID: "credentials", ConditionType.PROGRAMMED: "programmed"}
_PAUSED: Final = {
    PauseReason.LIMIT_REACHED: "its inference limit was reached; raise or remove the limit to resume",
    PauseReason.FREE_TOKENS_ONLY: "free-tokens-only mode stops it near the end of its free quota",
    PauseReason.FREE_QUOTA_EXHAUSTED: "its free quota is used up and it is not activated",
}


def status(*reports: Report, every: bool = False, layout: Layout | None = None) -> str:
    """How each account stands; `every` shows the whole catalogue."""
    layout = layout or Layout()
    page = layout.page()
    for report in reports:
        page.gap()
        title(page, report)
        failures(page, (*report.plan.errors, *report.failures))
        if report.snapshot is not None:
            _switches(page, report.snapshot)
            _models(page, report, every)
        _resources(page, report.statuses)
    return page.text()


def shown(report: Report, snapshot: Snapshot) -> list[Model]:
    """The models that are declared, activated, used, limited or served by an endpoint with an override."""
    declared = {resource.spec.model for resource in report.declared.activations}
    declared |= {resource.spec.model for resource in report.declared.limits}
    refs = [resource.spec.endpoint for resource in report.declared.overrides]
    named = {ref.id for ref in refs} | {ref.name for ref in refs}
    declared |= {one.model for one in snapshot.endpoints.values() if one.override or {one.id, one.name} & named}
    return [model for name, model in sorted(snapshot.models.items()) if name in declared or _alive(model)]


def _alive(model: Model) -> bool:
    used = isinstance(model.free_tokens, FreeTokens) and model.free_tokens.consumed > 0
    limited = isinstance(model.limit, Limit)
    return model.state is ActivationState.ACTIVATED or used or limited or _is_used(model) or bool(model.pause)


def _is_used(model: Model) -> bool:
    return model.hourly_use is not UNOBSERVABLE and bool(model.hourly_use)


def _switches(page: Page, snapshot: Snapshot) -> None:
    switches = snapshot.switches
    said = [("free tokens only", switches.free_tokens_only), ("auto-activation", switches.auto_activation)]
    words = [f"{name} {_on_off(seen)}" for name, seen in said if seen is not None]
    if words:
        page.wrapped("Switches: " + ", ".join(words))


def _on_off(seen: object) -> str:
    return UNSEEN if seen is UNOBSERVABLE else "on" if seen else "off"


def _models(page: Page, report: Report, every: bool) -> None:
    snapshot = report.snapshot
    assert snapshot is not None  # the caller looked
    models = [model for _, model in sorted(snapshot.models.items())] if every else shown(report, snapshot)
    for model in models:
        page.gap()
        _model(page, model, snapshot, report.started_at)
    left = len(snapshot.models) - len(models)
    if left:
        page.gap()
        page.wrapped(Span(f"{count(left, 'model')} not declared, activated, used or limited; --all shows them.", "dim"))


def _model(page: Page, model: Model, snapshot: Snapshot, now: datetime) -> None:
    endpoints = snapshot.endpoints_by_model.get(model.name, ())
    state = UNSEEN if model.state is UNOBSERVABLE else model.state.value
    style = "" if model.state is UNOBSERVABLE else _STATE_STYLES.get(model.state, "")
    about = ", ".join(word for word in (model.domain, "retiring" if model.deprecated else "") if word)
    services = "" if model.sub_services is UNOBSERVABLE else "".join(f" +{one}" for one in sorted(model.sub_services))
    page.aside([Span(model.name, "bold"), "  ", Span(state, style), services], about)
    if model.pause is not None:
        since = f" since {moment(model.pause.since)}" if model.pause.since else ""
        page.wrapped(Span(f"PAUSED{since}", "error"), f": {_PAUSED[model.pause.reason]}", indent=2, hang=4)
    rows: list[tuple[Piece, ...]] = [
        (Span("free quota", "dim"), _free(model.free_tokens, now)),
        (Span("limit", "dim"), _limit(model.limit, now)),
        *((Span("use", "dim"), said) for said in _use(model, now)),
        *((Span(name, "dim"), said) for name, said in prices.groups(model.prices)),
        (Span("model rate", "dim"), _pool(model.rate_limit, len(endpoints))),
    ]
    page.rows(rows, indent=2)
    _endpoints(page, endpoints, snapshot)


def _free(free: Seen[FreeTokens], now: datetime) -> str:
    if free is UNOBSERVABLE:
        return UNKNOWN
    if free is None or free.total == free.consumed == 0:
        return "none"
    seen = f", seen {ago(free.observed_at, now)}" if free.observed_at else ""
    return f"{bar(free.remaining, free.total)} {number(free.remaining)} of {short(free.total)} left{seen}"


def _limit(limit: Seen[Limit], now: datetime) -> str:
    if limit is UNOBSERVABLE:
        return UNSEEN
    if limit is None:
        return "none"
    since = f", counting since {moment(limit.effective_at)}" if limit.effective_at else ""
    if limit.used is None:
        return f"{number(limit.tokens)}, use not visible{since}"
    share = 100 * limit.used // max(limit.tokens, 1)
    seen = (
        f", seen {ago(limit.observed_at, now)}"
        if limit.observed_at and now - limit.observed_at > timedelta(minutes=5)
        else ""
    )
    return (
        f"{bar(limit.used, limit.tokens)} {number(limit.used)} of {short(limit.tokens)} used ({share} %){since}{seen}"
    )


def _use(model: Model, now: datetime) -> Iterable[str]:
    """What was used an hour of late, where it was or cannot be seen, with how old and how late the meter's word is."""
    if model.hourly_use is UNOBSERVABLE:
        yield UNSEEN
        return
    rate, reading = recent_hourly_use(model, now), model.reading
    if rate:
        late = f", up to {duration(reading.delay)} late" if reading and reading.delay else ""
        seen = f", read {ago(reading.at, now)}" if reading else ""
        yield f"{number(rate)} tokens an hour over the last day{seen}{late}"


def _pool(limit: Seen[Rate], endpoints: int) -> str:
    if limit is None or limit is UNOBSERVABLE:
        return UNSEEN if limit is UNOBSERVABLE else "not known"
    said = [f"{number(half)} {unit}" for half, unit in ((limit.rpm, "RPM"), (limit.tpm, "TPM")) if half is not None]
    shared = [f"shared by {count(endpoints, 'endpoint')}"] if endpoints > 1 else []
    return ", ".join(said + shared) or "not known"


def _endpoints(page: Page, endpoints: tuple[Endpoint, ...], snapshot: Snapshot) -> None:
    """Each endpoint: what is set on it, and what holds: the lower of that and the model's."""
    if not endpoints:
        return
    head = ("endpoint", "RPM / TPM set", "effective", "")
    rows: list[tuple[Piece, ...]] = [tuple(Span(word, "dim") for word in head)]
    for one in endpoints:
        notes = [one.status.lower()] if one.status != "Running" else []
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


def _resources(page: Page, statuses: Iterable[ResourceStatus]) -> None:
    """Every resource with its standing conditions by kind, then what keeps some from being ready."""
    judged = sorted(statuses, key=lambda one: (one.kind, one.address))
    if not judged:
        return
    rows: list[tuple[Piece, ...]] = []
    for kind, group in groupby(judged, key=lambda one: one.kind):
        middle = ConditionType.CREDENTIALS_VALID if kind == "PlatformAccount" else ConditionType.PROGRAMMED
        rows.append(
            (Span(kind, "bold"), *(Span(word, "dim") for word in ("accepted", _HEADS[middle], "ready", "reason")))
        )
        rows += [_standing(one, middle) for one in group]
    page.gap()
    page.rows(rows)
    for one in judged:
        _why(page, one)


def _standing(one: ResourceStatus, middle: ConditionType) -> tuple[Piece, ...]:
    ready = one.condition(ConditionType.READY)
    columns = (one.condition(ConditionType.ACCEPTED), one.condition(middle), ready)
    said = (Span(it.status.value, _truth(it)) if it else Span("-", "dim") for it in columns)
    return "  " + one.address.partition("/")[2], *said, ready.reason.value if ready else "-"


def _truth(condition: Condition) -> str:
    return {Truth.TRUE: "good", Truth.FALSE: "error", Truth.UNKNOWN: "warning"}[condition.status]


def _why(page: Page, one: ResourceStatus) -> None:
    """What keeps a resource from being ready: each reason once, with the conditions that give it."""
    ready = one.condition(ConditionType.READY)
    if ready is None or ready.status is Truth.TRUE:
        return
    page.gap()
    page.line(Span(one.address, "bold"))
    said: dict[tuple[str, str], list[str]] = {}
    for condition in one.conditions:
        if condition.message or condition.status is not Truth.TRUE:
            said.setdefault((condition.reason.value, condition.message), []).append(condition.type.value)
    page.rows([(", ".join(types), Span(reason, _truth(ready)), why) for (reason, why), types in said.items()], indent=2)
    if one.next_attempt is not None:
        page.wrapped(f"next attempt at {moment(one.next_attempt)}", indent=2)
