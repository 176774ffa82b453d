"""What is judged: one account after a pass, with the indexes that keep judging linear. No judgement here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from reconciler import guards
from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.plan import Change, Plan, Release, Verdict
from reconciler.state import Failure, History, Operation, Outcome, Record, Snapshot, Support, Target
from reconciler.status.values import ResourceStatus


@dataclass(frozen=True, kw_only=True)  # no slots: indexes are kept once asked for
class Standing:
    """How an account stands. `plan` is what was intended, `outcomes` what became of it (() where nothing was applied),
    `snapshot` the platform after the read-back (None where it could not be seen: `failures` say why), `previous` the
    statuses last published, by address."""

    account: Resource[PlatformAccountSpec]
    declared: Declared
    plan: Plan
    now: datetime
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    failures: tuple[Failure, ...] = ()
    snapshot: Snapshot | None = None
    history: History = field(default_factory=History)
    previous: Mapping[str, ResourceStatus] = field(default_factory=dict)
    capabilities: Mapping[Operation, Support] = field(default_factory=dict)

    def before(self, resource: Resource[Any]) -> ResourceStatus | None:
        """How the resource stood; None where that was another by the same name."""
        known = self.previous.get(resource.address)
        return known if known is not None and known.uid == resource.uid else None

    @cached_property
    def errors(self) -> Mapping[str, tuple[Finding, ...]]:
        """The error findings of each resource, by address."""
        return self._told(Severity.ERROR)

    @cached_property
    def warnings(self) -> Mapping[str, tuple[Finding, ...]]:
        """The warnings of each resource, by address."""
        return self._told(Severity.WARNING)

    @cached_property
    def changes(self) -> Mapping[Target, tuple[Change, ...]]:
        """The intended changes of each item."""
        found: dict[Target, list[Change]] = {}
        for change in self.plan.changes:
            found.setdefault(change.target, []).append(change)
        return {target: tuple(changes) for target, changes in found.items()}

    @cached_property
    def outcome_of(self) -> Mapping[Change, Outcome]:
        """What became of each change; an item's outcomes are in the order of its changes."""
        given: dict[Target, list[Outcome]] = {}
        for outcome in self.outcomes:
            given.setdefault(outcome.target, []).append(outcome)
        return {
            change: outcome
            for target, changes in self.changes.items()
            for change, outcome in zip(changes, given.get(target, ()), strict=False)
        }

    @cached_property
    def stopped(self) -> Mapping[tuple[str, Target], Verdict]:
        """The refused guard that stops each change, by address and target."""
        return guards.stopped(self.plan)

    @cached_property
    def releases(self) -> Mapping[Target, Release]:
        """What was said of owned items that nothing declares."""
        return {release.target: release for release in self.plan.releases}

    def record(self, target: Target) -> Record:
        return self.history.records.get(target) or Record(target=target)

    def _told(self, severity: Severity) -> Mapping[str, tuple[Finding, ...]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.severity is severity and finding.resource is not None:
                found.setdefault(finding.resource, []).append(finding)
        return {address: tuple(findings) for address, findings in found.items()}
