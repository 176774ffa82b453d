"""What a loop carries out only if a second look finds it too: what lowers, stops, takes back or releases. Pure.

A save that stopped half-way or a file that was away for a moment asks for just that; a raise or an addition by mistake does no harm
that the next look does not mend. Drift is put back at once, because what it goes back to has stood before, and so does what ends by
its own date.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from reconciler.plan.patience import wish
from reconciler.plan.question import kind_of_item
from reconciler.plan.values import Action, Change, ChangeReason, Plan, Release, Wait
from reconciler.reasons import Reason
from reconciler.state import Capability, Snapshot, Target

Key: TypeAlias = tuple[Target, str]
_LET_GO: Final = "let go"
_OF_OLD: Final = (ChangeReason.DRIFT, ChangeReason.EXPIRED)  # declared so for longer than since the last edit


@dataclass(frozen=True, slots=True)
class Standing:
    """Since when each change that has to stand is in every plan, and for how long it has to be."""

    for_: timedelta = timedelta()
    since: Mapping[Key, datetime] = field(default_factory=dict)

    def until(self, key: Key, now: datetime) -> datetime:
        """When it will have stood for long enough."""
        return self.since.get(key, now) + self.for_


def lowers(change: Change, snapshot: Snapshot) -> bool:
    """Whether the item allows less after the change, or is no longer as somebody declared it."""
    if change.reason in _OF_OLD:
        return False
    if change.action is Action.REVERT:
        return True
    kind = kind_of_item(change.target)
    return any(kind.lowers(snapshot, change.target, each.path, each.before, each.after) for each in change.fields)


def to_stand(plan: Plan, snapshot: Snapshot) -> frozenset[Key]:
    """What of a plan has to be found at a second look too."""
    changes = {(change.target, wish(change)) for change in plan.changes if lowers(change, snapshot)}
    return frozenset(changes | {(release.target, _LET_GO) for release in plan.releases if release.ends})


def settled(plan: Plan, snapshot: Snapshot, standing: Standing, now: datetime) -> Plan:
    """The plan in which what has not stood for long enough waits until it has. What a person would have to do is left out until
    then."""
    changes = (_waiting(change, standing.until((change.target, wish(change)), now), now)
               if lowers(change, snapshot) else change for change in plan.changes)  # fmt: skip
    releases = (
        _kept(release, standing.until((release.target, _LET_GO), now), now) if release.ends else release
        for release in plan.releases
    )
    return replace(plan, changes=tuple(change for change in changes if change), releases=tuple(releases))


def _waiting(change: Change, until: datetime, now: datetime) -> Change | None:
    if until <= now:
        return change
    if change.capability is not Capability.NATIVE:
        return None
    if change.not_before is not None and change.not_before >= until:
        return change  # it waits for longer anyway
    at = f"{until:%Y-%m-%d %H:%M:%S} UTC"
    message = f"it lowers or stops what is live; carried out at {at} if it is declared so until then"
    if change.reason is ChangeReason.REMOVED:
        message = f"nothing declares it any more; taken back at {at} if that is so until then"
    return replace(change, not_before=until, wait=Wait(until, Reason.SETTLING, message, ""))


def _kept(release: Release, until: datetime, now: datetime) -> Release:
    if until <= now:
        return release
    why = f"nothing declares it any more; released at {until:%Y-%m-%d %H:%M:%S} UTC if that is so until then"
    return replace(release, ends=False, why=why)
