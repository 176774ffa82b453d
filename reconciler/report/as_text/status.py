"""How every model, endpoint and resource stands, as text: the seven groups of the platform's own page, then conditions.

Pure. By default only models that are declared, activated, used or limited; what could not be seen is said to be so.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from reconciler.report import Report
from reconciler.report.as_text import findings, prices
from reconciler.report.as_text.layout import Layout, Page, Piece, Span, bar
from reconciler.report.as_text.plan import title
from reconciler.report.as_text.words import UNSEEN, ago, count, moment, number, rate, short
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
        findings.failures(page, (*report.plan.errors, *report.failures))
        if report.snapshot is not None:
            _switches(page, report.snapshot)
            _models(page, report, every)
        _resources(page, report.statuses)
    return page.text()


def shown(report: Report, snapshot: Snapshot) -> list[Model]:
    """The models that are declared, activated, used, limited or served by an endpoint with an override."""
    declared = {r.spec.model for r in (*report.declared.activations, *report.declared.limits)}
    declared |= {one.model for one in snapshot.endpoints.values() if one.override or _overridden(report, one)}
    return [model for name, model in sorted(snapshot.models.items()) if name in declared or _alive(model)]


def _overridden(report: Report, endpoint: Endpoint) -> bool:
    refs = (resource.spec.endpoint for resource in report.declared.overrides)
    return any(endpoint.id == ref.id or endpoint.name == ref.name for ref in refs)


def _alive(model: Model) -> bool:
    used = isinstance(model.free_tokens, FreeTokens) and model.free_tokens.consumed > 0
    limited = isinstance(model.limit, Limit)
    return model.state is ActivationState.ACTIVATED or used or limited or bool(model.hourly_use) or bool(model.pause)


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
        _model(page, model, snapshot.endpoints_by_model.get(model.name, ()), report.started_at)
    left = len(snapshot.models) - len(models)
    if left:
        page.gap()
        page.wrapped(Span(f"{count(left, 'model')} not declared, activated, used or limited; --all shows them.", "dim"))


def _model(page: Page, model: Model, endpoints: tuple[Endpoint, ...], now: datetime) -> None:
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
        *((Span(name, "dim"), said) for name, said in prices.groups(model.prices)),
        (Span("model rate", "dim"), _pool(model.rate_limit, len(endpoints))),
    ]
    page.rows(rows, indent=2)
    _endpoints(page, endpoints, model.rate_limit)


def _free(free: Seen[FreeTokens], now: datetime) -> str:
    if free is UNOBSERVABLE:
        return UNSEEN
    if free is None:
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
        f", seen {ago(limit.observed_at, now)}" if limit.observed_at and (now - limit.observed_at).seconds > 300 else ""
    )
    return (
        f"{bar(limit.used, limit.tokens)} {number(limit.used)} of {short(limit.tokens)} used ({share} %){since}{seen}"
    )


def _pool(limit: Seen[Rate], endpoints: int) -> str:
    rpm, tpm = rate(limit)
    if limit is None or limit is UNOBSERVABLE:
        return UNSEEN if limit is UNOBSERVABLE else "not known"
    shared = f", shared by {count(endpoints, 'endpoint')}" if endpoints > 1 else ""
    return f"{rpm} RPM, {tpm} TPM{shared}"


def _endpoints(page: Page, endpoints: tuple[Endpoint, ...], pool: Seen[Rate]) -> None:
    """Each endpoint: what is set on it, and what holds: the lower of that and the model's."""
    if not endpoints:
        return
    head: list[tuple[Piece, ...]] = [tuple(Span(word, "dim") for word in ("endpoint", "override", "effective", ""))]
    for one in endpoints:
        notes = [one.status.lower()] if one.status != "Running" else []
        notes += ["TPM package"] if isinstance(one.scale_tier, str) else []
        notes += ["model units"] if isinstance(one.model_units, str) else []
        notes += ["batch only"] if one.batch_only is True else []
        named = f"{one.name} ({one.id})" if one.name != one.id else one.id
        head.append((named, _pair(one.override), _pair(effective(one.override, pool)), ", ".join(notes)))
    page.rows(head, indent=4)


def effective(override: Seen[Rate], pool: Seen[Rate]) -> Seen[Rate]:
    """The rate that holds for an endpoint at most: half by half the lower of its override and the model's rate."""
    if override is UNOBSERVABLE or pool is UNOBSERVABLE:
        return UNOBSERVABLE
    if override is None or pool is None:
        return override or pool
    return Rate(_lower(override.rpm, pool.rpm), _lower(override.tpm, pool.tpm))


def _lower(one: int | None, other: int | None) -> int | None:
    known = [half for half in (one, other) if half is not None]
    return min(known, default=None)


def _pair(limit: Seen[Rate]) -> str:
    if limit is None:
        return "inherits"
    rpm, tpm = rate(limit)
    return f"{rpm} RPM / {tpm} TPM"


def _resources(page: Page, statuses: Iterable[ResourceStatus]) -> None:
    judged = list(statuses)
    if not judged:
        return
    page.gap()
    page.line(Span("Resources", "title"))
    head: tuple[Piece, ...] = tuple(Span(word, "dim") for word in ("READY", "REASON", "RESOURCE"))
    rows = [head, *(_standing(one) for one in judged)]
    page.rows(rows, indent=2)
    for one in judged:
        _why(page, one)


def _standing(one: ResourceStatus) -> tuple[Piece, ...]:
    ready = one.condition(ConditionType.READY)
    if ready is None:
        return Span("-", "dim"), "-", one.address
    return Span(ready.status.value, _truth(ready)), ready.reason.value, one.address


def _truth(condition: Condition) -> str:
    return {Truth.TRUE: "good", Truth.FALSE: "error", Truth.UNKNOWN: "warning"}[condition.status]


def _why(page: Page, one: ResourceStatus) -> None:
    """What keeps a resource from being ready: each condition that speaks, with its reason and message."""
    ready = one.condition(ConditionType.READY)
    if ready is None or ready.status is Truth.TRUE:
        return
    page.gap()
    page.line("  ", Span(one.address, "bold"))
    page.rows(
        [
            (condition.type.value, Span(condition.status.value, _condition_style(condition)),
             f"{condition.reason.value}: {condition.message}" if condition.message else condition.reason.value)
            for condition in one.conditions
        ],
        indent=4,
    )  # fmt: skip
    if one.next_attempt is not None:
        page.wrapped(f"tried again at {moment(one.next_attempt)}", indent=4)


def _condition_style(condition: Condition) -> str:
    if condition.type in (
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.DRIFTED,
        ConditionType.PAUSED,
    ):
        return "warning"
    return _truth(condition)
