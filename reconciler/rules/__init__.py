"""What is allowed: one rule a file, found by being in this folder. Pure: no I/O, no clock, values in, findings out.

A rule never raises on the user's input; where one does, that is the finding of the resource it fails with. Rules over observations run again with each observation, so what the world
mends mends itself. A rule whose `needs_platform` is True is silent while `Context.snapshot` is None (offline).
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any

from reconciler import isolation
from reconciler.finding import Finding, Location, Severity, in_order
from reconciler.identity import Identity
from reconciler.kinds import Resource
from reconciler.kinds.common import Spec
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.reasons import Reason
from reconciler.state import History, Operation, Record, Snapshot, Support


@dataclass(frozen=True, kw_only=True)
class Context:
    """What rules look at: one account's whole set (`declared`), within everything declared (`everything`).

    `snapshot` is None offline; `capabilities` is empty offline. `identities` are whose accounts they are, by key, as far as the
    platforms said so.
    """

    account: Resource[PlatformAccountSpec]
    declared: Declared
    everything: Declared
    now: datetime
    snapshot: Snapshot | None = None
    history: History = field(default_factory=History)
    capabilities: Mapping[Operation, Support] = field(default_factory=dict)
    ahead: tuple[Record, ...] = ()  # what was remembered while a clock was ahead, as it is in the ledger
    identities: Mapping[str, Identity] = field(default_factory=dict)
    # What one rule worked out and another asks for again, by the function that does it.
    kept: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)


class Scope(StrEnum):
    """account: run once for each account's set. set: run once over everything (Context.declared is everything)."""

    ACCOUNT = "account"
    SET = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`source` names the facts of docs/platform.md it comes from (S, D, A); `phrase` quotes the platform's page.

    `reason` is what an error or warning of this rule becomes in a condition, None where it becomes none. `routine`: its findings
    say one thing of many items, plan after plan, so that a plan tells them as one.
    """

    id: str
    severity: Severity
    check: Callable[[Context], Iterable[Finding]]
    reason: Reason | None = None
    source: tuple[str, ...] = ()
    phrase: str = ""
    needs_platform: bool = False
    routine: bool = False
    scope: Scope = Scope.ACCOUNT

    @property
    def doc(self) -> str:
        """What `explain` prints: the docstring of the rule's module."""
        return inspect.getdoc(inspect.getmodule(self.check)) or ""

    def finding(
        self,
        message: str,
        resource: Resource[Spec],
        location: Location | None = None,
        *,
        hint: str = "",
        follows: Location | None = None,
    ) -> Finding:
        """A finding of this rule about `resource`, at `location` or where the resource starts."""
        return Finding(
            rule=self.id,
            severity=self.severity,
            message=message,
            hint=hint,
            location=location or resource.origin,
            resource=resource.address,
            reason=self.reason,
            follows=follows,
        )


@cache
def registry() -> Mapping[str, Rule]:
    """Every rule by its id, sorted."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(__path__):
        rule = getattr(importlib.import_module(f"{__name__}.{module.name}"), "RULE", None)
        if rule is not None:
            found[rule.id] = rule
    return MappingProxyType(dict(sorted(found.items())))


def check(context: Context, scope: Scope = Scope.ACCOUNT) -> tuple[Finding, ...]:
    """Every finding of every rule of `scope` that can be judged on `context`, in the order of `in_order`."""
    found = (
        finding
        for rule in registry().values()
        if rule.scope is scope and not (rule.needs_platform and context.snapshot is None)
        for finding in _judged(rule, context)
    )
    return in_order(isolation.once(found))


def _judged(rule: Rule, context: Context) -> Iterable[Finding]:
    """The findings of one rule; where it fails, of what it does not fail with, and one for each resource that it does."""
    found = isolation.attempt(lambda: list(rule.check(context)))
    return _in_part(rule, context) if isinstance(found, isolation.Failed) else found


def _in_part(rule: Rule, context: Context) -> Iterator[Finding]:
    # Constraints come last, so that a constraint is to blame and not each resource that it is run over.
    others = sorted(
        (each for each in context.declared.resources if each.kind != "PlatformAccount"),
        key=lambda each: each.kind == "PolicyConstraint",
    )
    found, unjudged = isolation.in_part(lambda some: list(rule.check(_narrowed(context, others, some))), others)
    yield from found
    severity = Severity.ERROR if rule.severity is Severity.ERROR else Severity.WARNING  # what only warns stops nothing
    for culprit in unjudged:
        yield culprit.failed.about(culprit.thing or context.account, severity)


def _narrowed(context: Context, of: Sequence[Resource[Any]], some: Sequence[Resource[Any]]) -> Context:
    """The context as if, of these resources, only some were declared."""
    gone = {id(each) for each in of} - {id(each) for each in some}

    def without(whole: Declared) -> Declared:
        return replace(whole, resources=tuple(each for each in whole.resources if id(each) not in gone))

    return replace(context, declared=without(context.declared), everything=without(context.everything))
