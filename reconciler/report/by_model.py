"""One account's report as status and the console show it: a row a model, what needs a person, how it adds up. Pure.

Joins what the report already says by model; decides nothing about policies.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.plan import Change, kind_of
from reconciler.report import Report
from reconciler.report.model_row import WEIGHT, Row, Tone
from reconciler.report.review import Review, review
from reconciler.state import UNOBSERVABLE, ActivationState, FreeTokens, Limit, Links, Model, Snapshot
from reconciler.status import ResourceStatus

OWN: Final = ("PlatformAccount", "PolicyConstraint")  # kinds that are about no model
NEVER: Final = datetime.max.replace(tzinfo=UTC)


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

    @property
    def links(self) -> Links:
        """The platform's own pages, none of them where it could not be seen."""
        return self.report.snapshot.links if self.report.snapshot else Links()

    @cached_property
    def row_of(self) -> Mapping[str, Row]:
        """The row of each resource that is about a model, by address."""
        return {resource.address: row for row in self.rows.values() for resource in row.resources}

    @cached_property
    def resource_of(self) -> Mapping[str, Resource[Any]]:
        """Each declared resource by its address, the account's own among them."""
        known = {resource.address: resource for resource in self.report.declared.resources}
        return {self.report.account.address: self.report.account, **known}

    @cached_property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The values of each label that something about a model bears, by its key."""
        found: dict[str, set[str]] = {}
        for row in self.rows.values():
            for key, value in row.labels:
                found.setdefault(key, set()).add(value)
        return {key: tuple(sorted(values)) for key, values in sorted(found.items())}

    @cached_property
    def declares(self) -> bool:
        """Whether anything is declared beside the account itself and the organisation's rules."""
        return any(one.kind not in OWN for one in self.report.declared.resources)

    @cached_property
    def changing(self) -> frozenset[str]:
        """The addresses of what the plan means to change."""
        return frozenset(change.address for change in self.report.plan.changes)

    @cached_property
    def errors_of(self) -> Mapping[str, list[Finding]]:
        """The error findings of each resource, by address."""
        return _grouped(
            (one for one in self.findings if one.severity is Severity.ERROR), lambda one: one.resource or ""
        )

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
                models[name] = unseen(name)
        by_address = {status.address: status for status in self.report.statuses}
        changes = _grouped(self.report.plan.changes, lambda one: one.model)
        address_of = {each.address: name for name, group in resources.items() for each in group}
        findings = _grouped(self.findings, lambda one: address_of.get(one.resource or "", ""))
        alive = _in_use(self.report, snapshot) if snapshot else set(models)
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
        return tuple(one for one in self.report.statuses if one.kind in OWN)

    @cached_property
    def urgent(self) -> tuple[Row, ...]:
        """The models that somebody should look at: what stands still first, then what will, then what is for a person."""
        wanted = [row for row in self.rows.values() if row.standing.tone in (Tone.BAD, Tone.CARE) or row.soon]
        return tuple(sorted(wanted, key=lambda row: (-WEIGHT[row.standing.tone], row.reached_at or NEVER, row.name)))

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

    def sense_of(self, found: Finding) -> str:
        """What a finding comes to, as a key for its meaning: that a limit will be reached and that it has been are two things."""
        row = self.row_of.get(found.resource or "")
        if found.rule == "limit-below-use" and row is not None and row.limit is not None and row.limit.share >= 1:
            return "limit-below-use:reached"
        return found.rule

    def manual_page(self, change: Change) -> str:
        """The platform's page on which a person does the change, "" where there is none."""
        pages = {how.page for how in self.report.capabilities.values() if how.page and how.page in change.how_to}
        return next((page for page in sorted(pages, key=len, reverse=True) if page.startswith("https://")), "")


def _in_use(report: Report, snapshot: Snapshot) -> set[str]:
    """The models that are declared, activated, used, limited or served by an endpoint with an override."""
    found = {resource.spec.model for resource in report.declared.activations}
    found |= {resource.spec.model for resource in report.declared.limits}
    refs = [resource.spec.endpoint for resource in report.declared.overrides]
    named = {ref.id for ref in refs} | {ref.name for ref in refs}
    found |= {one.model for one in snapshot.endpoints.values() if one.override or {one.id, one.name} & named}
    return found | {name for name, model in snapshot.models.items() if _alive(model)}


def _alive(model: Model) -> bool:
    used = isinstance(model.free_tokens, FreeTokens) and model.free_tokens.consumed > 0
    limited = isinstance(model.limit, Limit)
    metered = model.hourly_use is not UNOBSERVABLE and bool(model.hourly_use)
    return model.state is ActivationState.ACTIVATED or used or limited or metered or bool(model.pause)


def unseen(name: str) -> Model:
    """A model of which nothing could be seen."""
    return Model(
        name=name, billing=UNOBSERVABLE, sub_services=UNOBSERVABLE, free_tokens=UNOBSERVABLE, limit=UNOBSERVABLE,
        rate_limit=UNOBSERVABLE, hourly_use=UNOBSERVABLE,
    )  # fmt: skip


def _grouped(things: Iterable[Any], name: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for thing in things:
        found.setdefault(name(thing), []).append(thing)
    return found
