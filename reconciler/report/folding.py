"""Findings as people read them: what says the same once, with how often, and what follows from another under it. Pure.

Programs get every finding; nothing is dropped here, only told together.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import rules
from reconciler.finding import Finding, Location, Severity, in_order

if TYPE_CHECKING:  # validate tells findings without plans
    from reconciler.report import Report


@dataclass(frozen=True, slots=True)
class Folded:
    """`finding` is told. `same` say the same of other places; `follows` would not be without it; both in order.

    `routine`: the others differ from the finding in names only, which `of` lists with its own.
    """

    finding: Finding
    same: tuple[Finding, ...] = ()
    follows: tuple[Finding, ...] = ()
    routine: bool = False

    @property
    def all(self) -> tuple[Finding, ...]:
        """Those that say the same, the told one first."""
        return self.finding, *self.same


def folded(findings: Iterable[Finding], *, routine: bool = False) -> tuple[Folded, ...]:
    """The findings folded, errors first. `routine`: also what every plan says again of many items, each rule's as one."""
    ordered = in_order(findings)
    causes = _causes(ordered)
    groups: dict[Hashable, list[Finding]] = {}
    followers: dict[Finding, list[Finding]] = {}
    for one in ordered:
        cause = causes.get(one)
        if cause is not None:
            followers.setdefault(cause, []).append(one)
        else:
            groups.setdefault(_alike(one, routine=routine), []).append(one)
    return tuple(
        Folded(
            first,
            tuple(rest),
            tuple(follower for each in (first, *rest) for follower in followers.get(each, ())),
            routine=routine and _routine(first),
        )
        for first, *rest in groups.values()
    )


def shared(reports: "Sequence[Report]") -> frozenset[Finding]:
    """What is told of each of several accounts, as of a file that all are declared in; nothing where there is one."""
    if len(reports) < 2:
        return frozenset()
    return frozenset.intersection(*(frozenset(report.relevant) for report in reports))


def of_plan(report: "Report", without: frozenset[Finding] = frozenset()) -> tuple[Folded, ...]:
    """The findings of a plan, folded, without what a guard says of the same change in the same word."""
    judged = {(said.id, said.address) for said in report.plan.guards if said.verdict.value != "passed"}
    told = (one for one in report.relevant if one.severity is Severity.ERROR or (one.rule, one.resource) not in judged)
    return folded((one for one in told if one not in without), routine=True)


def followers(findings: Iterable[Finding]) -> frozenset[Finding]:
    """Those of the findings that follow from another of them."""
    return frozenset(_causes(in_order(findings)))


def _causes(ordered: tuple[Finding, ...]) -> dict[Finding, Finding]:
    """Each finding that follows from another, with that one: the error at the very place, else the first in that file."""
    at: dict[Location, Finding] = {}
    within: dict[str, Finding] = {}
    for one in ordered:
        if one.severity is Severity.ERROR and one.follows is None and one.location is not None:
            at.setdefault(one.location, one)
            within.setdefault(one.location.file, one)
    return {
        one: cause
        for one in ordered
        if one.follows is not None and (cause := at.get(one.follows) or within.get(one.follows.file)) is not None
    }


def _alike(one: Finding, *, routine: bool) -> Hashable:
    if routine and _routine(one):
        return one.severity, one.rule
    return one.severity, one.rule, one.message, one.hint


def _routine(one: Finding) -> bool:
    rule = rules.registry().get(one.rule)
    return rule is not None and rule.routine and one.severity is not Severity.ERROR
