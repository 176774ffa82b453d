"""What of a pass is worth waking a person for: a report and how things stood before it in, notices out.

Only what became so is told, never what still is: the statuses of the pass before are kept in the ledger, so a restart repeats
nothing. No I/O and no clock here; who hears the notices, and in which shape, is `as_notice`'s and `notify`'s business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reconciler.plan import ChangeReason, FieldChange
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.report.as_text import words
from reconciler.status import ConditionType, ResourceStatus, Truth

MOST: Final = 0.8  # of a limit's tokens: the share from which on its use is told


class Event(StrEnum):
    """What happened, in a word that programs may rely on."""

    PAUSED = "paused"
    LIMIT_NEARLY_USED = "limit-nearly-used"
    OVERRIDE_EXPIRING = "override-expiring"
    MANUAL_ACTION = "manual-action"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that a person should know: `address` is the resource, `target` what it governs, `message` a sentence."""

    event: Event
    account: str
    address: str
    target: str
    message: str


def of(report: Report, before: Mapping[str, ResourceStatus]) -> tuple[Notice, ...]:
    """What became notable in this pass, in the order of addresses; a paused model is told once, whatever governs it."""
    if report.snapshot is None:
        return ()  # what could not be seen did not become anything
    drifts = _drifts(report)
    found = (
        Notice(
            event=event,
            account=report.account.account,
            address=now.address,
            target=now.target.name if now.target else "",
            message=message,
        )
        for now in sorted(report.statuses, key=lambda status: status.address)
        for event, message in _became(now, before.get(now.address), drifts.get(now.address, ()))
    )
    once: dict[tuple[Event, str], Notice] = {}
    for each in found:
        once.setdefault((each.event, each.target if each.event is Event.PAUSED else each.address), each)
    return tuple(once.values())


def _drifts(report: Report) -> dict[str, tuple[FieldChange, ...]]:
    """The fields of each resource that left what we last proved them to be."""
    found: dict[str, tuple[FieldChange, ...]] = {}
    for change in report.plan.changes:
        if change.reason is ChangeReason.DRIFT:
            found[change.address] = found.get(change.address, ()) + change.fields
    return found


def _became(
    now: ResourceStatus, old: ResourceStatus | None, drift: tuple[FieldChange, ...]
) -> Iterator[tuple[Event, str]]:
    details, known = now.details, old.details if old else {}
    if details.get("paused") and not known.get("paused"):
        yield Event.PAUSED, _paused(now, details)
    if _nearly_used(details) and not _nearly_used(known):
        share = 100 * details["used"] // details["tokens"]
        yield (
            Event.LIMIT_NEARLY_USED,
            f"{share} % of the limit is used: {details['used']:,} of {details['tokens']:,} tokens; at 100 % the model pauses",
        )
    if details.get("expiring") and not known.get("expiring"):
        yield Event.OVERRIDE_EXPIRING, "the override ends within 24 hours; then the endpoint inherits its model's rate"
    ready = now.condition(ConditionType.READY)
    if ready and ready.reason is Reason.MANUAL_ACTION_REQUIRED and _by_hand(old) != ready.message:
        yield Event.MANUAL_ACTION, f"a person has to do it: {ready.message}"
    if message := _drifted(now, old, drift):
        yield Event.DRIFT, message


def _paused(now: ResourceStatus, details: Mapping[str, Any]) -> str:
    model = now.target.name if now.target else now.address
    why = {
        "LimitReached": "its inference limit is reached",
        "FreeTokensOnly": "the account uses free tokens only, and they are used up",
        "FreeQuotaExhausted": "its free quota is used up",
    }
    reason = details["paused"].get("reason", "")
    return f"the platform paused {model}: {why.get(reason, reason)}; calls are refused until that changes"


def _nearly_used(details: Mapping[str, Any]) -> bool:
    used, tokens = details.get("used"), details.get("tokens")
    return used is not None and tokens is not None and tokens > 0 and used >= MOST * tokens


def _by_hand(status: ResourceStatus | None) -> str | None:
    """What a person was to do already; None where nothing was."""
    ready = status.condition(ConditionType.READY) if status else None
    return ready.message if ready and ready.reason is Reason.MANUAL_ACTION_REQUIRED else None


def _drifted(now: ResourceStatus, old: ResourceStatus | None, drift: tuple[FieldChange, ...]) -> str:
    """What drifted, "" where nothing newly did: drift that a pass mends at once leaves no condition, only the change."""
    was = old.condition(ConditionType.READY) if old else None
    if drift and (was is None or was.status is Truth.TRUE):
        fields = ", ".join(
            f"{each.path} {words.value(each.path, each.before)}, declared {words.value(each.path, each.after)}"
            for each in drift
        )
        ready = now.condition(ConditionType.READY)
        mended = ready is not None and ready.status is Truth.TRUE
        return f"changed elsewhere: {fields}; {'it was put back' if mended else 'it is not put back yet'}"
    drifted = now.condition(ConditionType.DRIFTED)
    if drifted and drifted.status is Truth.TRUE and not (old and old.condition(ConditionType.DRIFTED)):
        return f"changed elsewhere: {drifted.message}"
    return ""
