"""Which changes of a plan were overtaken between its making and the account's lock: judged again on what is remembered now.

A change may be dropped here or wait longer, never be added or altered: what is carried out is what was planned. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from reconciler.kinds import registry
from reconciler.plan import Change, ChangeReason, Question, recorded
from reconciler.reasons import Reason
from reconciler.state import Capability, Outcome, Result


def overtaken(changes: Iterable[Change], question: Question) -> dict[Change, Outcome]:
    """The changes that are no longer what was planned, with what becomes of them."""
    found: dict[Change, Outcome] = {}
    for change in changes:
        why = _why(change, question) if change.capability is Capability.NATIVE else ""
        if why:
            outcome = Outcome(change.address, change.target, Result.SKIPPED, f"{why}; plan again", Reason.DRIFTED)
            found[change] = replace(outcome, stale=True)
    return found


def _why(change: Change, question: Question) -> str:
    if change.recorded and change.recorded != recorded(question.record(change.target)):
        return "another run wrote to the item since this was planned"
    resource = question.by_address.get(change.address)
    if resource is None or change.reason is ChangeReason.REMOVED:
        return ""
    expired = registry()[resource.kind].expired(resource, question.now)
    if expired != (change.reason is ChangeReason.EXPIRED):
        return "the declaration expired since this was planned"
    return ""


def postponed(change: Change, question: Question) -> Change:
    """The change, waiting where what is remembered now says that the platform does not accept it yet."""
    snapshot, record = question.snapshot, question.record(change.target)
    kind = registry()[change.target.kind]
    if snapshot is None or not kind.exists(snapshot, change.target):
        return change
    earliest = kind.earliest(snapshot, record, {field.path: field.after for field in change.fields})
    if (
        earliest is None
        or earliest <= question.now
        or (change.not_before is not None and change.not_before >= earliest)
    ):
        return change
    return replace(change, not_before=earliest)
