"""What a plan is made of: inert, printable, comparable values. No decisions here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.finding import Finding, Location
from reconciler.reasons import Reason
from reconciler.state import Capability, Failure, Target, Value


class Action(StrEnum):
    """create: from the platform's default. update: from another value. revert: back to baseline or default."""

    CREATE = "create"
    UPDATE = "update"
    REVERT = "revert"


class ChangeReason(StrEnum):
    """Why a change is intended. drift: the platform left what we last proved; adopted: it differs and was never ours."""

    DECLARED = "declared"
    DRIFT = "drift"
    EXPIRED = "expired"
    REMOVED = "removed"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an item, as it is and as it is wanted; `path` is the spec's field name."""

    path: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Wait:
    """After which failure, and until when, a change is left alone."""

    until: datetime
    reason: Reason | None
    message: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One intended change of one item. `address` is the declaring resource's, or Kind/target where nothing declares it.

    `level`: all changes of one level come before any of the next. `precondition` is the fingerprint of the item's live fields it was planned on; `how_to` tells a person the page and the
    exact values where `capability` is manual; `notes` are sentences for the reviewer (counting restarts at 0, what it costs).
    """

    address: str
    target: Target
    target_name: str = ""  # an endpoint's name, for people
    model: str = ""  # the model the item belongs to: groups the text plan, serialises writes, "" for account switches
    action: Action
    reason: ChangeReason
    capability: Capability
    level: int = 0
    how_to: str = ""
    not_before: datetime | None = None
    wait: Wait | None = None  # None where it waits for no more than its own time
    origin: Location | None = None
    fields: tuple[FieldChange, ...] = ()
    precondition: str = ""
    recorded: str = ""  # the fingerprint of what was remembered of the item when this was planned
    notes: tuple[str, ...] = ()
    renewal: str | None = None


class VerdictKind(StrEnum):
    """What a guard said of the plan."""

    PASSED = "passed"
    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guard's verdict; `address` narrows it to one change, None means the whole plan."""

    id: str
    verdict: VerdictKind
    address: str | None = None
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """An owned item that nothing declares any more and that this run does not revert; `why` is a sentence.

    `ends` True: pruned under Retain, so the item stays as it is and is ours no longer. False: left alone, still ours.
    """

    address: str
    target: Target
    deletion_policy: str
    source: str = ""
    ends: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that one pass intends for one account. Equal inputs make equal plans, whatever the order of files."""

    account: str
    inputs_digest: str
    observed_at: datetime | None
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    guards: tuple[Verdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    errors: tuple[Failure, ...] = ()
    # Owned items without a declaration that this run does not revert, e.g. because --prune was not given.
    releases: tuple[Release, ...] = ()
    notes: tuple[str, ...] = ()

    def summary(self, now: datetime) -> Mapping[str, int]:
        """Counts for people and for JSON: a change counts once, as manual, else deferred, else as its action."""
        counts = dict.fromkeys(("create", "update", "revert", "unchanged", "deferred", "manual"), 0)
        for change in self.changes:
            counts[kind_of(change, now)] += 1
        counts["unchanged"] = self.unchanged
        return counts

    @property
    def released(self) -> int:
        """How many items stop being ours and stay as they are."""
        return sum(release.ends for release in self.releases)


def kind_of(change: Change, now: datetime) -> str:
    """The one word a change counts under: manual, deferred, create, update or revert."""
    if change.capability is not Capability.NATIVE:
        return "manual"
    if change.not_before is not None and change.not_before > now:
        return "deferred"
    return change.action.value
