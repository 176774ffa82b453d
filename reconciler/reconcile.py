"""One pass over one account: load -> check -> observe -> plan -> guard -> apply -> report.

It is where strangers meet: rules, plan, guards and status get values; apply gets its journal, its fence and its pace. It does
not print, parse arguments or read a clock: `now` and every other hold on the world are passed in. `check` is offline, `look`
holds a reader that has no write, only `act` writes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler import rules
from reconciler.errors import PlatformError, Transient
from reconciler.finding import Finding, in_order
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.plan import Plan
from reconciler.platforms import Reader
from reconciler.report import Report
from reconciler.state import Failure, History, Operation, Snapshot, Support
from reconciler.status import ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one pass is asked: `account` is a key of `everything.accounts`; `targets` are "Kind" or "Kind/name" of `--target`;
    `under` are this run's PATHs relative to the repository root; `keep_going`: only what is affected waits."""

    account: str
    everything: Declared
    load_findings: tuple[Finding, ...] = ()
    targets: tuple[str, ...] = ()
    prune: bool = False
    under: tuple[str, ...] = ()
    keep_going: bool = False

    @property
    def resource(self) -> Resource[PlatformAccountSpec]:
        """The account's own declaration."""
        return self.everything.accounts[self.account]

    @property
    def declared(self) -> Declared:
        """What is declared for this account."""
        return self.everything.for_account(self.account)


def check(everything: Declared, load_findings: Iterable[Finding], now: datetime) -> tuple[Finding, ...]:
    """Every finding that needs no platform, over all accounts: what `validate` shows. No I/O."""
    found = [*load_findings, *_set_findings(everything, now)]
    for key, account in everything.accounts.items():
        context = rules.Context(account=account, declared=everything.for_account(key), everything=everything, now=now)
        found += rules.check(context)
    return in_order(found)


def look(
    asked: Asked, reader: Reader, history: History, previous: Mapping[str, ResourceStatus], now: datetime
) -> Report:
    """Observe, check, plan and judge; writes nothing anywhere. A failure of the world is in `Report.failures`, never raised."""
    snapshot, capabilities, failures = _observe(asked, reader, history)
    findings = _findings(asked, snapshot, history, capabilities, now)
    plan = Plan(
        account=asked.account,
        inputs_digest=_inputs_digest(asked),
        observed_at=snapshot.observed_at if snapshot else None,
        findings=findings,
        errors=failures,
    )
    return Report(
        account=asked.resource,
        declared=asked.declared,
        started_at=now,
        finished_at=now,
        plan=plan,
        snapshot=snapshot,
        findings=findings,
        statuses=tuple(previous.values()),
        failures=failures,
        capabilities=capabilities,
    )


def _set_findings(everything: Declared, now: datetime) -> tuple[Finding, ...]:
    """The findings of the rules over the whole set; any account stands in for the context's own."""
    account = next(iter(everything.accounts.values()))
    context = rules.Context(account=account, declared=everything, everything=everything, now=now)
    return rules.check(context, rules.Scope.SET)


def _findings(
    asked: Asked, snapshot: Snapshot | None, history: History, capabilities: Mapping[Operation, Support], now: datetime
) -> tuple[Finding, ...]:
    """Loading's, the whole set's and this account's findings, the last with what was observed."""
    context = rules.Context(
        account=asked.resource,
        declared=asked.declared,
        everything=asked.everything,
        now=now,
        snapshot=snapshot,
        history=history,
        capabilities=capabilities,
    )
    return in_order([*asked.load_findings, *_set_findings(asked.everything, now), *rules.check(context)])


def _observe(
    asked: Asked, reader: Reader, history: History
) -> tuple[Snapshot | None, Mapping[Operation, Support], tuple[Failure, ...]]:
    """One sweep; None where the platform could not be seen, with the failure that says why."""
    limited = {resource.spec.model for resource in asked.declared.limits}
    limited |= {target.name for target in history.records if target.kind == "InferenceLimit"}
    try:
        capabilities = reader.capabilities()
        return reader.observe(frozenset(limited)), capabilities, ()
    except PlatformError as error:
        return None, {}, (_failure(error),)


def _failure(error: PlatformError) -> Failure:
    retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
    return Failure(str(error), error.reason, error.code, retry_after_s)


def _inputs_digest(asked: Asked) -> str:
    """The digest of everything this pass was asked with: the same files and flags, the same digest."""
    question = [sorted(asked.everything.sources), sorted(asked.targets), asked.prune, sorted(asked.under)]
    return hashlib.sha256(json.dumps(question, separators=(",", ":")).encode()).hexdigest()
