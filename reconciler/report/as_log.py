"""A pass as lines of a calm log: one line a decision, nothing where nothing happened. Pure: a report in, entries out.

What came from files or from the platform is escaped where it is printed: control characters in text, JSON in JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.plan import Change, ChangeReason
from reconciler.reasons import Reason
from reconciler.report import Report, notices, plain
from reconciler.report.as_text import words
from reconciler.report.as_text.layout import safe
from reconciler.state import Outcome, Result
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth

# What a person should know although nothing was decided and every resource is as declared.
_BESIDE: Final = (notices.Event.PAUSED, notices.Event.LIMIT_NEARLY_USED, notices.Event.OVERRIDE_EXPIRING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: `event` is a fixed word (pass, outcome, condition, notice, failure, finding, lead, stop, trouble); `reason` is a
    condition's."""

    level: str
    event: str
    account: str
    message: str
    address: str = ""
    reason: str = ""


def entries(report: Report, before: Mapping[str, ResourceStatus], first: bool) -> Iterator[Entry]:
    """What this pass decided: outcomes, then how resources came to stand differently. The `first` pass of a process says of
    everything that is not well why, and adds a summary."""
    account = report.account.account
    told: set[str] = set()
    for change, outcome in zip(report.plan.changes, report.outcomes, strict=False):  # none where nothing was applied
        if outcome.result in (Result.APPLIED, Result.FAILED):
            told.add(outcome.address)
            yield _outcome(account, outcome, change)
    for status in report.statuses:
        ready, old = status.condition(ConditionType.READY), before.get(status.address)
        accepted = status.condition(ConditionType.ACCEPTED)
        if accepted is not None and _rivalled(accepted) and _differs(old, accepted):
            yield _condition(account, status.address, accepted)
        unwell = first and ready is not None and ready.status is not Truth.TRUE
        if ready is None or status.address in told or not (unwell or _differs(old, ready)):
            continue
        if old is None and ready.status is Truth.TRUE:
            continue  # nothing to say of what is well from the start
        yield _condition(account, status.address, ready)
    for notice in notices.of(report, {} if first else before):
        if notice.event in _BESIDE:
            yield Entry(
                level="warning", event="notice", account=account, address=notice.address, message=notice.message
            )
    if first:
        yield _summary(report)


def text(entry: Entry, now: datetime) -> str:
    """One line for a person."""
    said = [f"{now:%Y-%m-%d %H:%M:%S}", f"{entry.level:<7}", safe(entry.account)]
    said += [safe(entry.address)] if entry.address else []
    return " ".join([*said, safe(entry.message)])


def as_json(entry: Entry, now: datetime) -> str:
    """One line for a machine: one JSON object."""
    document = {
        "time": plain.moment(now),
        "level": entry.level,
        "event": entry.event,
        "account": entry.account,
        "address": entry.address or None,
        "message": entry.message,
    }
    return plain.line({key: value for key, value in document.items() if value is not None})


def _differs(old: ResourceStatus | None, now: Condition) -> bool:
    """Whether a person would want to know: also of other values to set by hand, for nobody else will set them."""
    before = old.condition(now.type) if old else None
    if before is None or (before.status, before.reason) != (now.status, now.reason):
        return True
    return now.reason is Reason.MANUAL_ACTION_REQUIRED and before.message != now.message


def _rivalled(accepted: Condition) -> bool:
    """Whether another resource claims the item that this one keeps."""
    return accepted.status is Truth.TRUE and accepted.reason is Reason.CONFLICTED


def _outcome(account: str, outcome: Outcome, change: Change) -> Entry:
    what = (
        ", ".join(f"{f.path} {words.value(f.path, f.before)} -> {words.value(f.path, f.after)}" for f in change.fields)
        if change
        else ""
    )
    if change.reason is not ChangeReason.DECLARED:
        what += f" ({change.reason.value})"
    failed = outcome.result is Result.FAILED
    why = f" ({outcome.code})" if outcome.code else ""
    message = f"{outcome.result.value} {what}{why}: {outcome.message}" if failed else f"{outcome.result.value} {what}"
    return Entry(
        level="error" if failed else "info", event="outcome", account=account, address=outcome.address, message=message
    )


def _condition(account: str, address: str, told: Condition) -> Entry:
    well = told.status is Truth.TRUE and not _rivalled(told)
    message = f"{told.type.value} {told.status.value}, {told.reason.value}"
    return Entry(
        level="info" if well else "warning",
        event="condition",
        reason=told.reason.value,
        account=account,
        address=address,
        message=f"{message}: {told.message}" if told.message and not well else message,
    )


def _summary(report: Report) -> Entry:
    ready = [status.condition(ConditionType.READY) for status in report.statuses]
    well = sum(condition is not None and condition.status is Truth.TRUE for condition in ready)
    message = f"{words.count(len(ready), 'resource')}, {well} ready"
    return Entry(level="info", event="pass", account=report.account.account, message=message)
