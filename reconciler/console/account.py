"""One account's report as the pages show it: a row a model, what needs a person, how it adds up. Pure.

Joins what the report already says by model; decides nothing about policies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.endpoint_rate_override import subscribed
from reconciler.kinds.inference_limit import reached_at, recent_hourly_use
from reconciler.plan import Change, kind_of
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.report.as_text.of_status import shown
from reconciler.report.review import Review, review
from reconciler.state import Endpoint, FreeTokens, Limit, Model, Rate, Snapshot
from reconciler.status import ConditionType, ResourceStatus, Truth

NEAR: Final = 0.8  # from this share on a bar is said to be nearly full
SOON_HOURS: Final = 24


class Tone(StrEnum):
    """How a thing is meant to be taken; also a colour, never only a colour."""

    GOOD = "good"
    QUIET = "quiet"
    WAITS = "waits"
    CARE = "care"
    BAD = "bad"


_WAITING: Final = frozenset({Reason.PENDING, Reason.COOLING_DOWN, Reason.RECONCILING, Reason.WRITE_UNCONFIRMED})
_FOR_A_PERSON: Final = frozenset(
    {Reason.MANUAL_ACTION_REQUIRED, Reason.TICKET_REQUIRED, Reason.CONSENT_REQUIRED, Reason.PAUSED, Reason.DRIFTED}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model, or a resource, stands in one word: a Reason's value, or "AsDeclared", "Unmanaged", "LimitReached" ..."""

    word: str
    tone: Tone
    message: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """So much of a whole. `used` may be more than `total`, or less than nothing."""

    used: int
    total: int

    @property
    def share(self) -> float:
        return self.used / self.total if self.total else 1.0

    @property
    def percent(self) -> int:
        return int(100 * self.share)

    @property
    def width(self) -> str:
        """Of a bar that is 100 wide."""
        return f"{100 * min(1.0, max(0.0, self.share)):.2f}"

    @property
    def tone(self) -> Tone:
        return Tone.BAD if self.share >= 1 else Tone.CARE if self.share >= NEAR else Tone.GOOD


