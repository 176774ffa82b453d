"""One account's seat in the loop: its lease, its platform, its last observation, its back-off, and one look at it.

A look observes (at most one sweep an interval; between sweeps the last observation with what was read back is enough, since a
write re-reads its own item), plans, and writes where it may. Never raises for a failure of the world: that is in the report.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from reconciler import plan as planning
from reconciler import reconcile
from reconciler.apply import MAX_WAIT_S
from reconciler.controller import annotations
from reconciler.controller.backoff import Backoff, spread
from reconciler.errors import LedgerError, LockHeld, Transient
from reconciler.finding import Finding
from reconciler.identity import Identity
from reconciler.kinds import Resource
from reconciler.kinds.annotations import SECRET_VERSION
from reconciler.kinds.declared import NO_SET, DeclarationSet, Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.ledger import Lease, Ledger
from reconciler.plan import Plan, Wait, wish
from reconciler.platforms import Platform, Reader, Unreachable
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import Failure, Operation, Outcome, Result, Snapshot, Support, Target
from reconciler.status import ResourceStatus

K = TypeVar("K", bound=Hashable)

STANDBY_S: Final = 2.0  # how often a standby asks for the lock
LEAST_S: Final = 0.5  # between two looks at an account that nobody woke: no wish, however wrong, makes a hot loop
SWEEP_EARLY: Final = 0.15  # a resync may come this share early, by its spread, and still sweeps
SLOW_REASONS: Final = frozenset(
    {
        Reason.CREDENTIALS_INVALID,
        Reason.PERMISSION_DENIED,
        Reason.PLATFORM_REFUSED,
        Reason.TICKET_REQUIRED,
        Reason.MANUAL_ACTION_REQUIRED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the loop runs. `interval_s` is from one sweep to the next; `write` False only reports; `settle_s` is how long what lowers
    or takes back has to stand before it is carried out."""

    interval_s: float = 300.0
    write: bool = True
    prune: bool = False
    declaration_set: DeclarationSet = NO_SET
    targets: tuple[str, ...] = ()
    account: str | None = None  # only this one
    settle_s: float = 0.0


class Ear(Protocol):
    """Hears what is worth telling a person; called from several threads."""

    def led(self, account: str, holder: str) -> None:
        """The lead changed: `holder` is "" when this process took it, else who has it."""
        ...

    def outcome(self, account: str, outcome: Outcome) -> None:
        """A change became something, and that is journaled."""
        ...

    def trouble(self, account: str, message: str) -> None:
        """The ledger could not be used; the account is left alone until it can."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every hold on the world, passed in. `random` gives chances from 0 to 1; `revision` is the declarations' git revision now;
    `step` is entered with an account and a name around each pass and each of its steps; `waited` hears for how many seconds a
    write waited for its account's pace."""

    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    connect: Callable[[Resource[PlatformAccountSpec]], Platform]
    ledger: Ledger
    actor: str
    revision: Callable[[], str]
    link: str = ""  # to the CI job that this loop runs in
    ear: Ear
    step: Callable[[str, str], AbstractContextManager[object]] = lambda *_: nullcontext()
    waited: Callable[[str, float], None] = lambda *_: None


