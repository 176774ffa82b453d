"""What a reviewer reads first, as values: totals, what was refused, what is taken back, what stays. Shared by the pages
that a plan is reviewed on (Markdown, HTML). Pure; nothing here escapes or lays out anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.plan import Action, Change, FieldChange, Verdict, VerdictKind
from reconciler.report import Report, folding
from reconciler.report.as_text import words
from reconciler.report.folding import Folded
from reconciler.state import Capability, Failure

# The totals in the order in which they are said, each with how it is said.
TOTALS: Final = (
    ("revert", "to revert"),
    ("create", "to create"),
    ("update", "to update"),
    ("deferred", "deferred"),
    ("manual", "by hand"),
    ("released", "to release"),
    ("unchanged", "unchanged"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Of what a plan was made: the git revision of the declarations, "" where there is none, and the PATHs from the
    repository's root."""

    revision: str = ""
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One account's plan, sorted by how much it matters. `unchanged` are addresses, as far as they are declared; `folded` are
    its errors and remarks as people read them; `observed_at` is None where the platform could not be seen, so that there is no
    plan."""

    account: str
    platform: str
    made_at: datetime
    observed_at: datetime | None
    totals: dict[str, int]
    failures: tuple[Failure, ...]
    errors: tuple[Finding, ...]
    refused: tuple[Verdict, ...]
    allowed: tuple[Verdict, ...]
    passed: tuple[Verdict, ...]
    reverts: tuple[Change, ...]
    others: tuple[Change, ...]
    remarks: tuple[Finding, ...]
    folded: tuple[Folded, ...]
    notes: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def calm(self) -> bool:
        """Whether nothing keeps the plan from being carried out."""
        return self.observed_at is not None and not (self.failures or self.errors or self.refused)

    def said(self, *, stopping: bool) -> tuple[Folded, ...]:
        """The findings that stop something, or the others."""
        return tuple(one for one in self.folded if _stops(one.finding) is stopping)


def review(report: Report, shared: frozenset[Finding] = frozenset()) -> Review:
    """The report's plan, sorted; findings that several accounts `shared` are not among `folded`: they are told once for all."""
    plan = report.plan
    found = report.relevant
    touched = {change.address for change in plan.changes} | {one.resource for one in found if _stops(one)}
    by_verdict = {kind: tuple(one for one in plan.guards if one.verdict is kind) for kind in VerdictKind}
    return Review(
        account=plan.account,
        platform=report.account.spec.platform.value,
        made_at=report.started_at,
        observed_at=plan.observed_at,
        totals={**plan.summary(report.started_at), "released": plan.released},
        failures=tuple(dict.fromkeys((*plan.errors, *report.failures))),
        errors=tuple(filter(_stops, found)),
        refused=by_verdict[VerdictKind.REFUSED],
        allowed=by_verdict[VerdictKind.ALLOWED],
        passed=by_verdict[VerdictKind.PASSED],
        reverts=tuple(change for change in plan.changes if change.action is Action.REVERT),
        others=tuple(change for change in plan.changes if change.action is not Action.REVERT),
        remarks=tuple(one for one in found if not _stops(one)),
        folded=folding.of_plan(report, shared),
        notes=(*plan.notes, *_released(report)),
        unchanged=tuple(
            resource.address
            for resource in report.declared.resources
            if resource.kind not in ("PolicyConstraint", "PlatformAccount") and resource.address not in touched
        )
        if plan.observed_at
        else (),
    )


def _stops(found: Finding) -> bool:
    return found.severity is Severity.ERROR


def _released(report: Report) -> tuple[str, ...]:
    return tuple(
        f"{one.address} ({f'it was in {one.source}, ' if one.source else ''}deletionPolicy {one.deletion_policy}): {one.why}"
        for one in report.plan.releases
    )


def said_totals(totals: dict[str, int], *, calm: bool = True) -> str:
    """ "1 to revert, 2 to create, 12 unchanged", or "nothing to do, 12 unchanged"; "no changes" where something is wrong."""
    said = [f"{totals[key]:,} {how}" for key, how in TOTALS if totals[key]]
    if all(not totals[key] for key, _ in TOTALS[:-1]):
        said.insert(0, "nothing to do" if calm else "no changes")
    return ", ".join(said)


def sign(change: Change) -> str:
    """+ create, - revert, ! update, as a diff fence colours them."""
    return {Action.CREATE: "+", Action.UPDATE: "!", Action.REVERT: "-"}[change.action]


def field(one: FieldChange) -> str:
    """ "tokens: no limit → 2,000,000"; with how much more or less."""
    return f"{one.path}: {words.moved(one, '→')}"


def why(change: Change) -> str:
    """Why the change is intended, in a few words."""
    return words.why(change)


def remarks_on(change: Change) -> tuple[str, ...]:
    """What a reviewer has to know beside the fields: notes, waiting, work by hand."""
    said = list(change.notes)
    if change.not_before is not None:
        said.append(f"waits until {words.moment(change.not_before)}")
    if change.capability is Capability.MANUAL:
        said.append(change.how_to or "A person has to do this on the platform's page.")
    if change.capability is Capability.UNSUPPORTED:
        said.append("The platform cannot do this.")
    return tuple(said)


def name_of(change: Change) -> str:
    """The address, with the item's own name where the address does not say it."""
    names = dict.fromkeys(name for name in (change.target_name, change.target.name) if name)
    more = [name for name in names if not change.address.endswith(f"/{name}")]
    return f"{change.address} ({', '.join(more)})" if more else change.address