@dataclass(frozen=True)  # no slots: what is costly is made when it is asked for
class Row:
    """One model: what is true of it, and everything that the report says about it."""

    model: Model
    endpoints: tuple[Endpoint, ...]
    resources: tuple[Resource[Any], ...]
    statuses: tuple[ResourceStatus, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    now: datetime
    in_use: bool

    @property
    def name(self) -> str:
        return self.model.name

    @cached_property
    def free(self) -> Meter | None:
        """What is left of the free quota."""
        free = self.model.free_tokens
        return Meter(free.remaining, free.total) if isinstance(free, FreeTokens) and free.total > 0 else None

    @cached_property
    def limit(self) -> Meter | None:
        """What is used of the limit."""
        limit = self.model.limit
        return Meter(limit.used, limit.tokens) if isinstance(limit, Limit) and limit.used is not None else None

    @cached_property
    def hourly(self) -> int:
        """Tokens an hour over the last day."""
        return recent_hourly_use(self.model, self.now)

    @cached_property
    def reached_at(self) -> datetime | None:
        """When the limit is reached at that rate; None where it is not foreseen, or already is."""
        if self.model.pause is not None or (self.limit and self.limit.share >= 1):
            return None
        return reached_at(self.model, self.now)

    @property
    def soon(self) -> bool:
        """Whether the limit is reached within a day."""
        return self.reached_at is not None and (self.reached_at - self.now).total_seconds() < SOON_HOURS * 3600

    @cached_property
    def subscribed(self) -> Rate:
        """What the endpoints' overrides add up to."""
        return subscribed(self.endpoints)

    def pool(self, half: str) -> Meter | None:
        """The overrides' sum of the model's rate that its endpoints share."""
        rate = self.model.rate_limit
        whole: int | None = getattr(rate, half) if isinstance(rate, Rate) else None
        taken: int | None = getattr(self.subscribed, half)
        return Meter(taken or 0, whole) if whole else None

    @cached_property
    def standing(self) -> Standing:
        """The one word for the row: what stops it first, then what waits, then that all is well."""
        if self.model.pause is not None:
            return Standing(self.model.pause.reason.value, Tone.BAD)
        judged = [found for status in self.statuses if (found := standing_of(status)).tone is not Tone.GOOD]
        if judged:
            return max(judged, key=lambda one: _WEIGHT[one.tone])
        return Standing("AsDeclared", Tone.GOOD) if self.statuses else Standing("Unmanaged", Tone.QUIET)

    @property
    def link(self) -> str:
        """The model's documentation, "" where what the platform gave is no web address."""
        url = self.model.docs_url
        return url if url.startswith(("https://", "http://")) else ""


_WEIGHT: Final = {Tone.QUIET: 0, Tone.GOOD: 1, Tone.WAITS: 2, Tone.CARE: 3, Tone.BAD: 4}


def standing_of(status: ResourceStatus) -> Standing:
    """How one resource stands, by its Ready condition."""
    ready = status.condition(ConditionType.READY)
    if ready is None:
        return Standing("Unmanaged", Tone.QUIET)
    if ready.status is Truth.TRUE:
        return Standing(ready.reason.value, Tone.GOOD)
    tone = Tone.WAITS if ready.reason in _WAITING else Tone.CARE if ready.reason in _FOR_A_PERSON else Tone.BAD
    told = next((one for one in status.conditions if one.reason is ready.reason and one.message), ready)
    return Standing(ready.reason.value, tone, told.message)


class Account:
    """One account's report, joined by model. Made once a report; everything on it is read-only."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.now = report.finished_at

    def warm(self) -> None:
        """Make what every page needs; from then on a page costs what it shows."""
        for row in self.rows.values():
            _ = row.standing
        _ = self.counts, self.urgent

    @property
    def name(self) -> str:
        return self.report.account.account

    @property
    def snapshot(self) -> Snapshot | None:
        return self.report.snapshot

    @cached_property
    def review(self) -> Review:
        """The plan as a reviewer reads it."""
        return review(self.report)

    @cached_property
    def rows(self) -> Mapping[str, Row]:
        """Every model that is live or declared, by name."""
        snapshot = self.report.snapshot
        models = dict(snapshot.models) if snapshot else {}
        resources = _grouped(self.report.declared.resources, self.model_of)
        for name in resources:
            if name and name not in models:
                models[name] = Model(name=name)
        by_address = {status.address: status for status in self.report.statuses}
        changes = _grouped(self.report.plan.changes, lambda one: one.model)
        address_of = {each.address: name for name, group in resources.items() for each in group}
        findings = _grouped(self.findings, lambda one: address_of.get(one.resource or "", ""))
        alive = {model.name for model in shown(self.report, snapshot)} if snapshot else set(models)
        return {
            name: Row(
                model=models[name],
                endpoints=snapshot.endpoints_by_model.get(name, ()) if snapshot else (),
                resources=tuple(resources.get(name, ())),
                statuses=tuple(by_address[one.address] for one in resources.get(name, ()) if one.address in by_address),
                changes=tuple(changes.get(name, ())),
                findings=tuple(findings.get(name, ())),
                now=self.now,
                in_use=name in alive or name in resources,
            )
            for name in sorted(models)
        }

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Errors first, each as the report orders them."""
        order = list(Severity)
        return tuple(
            sorted(
                dict.fromkeys((*self.review.errors, *self.review.remarks)), key=lambda one: order.index(one.severity)
            )
        )

    @cached_property
    def own(self) -> tuple[ResourceStatus, ...]:
        """The statuses of what belongs to no model: the account itself and the constraints."""
        return tuple(one for one in self.report.statuses if one.kind in ("PlatformAccount", "PolicyConstraint"))

    @cached_property
    def urgent(self) -> tuple[Row, ...]:
        """The models that somebody should look at: what stands still first, then what will, then what is for a person."""
        wanted = [row for row in self.rows.values() if row.standing.tone in (Tone.BAD, Tone.CARE) or row.soon]
        return tuple(
            sorted(wanted, key=lambda row: (-_WEIGHT[row.standing.tone], row.reached_at or _far(self), row.name))
        )

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many models stand how, and what the plan holds."""
        rows = self.rows.values()
        return {
            "in_use": sum(row.in_use for row in rows),
            "catalogue": len(rows),
            "paused": sum(row.model.pause is not None for row in rows),
            "soon": sum(row.soon for row in rows),
            "person": sum(kind_of(one, self.now) == "manual" for one in self.report.plan.changes),
            "changes": len(self.report.plan.changes),
            "errors": sum(one.severity is Severity.ERROR for one in self.findings),
            "findings": len(self.findings),
            "endpoints": len(self.snapshot.endpoints) if self.snapshot else 0,
        }

    def model_of(self, resource: Resource[Any]) -> str:
        """The model that a resource is about, "" where it is about none or nobody knows."""
        model = getattr(resource.spec, "model", None)
        if isinstance(model, str):
            return model
        ref = getattr(resource.spec, "endpoint", None)
        if ref is None or self.snapshot is None:
            return ""
        ids = (ref.id,) if ref.id else self.snapshot.endpoint_ids_by_name.get(ref.name, ())
        endpoint = self.snapshot.endpoints.get(ids[0]) if len(ids) == 1 else None
        return endpoint.model if endpoint else ""

    def manual_page(self, change: Change) -> str:
        """The platform's page on which a person does the change, "" where there is none."""
        pages = {how.page for how in self.report.capabilities.values() if how.page and how.page in change.how_to}
        return next((page for page in sorted(pages, key=len, reverse=True) if page.startswith("https://")), "")


def _far(account: Account) -> datetime:
    return account.now.replace(year=account.now.year + 100, day=1)


def _grouped(things: Iterable[Any], name: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for thing in things:
        found.setdefault(name(thing), []).append(thing)
    return found