class Loaded(Protocol):
    """What a source loads: the whole declared set and the findings of loading it."""

    @property
    def declared(self) -> Declared: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One look that is over: the report, how things stood before it, and how long it took in seconds."""

    report: Report
    before: Mapping[str, ResourceStatus]
    seconds: float


class Seat:
    """One account in the loop. Used by one worker at a time. `alive` is called whenever a look makes progress."""

    def __init__(self, key: str, world: World, settings: Settings, alive: Callable[[], None] = lambda: None) -> None:
        self._key = key
        self._alive = alive
        self._world = world
        self._settings = settings
        self.identities: dict[str, Identity] = {}  # of every account looked at so far; the seats of one loop share it
        self._platform: Platform | None = None
        self._opened_for: tuple[PlatformAccountSpec, str] | None = None
        self._requested = ""
        self._lead = ExitStack()
        self._lease: Lease | None = None
        self._holder: str | None = None
        self._before: Mapping[str, ResourceStatus] | None = None
        self._seen: Snapshot | None = None
        self._swept_at = 0.0
        self._shut: Failure | None = None  # why the platform is left alone, whoever wakes us, until its wait is over
        self._account_waits: Backoff[str] = Backoff(world.random)
        self._item_waits: Backoff[tuple[Target, str]] = Backoff(world.random)
        self._why: dict[tuple[Target, str], Outcome] = {}  # by what those failed that wait
        self._standing: dict[planning.Key, float] = {}  # since when what has to be seen twice is in every plan
        self.again_after_s = 0.0  # in how many seconds to look again, as the last look left it
        self.settled = False  # whether a pass is over, or another process is known to lead

    def look(self, loaded: Loaded, stop: threading.Event) -> Pass | None:
        """One pass over the account; None on standby, or while the ledger cannot be used."""
        started = self._world.monotonic()
        try:
            if self._settings.write and not self._leads():
                return None
            with self._world.step(self._key, "pass"):
                report = self._report(loaded, stop)
            before = self._before or {}
            self._before = {each.address: each for each in report.statuses}
            self._keep(report)
        except LedgerError as error:
            self._world.ear.trouble(self._key, str(error))
            self._resign()
            until = self._account_waits.failed(self._key, self._world.clock())
            self.again_after_s = (until - self._world.clock()).total_seconds()
            return None
        self.settled = True
        self.again_after_s = self._next_s(report)
        return Pass(report=report, before=before, seconds=self._world.monotonic() - started)

    @property
    def looks_again(self) -> bool:
        """Whether something waits for a second look, for which the declarations have to be looked at again too."""
        return bool(self._standing)

    def release(self) -> None:
        """Give up the lead and let go of the platform."""
        self._resign()
        if self._platform is not None:
            self._platform.close()
            self._platform = None

    def _leads(self) -> bool:
        """Whether this process holds the account's lock, which it takes if it can. A lost lease is given up and asked for anew."""
        if self._lease is not None and self._lease.held():
            return True
        self._resign()
        try:
            self._lease = self._lead.enter_context(self._world.ledger.lock(self._key, "watch", at_once=True))
        except LockHeld as error:
            self._tell_lead(error.holder)
            self.settled = True
            self.again_after_s = spread(STANDBY_S, self._world.random())
            return False
        self._tell_lead("")
        self._before, self._seen = None, None  # another process may have led and written meanwhile
        return True

    def _resign(self) -> None:
        self._lease = None
        self._lead.close()

    def _tell_lead(self, holder: str) -> None:
        if holder != self._holder:
            self._holder = holder
            self._world.ear.led(self._key, holder)

    def _report(self, loaded: Loaded, stop: threading.Event) -> Report:
        now, writes = self._world.clock(), self._settings.write and not stop.is_set()
        asked = replace(self._asked(loaded, now), standing=not writes)  # else it is judged once that is done
        platform = self._connected(asked.resource)
        requested = annotations.requested(asked.declared)
        if requested != self._requested:  # a person asked for a look at how it is now
            self._requested, self._seen, self._shut = requested, None, None
        if self._before is None:
            set_name = self._settings.declaration_set.name
            self._before = reconcile.previous_statuses(self._world.ledger, self._key, set_name)
        history = self._world.ledger.history(self._key)
        report = reconcile.look(asked, self._reader(platform), history, self._before, now)
        if report.snapshot is not None and report.snapshot.identity:
            self.identities[self._key] = report.snapshot.identity
        if writes and report.snapshot is None:
            return reconcile.judged(report, history, self._before, now)
        return reconcile.act(report, asked, platform, self._world.ledger, self._acting(stop)) if writes else report

    def _asked(self, loaded: Loaded, now: datetime) -> reconcile.Asked:
        everything = loaded.declared
        return reconcile.Asked(
            account=self._key,
            everything=everything,
            load_findings=loaded.findings,
            targets=self._settings.targets,
            prune=self._settings.prune,
            declaration_set=self._settings.declaration_set,
            keep_going=True,  # a controller stops only what is affected
            waits=self._waits(now),
            allows=annotations.allows(everything.accounts[self._key]),
            settle=lambda plan, snapshot: self._settled(plan, snapshot, now),
            step=lambda name: self._world.step(self._key, name),
            identities=dict(self.identities),
        )

    def _waits(self, now: datetime) -> dict[tuple[Target, str], Wait]:
        """What failed lately is left alone, and stands as it failed."""
        waiting = self._item_waits.waiting(now)
        self._why = {item: why for item, why in self._why.items() if item in waiting}
        return {
            item: Wait(until, self._why[item].reason, self._why[item].message, self._why[item].code)
            for item, until in waiting.items()
        }

    def _settled(self, plan: Plan, snapshot: Snapshot, now: datetime) -> Plan:
        """What lowers or takes back waits until it was in every plan for long enough; by our own clock, which nobody sets back."""
        if not self._settings.settle_s:
            return plan
        at = self._world.monotonic()
        self._standing = {key: self._standing.get(key, at) for key in planning.to_stand(plan, snapshot)}
        since = {key: now - timedelta(seconds=at - first) for key, first in self._standing.items()}
        return planning.settled(
            plan, snapshot, planning.Standing(timedelta(seconds=self._settings.settle_s), since), now
        )

    def _acting(self, stop: threading.Event) -> reconcile.Acting:
        return reconcile.Acting(
            operation="watch",
            actor=self._world.actor,
            revision=self._world.revision(),
            link=self._world.link,
            clock=self._world.clock,
            stop=stop.is_set,
            sleep=stop.wait,
            progress=self._heard,
            lease=self._lease,
            waited=lambda seconds: self._world.waited(self._key, seconds),
        )

    def _heard(self, outcome: Outcome) -> None:
        self._alive()
        self._world.ear.outcome(self._key, outcome)

    def _connected(self, account: Resource[PlatformAccountSpec]) -> Platform:
        """The platform, opened anew when what is declared of the account, or its key, changed."""
        wanted = (account.spec, account.annotations.get(SECRET_VERSION, ""))
        if self._platform is None or self._opened_for != wanted:
            if self._platform is not None:
                self._platform.close()
            self._platform, self._opened_for = self._world.connect(account), wanted
            self._seen, self._shut = None, None
        return self._platform

    def _reader(self, platform: Platform) -> Reader:
        """The platform, or what the last sweep saw of it while that is recent enough. While it asked to be left alone, or
        only a person can mend what it refused, nothing asks it, not even an edit."""
        now = self._world.clock()
        until = self._account_waits.waiting(now).get(self._key)
        if self._shut is not None and until is not None:
            why, wait_s = self._shut, (until - now).total_seconds()
            return Unreachable(Transient(why.message, code=why.code, reason=why.reason, retry_after_s=wait_s))
        self._shut = None
        age_s = self._world.monotonic() - self._swept_at
        if self._seen is not None and age_s < self._settings.interval_s * (1 - SWEEP_EARLY):
            return _Remembered(platform, self._seen)
        self._swept_at = self._world.monotonic()
        return platform

    def _keep(self, report: Report) -> None:
        """Keep what was seen for the next look, unless something showed that it is no longer so."""
        doubtful = any(outcome.stale or outcome.result is Result.FAILED for outcome in report.outcomes)
        unconfirmed = any(o.result is Result.APPLIED and not o.confirmed for o in report.outcomes)
        self._seen = None if doubtful or unconfirmed else report.snapshot
        now = self._world.clock()
        # Nothing is paired where nothing was applied.
        for change, outcome in zip(report.plan.changes, report.outcomes, strict=False):
            self._count(outcome, wish(change), now)
        if not report.failures:
            self._account_waits.succeeded(self._key)

    def _count(self, outcome: Outcome, wish: str, now: datetime) -> None:
        """Back off from an item that failed: doubling where it may work next time, long where only a person can mend it."""
        item = (outcome.target, wish)
        if outcome.result is Result.APPLIED:
            self._item_waits.succeeded(item)
        elif outcome.stale:  # as often as what a sweep and a read say of it differ, it is left alone for longer
            self._why[item] = outcome
            self._item_waits.failed(item, now)
        elif outcome.result is Result.FAILED:
            wish_s = (outcome.not_before - now).total_seconds() if outcome.not_before else None
            if wish_s is None or wish_s > MAX_WAIT_S:  # a shorter one is the status' own back-off
                self._why[item] = outcome
                self._leave_alone(self._item_waits, item, outcome.reason, now, wish_s)

    @staticmethod
    def _leave_alone(
        waits: Backoff[K], key: K, reason: Reason | None, now: datetime, wish_s: float | None = None
    ) -> datetime:
        return waits.refused(key, now) if reason in SLOW_REASONS else waits.failed(key, now, retry_after_s=wish_s)

    def _next_s(self, report: Report) -> float:
        """When to look again: at the next interval, or sooner where something comes due or failed."""
        now = self._world.clock()
        wishes = [spread(self._settings.interval_s, self._world.random())]
        if report.next_wake is not None:
            wishes.append((report.next_wake - now).total_seconds())
        waiting = self._item_waits.waiting(now).values()
        wishes += [(until - now).total_seconds() for until in waiting]
        ends = (first + self._settings.settle_s - self._world.monotonic() for first in self._standing.values())
        wishes += [left_s for left_s in ends if left_s > 0]
        for failure in report.failures[:1]:
            return max(LEAST_S, (self._failed(failure, now) - now).total_seconds())
        return max(LEAST_S, min(wishes))

    def _failed(self, failure: Failure, now: datetime) -> datetime:
        """Count a failure of the account, and say when to ask again; a look that asked nothing counts for none."""
        if self._shut is not None and (until := self._account_waits.waiting(now).get(self._key)):
            return until
        if failure.retry_after_s is not None or failure.reason in SLOW_REASONS:
            self._shut = failure
        return self._leave_alone(self._account_waits, self._key, failure.reason, now, failure.retry_after_s)


class _Remembered:
    """A reader whose sweep is the last one's; a single item is still read afresh."""

    def __init__(self, reader: Reader, seen: Snapshot) -> None:
        self._reader = reader
        self._seen = seen

    def capabilities(self) -> Mapping[Operation, Support]:
        return self._reader.capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:  # noqa: ARG002  # the shape of a reader
        return self._seen

    def read(self, target: Target) -> Snapshot:
        return self._reader.read(target)

    def close(self) -> None:
        """The reader stays with its owner."""
