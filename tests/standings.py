"""Accounts after a pass, as the tests of conditions need them: planned, judged, and given outcomes or failures."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from builders import (
    NOW,
    capabilities,
    declared,
    hours,
    limit,
    model,
    override,
    question,
    snapshot,
    target,
)

from reconciler import guards
from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.plan import make
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import (
    ActivationState,
    History,
    Limit,
    Outcome,
    Pause,
    PauseReason,
    Result,
    Snapshot,
)
from reconciler.status import (
    Condition,
    ConditionType,
    ResourceStatus,
    Standing,
    Truth,
    from_json,
    judge,
    to_json,
)

OFF = ActivationState.NOT_ACTIVATED
T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def stand(everything: Declared, seen: Snapshot | None, past: History | None = None, **given: Any) -> Standing:
    """The account after a pass that planned and judged; `outcomes`, `failures`, `findings` and `previous` as given."""
    caps = given.pop("capabilities", capabilities())
    now = given.pop("now", NOW)
    asked = question(everything, seen, past, capabilities=caps, findings=given.get("findings", ()), now=now)
    plan = make(asked)
    return Standing(
        account=asked.account,
        declared=everything,
        plan=replace(plan, guards=guards.judge(plan, asked)),
        now=now,
        snapshot=seen,
        history=asked.history,
        capabilities=caps,
        **given,
    )


def status(everything: Declared, seen: Snapshot | None, past: History | None = None, **given: Any) -> ResourceStatus:
    """The status of the first resource of the set."""
    address = everything.resources[0].address
    return next(found for found in judge(stand(everything, seen, past, **given)) if found.address == address)


def what(found: ResourceStatus) -> dict[str, tuple[Truth, Reason]]:
    return {condition.type.value: (condition.status, condition.reason) for condition in found.conditions}


def became(of: Resource[Any], result: Result, **fields: Any) -> Outcome:
    return Outcome(of.address, target(of), result, fields.pop("message", "said so"), **fields)


def told(of: Resource[Any], rule: str, reason: Reason, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(rule, severity, "it is so", "Open a ticket: https://x", of.origin, of.address, reason)


def before(
    of: Resource[Any], *conditions: tuple[ConditionType, Truth, Reason], **fields: Any
) -> dict[str, ResourceStatus]:
    """The status last published of `of`, its conditions an hour old."""
    kept = tuple(Condition(type_, truth, reason, "before", NOW - hours(1)) for type_, truth, reason in conditions)
    return {of.address: ResourceStatus(address=of.address, kind=of.kind, target=target(of), conditions=kept, **fields)}


WELL = (
    (ConditionType.ACCEPTED, T, Reason.ACCEPTED),
    (ConditionType.PROGRAMMED, T, Reason.PROGRAMMED),
    (ConditionType.READY, T, Reason.READY),
)


def minutes(count: float) -> datetime:
    return NOW + hours(count / 60)


LIMIT = limit(tokens=5)
ONE = declared(LIMIT)
SEEN, MISSING = snapshot(model(limit=5)), snapshot(model())
EXPIRED = override(rpm=5, expires_at="2026-01-01T00:00:00Z")


PAUSED = Pause(PauseReason.LIMIT_REACHED, NOW)


def passed(everything: Declared, seen: Snapshot | None, past: History | None = None, **given: Any) -> Report:
    standing = stand(everything, seen, past, **given)
    return Report(
        account=standing.account, declared=everything, started_at=NOW, finished_at=NOW, plan=standing.plan,
        snapshot=seen, statuses=judge(standing), failures=standing.failures,
    )  # fmt: skip


def kept(done: Report) -> dict[str, ResourceStatus]:
    """The statuses as the ledger gives them back after a restart."""
    return {each.address: from_json(json.loads(json.dumps(to_json(each)))) for each in done.statuses}


def used(tokens: int, **fields: Any) -> Snapshot:
    return snapshot(model(limit=Limit(100, used=tokens), **fields))
