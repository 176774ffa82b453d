"""Carries out a plan, level by level; never decides what should be done.

    level   0 switches | 1 activate, sub-services | 2 set limit | 3 set override
            4 clear override | 5 remove limit | 6 deactivate

Levels run in order. Within one, changes of different models and of different endpoints run at once where the account is paced
and one after the other where it is not; two changes of one model itself, or of one endpoint, never run together. Each change is journaled before its first write, re-read before
its own write, and proved by a read afterwards. It must not plan, judge guards or know where the journal is kept.
"""

import itertools
import operator
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from reconciler import isolation, kinds, proof
from reconciler.errors import Conflict, LedgerError, PlatformError, Transient, Unsupported
from reconciler.kinds.platform_account import FREE_TOKENS_ONLY
from reconciler.plan import Change, Plan, fingerprint, kind_of, writes_of
from reconciler.platforms import Platform
from reconciler.reasons import Reason
from reconciler.state import Capability, Outcome, Result, Snapshot, Target, Write

CALLS: Final = 3  # of a change: a read before its write, and one after
MOST_LANES: Final = 64
SLOWEST_S: Final = 10.0  # how far throttling may slow writes down
MAX_TRIES: Final = 3  # of one call within one pass
MAX_WAIT_S: Final = 10.0  # a longer wish of the platform is left to the next pass
INTERVAL: Final = timedelta(hours=2)  # between two settings of a limit, where the platform does not say (S21)
BATCH: Final = 256  # intents journaled at once where nothing paces the writes
_LEVEL: Final = operator.attrgetter("level")
FLUSH_EVERY: Final = 64
FLUSH_AFTER_S: Final = 0.1
_FENCED: Final = "the account's lock is no longer certainly ours, so nothing more is written"


class Pen(Protocol):
    """What apply journals with. Both raise `LedgerError` and are durable when they return; safe from several threads."""

    def intend(self, changes: Sequence[Change], now: datetime) -> None:
        """Before the first write of any of them."""
        ...

    def settle(self, done: Sequence[tuple[Change, Outcome]], now: datetime) -> None:
        """What became of changes that were intended."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an account may be written to."""

    concurrency: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Every hold on the world that applying needs. `sleep` returns early once `stop` is true; `may_write` is the fence, asked
    before each write; `progress` hears an outcome only after it is journaled; `pace` None: one after the other, unpaced;
    `waited` hears how many seconds a write waited for the pace."""

    journal: Pen
    may_write: Callable[[], bool]
    stop: Callable[[], bool]
    clock: Callable[[], datetime]
    sleep: Callable[[float], object]
    progress: Callable[[Outcome], None]
    pace: Pace | None = None
    waited: Callable[[float], None] = lambda *_: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of each change, in the plan's order; `readings` are the read-backs, partial snapshots of their
    targets in the order they came; `trouble` says why applying ended early, "" where it did not."""

    outcomes: tuple[Outcome, ...] = ()
    readings: tuple[tuple[Target, Snapshot], ...] = ()
    interrupted: bool = False
    trouble: str = ""


def carry_out(plan: Plan, platform: Platform, tools: Tools) -> Applied:
    """Carry out every change of `plan` that is native and due; the others become outcomes without a call."""
    now = tools.clock()
    hand = _Hand(platform, tools)
    due = []
    for change in plan.changes:
        waiting = _waiting(change, now)
        if waiting is None:
            due.append(change)
        else:
            hand.outcomes[change] = waiting
    for level, changes in itertools.groupby(sorted(due, key=_LEVEL), key=_LEVEL):
        hand.level(level, tuple(changes))
    return Applied(
        outcomes=tuple(hand.outcomes[change] for change in plan.changes),
        readings=tuple(hand.readings),
        interrupted=hand.interrupted,
        trouble=hand.trouble,
    )


def _waiting(change: Change, now: datetime) -> Outcome | None:
    """The outcome of a change that a person or a later time has to carry out; None where it is our turn."""
    kind = kind_of(change, now)
    if change.capability is not Capability.NATIVE:
        return _outcome(change, Result.MANUAL, change.how_to, reason=Reason.MANUAL_ACTION_REQUIRED)
    if kind == "deferred":
        message, reason, code = f"not before {change.not_before:%Y-%m-%d %H:%M:%S} UTC", Reason.COOLING_DOWN, ""
        if change.wait is not None:  # what it failed by is still what is wrong with it
            message, reason, code = change.wait.message, change.wait.reason or reason, change.wait.code
        outcome = _outcome(change, Result.DEFERRED, message, reason=reason, code=code)
        return replace(outcome, not_before=change.not_before)
    return None


def _outcome(
    change: Change, result: Result, message: str = "", *, reason: Reason | None = None, code: str = ""
) -> Outcome:
    return Outcome(change.address, change.target, result, message, reason, code)


class _Ended(Exception):
    """Nothing more may be written: the run was told to stop, or the lock is no longer certainly ours."""


class _Limiter:
    """Lets one call through every 1/per_second seconds, whichever thread asks; half as often after each throttling."""

    def __init__(self, tools: Tools) -> None:
        self._gap_s = 1 / tools.pace.per_second if tools.pace else 0.0
        self._sleep, self._waited = tools.sleep, tools.waited
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait(self) -> None:
        if not self._gap_s:
            return
        with self._lock:
            at_s = max(self._next_s, time.monotonic())
            self._next_s = at_s + self._gap_s
        wait_s = at_s - time.monotonic()
        if wait_s > 0:
            self._sleep(wait_s)
            self._waited(wait_s)

    def halve(self) -> None:
        """The platform asked for fewer calls: the rest of this run goes half as fast, down to one call in ten seconds."""
        with self._lock:
            self._gap_s = min(2 * self._gap_s, max(self._gap_s, SLOWEST_S))


class _Hand:
    """One run of applying: the calls, the outcomes so far and why it must end early."""

    def __init__(self, platform: Platform, tools: Tools) -> None:
        self._platform = platform
        self._tools = tools
        self._limiter = _Limiter(tools)
        self._writing = threading.Semaphore(tools.pace.concurrency if tools.pace else 1)
        self._blocked: dict[str | Target, list[Change]] = {}  # model or item -> changes on it that did not happen
        self.outcomes: dict[Change, Outcome] = {}
        self.readings: list[tuple[Target, Snapshot]] = []
        self.interrupted = False
        self.trouble = ""
        self.ended_by: Reason | None = None

    def level(self, level: int, changes: Sequence[Change]) -> None:
        """Carry out the changes of one level; on return all have an outcome and it is journaled."""
        if level:  # what did not happen on an earlier level holds up what builds on it
            changes = self._without_dependents(changes)
        pace = self._tools.pace
        if pace is None:
            for batch in _batches(changes):
                self._batch(batch)
            return
        lanes = _lanes(changes)
        # Of the three calls of a change one is a write: a lane that reads need not keep another from writing.
        most = 1 if pace.concurrency == 1 else min(CALLS * pace.concurrency, MOST_LANES)
        with ThreadPoolExecutor(max_workers=most, thread_name_prefix="apply") as pool:
            for future in [pool.submit(copy_context().run, self._lane, lane) for lane in lanes]:
                future.result()

    def _without_dependents(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The changes that do not build on one that did not happen; the others are given their outcome here."""
        free = []
        for change in changes:
            blocked = (*self._blocked.get(_group(change), ()), *self._blocked_of_account)
            blocker = next((each for each in blocked if builds_on(change, each)), None)
            if blocker is None:
                free.append(change)
                continue
            message = f"builds on {blocker.address}, which was {self.outcomes[blocker].result.value}"
            self._keep(change, _outcome(change, Result.SKIPPED, message, reason=Reason.NOT_ATTEMPTED))
        return free

    @property
    def _blocked_of_account(self) -> Iterator[Change]:
        """What did not happen on the account as a whole."""
        return (change for group, changes in self._blocked.items() if isinstance(group, Target) for change in changes)

    def _lane(self, lane: Sequence[Change]) -> None:
        """Changes one after the other, each journaled around its own calls."""
        for change in lane:
            self._batch((change,))

    def _batch(self, batch: Sequence[Change]) -> None:
        """Journal all intents at once, carry the changes out one after the other, and journal what became of them."""
        tools = self._tools
        if not self._may_go_on():
            for change in batch:
                self._keep(change, self._ended(change))
            return
        try:
            tools.journal.intend(batch, tools.clock())
        except LedgerError as error:
            self._end(f"the ledger could not be written: {error}", Reason.NOT_ATTEMPTED)
            for change in batch:
                self._keep(change, self._ended(change))
            return
        done: list[tuple[Change, Outcome]] = []
        flushed_s = time.monotonic()
        for change in batch:
            outcome = self._carried(change) if self._may_go_on() else self._ended(change)
            done.append((change, outcome))
            if len(done) >= FLUSH_EVERY or time.monotonic() - flushed_s > FLUSH_AFTER_S:
                self._flush(done)
                flushed_s = time.monotonic()
        self._flush(done)

    def _flush(self, done: list[tuple[Change, Outcome]]) -> None:
        """Journal outcomes, then tell them: what a user was told is on disk."""
        if not done:
            return
        try:
            self._tools.journal.settle(done, self._tools.clock())
        except LedgerError as error:
            self._end(f"the ledger could not be written: {error}", Reason.NOT_ATTEMPTED)
        for change, outcome in done:
            self._keep(change, outcome)
        done.clear()

    def _keep(self, change: Change, outcome: Outcome) -> None:
        self.outcomes[change] = outcome
        if outcome.result in (Result.FAILED, Result.SKIPPED):
            self._blocked.setdefault(_group(change), []).append(change)
        self._tools.progress(outcome)

    def _may_go_on(self) -> bool:
        if self._tools.stop():
            self.interrupted = True
        return not (self.interrupted or self.trouble)

    def _ended(self, change: Change) -> Outcome:
        message = self.trouble or "interrupted before it was begun"
        return _outcome(change, Result.SKIPPED, message, reason=self.ended_by or Reason.NOT_ATTEMPTED)

    def _cut_short(self, change: Change) -> Outcome:
        message = f"{self.trouble or 'interrupted'}; it may be half done, so plan again"
        return _outcome(change, Result.FAILED, message, reason=self.ended_by or Reason.NOT_ATTEMPTED)

    def _end(self, trouble: str, reason: Reason) -> None:
        if not self.trouble:
            self.trouble, self.ended_by = trouble, reason

    def _carried(self, change: Change) -> Outcome:
        """What became of one change; a bug that shows in it is its own failure and ends no run."""
        sent: list[Write] = []
        outcome = isolation.attempt(self._carry, change, sent)
        if not isinstance(outcome, isolation.Failed):
            return outcome
        half = "it may be half done; " if sent else ""
        return _outcome(change, Result.FAILED, f"{half}{outcome}. {isolation.REPORT}", reason=Reason.PLATFORM_REFUSED)

    def _carry(self, change: Change, sent: list[Write]) -> Outcome:
        """Re-read, write, prove: what became of one change; `sent` are the writes that went out."""
        try:
            before = self._read(change)
            live = proof.live(change, before)
            if live is None or fingerprint({**live, **proof.stamp(change, before)}) != change.precondition:
                message = "the item is no longer what the plan was made on; plan again"
                stale = _outcome(change, Result.SKIPPED, message, reason=Reason.DRIFTED)
                return replace(stale, stale=True)
            for write in writes_of(change, live):
                self._write(change, write, before, sent)
        except _Ended:
            return self._cut_short(change) if sent else self._ended(change)
        except PlatformError as error:
            return self._refused(change, error)
        return self._proved(change, before)

    def _refused(self, change: Change, error: PlatformError) -> Outcome:
        """What an error of the platform makes of a change."""
        outcome = _outcome(change, Result.FAILED, str(error), reason=error.reason, code=error.code)
        retry_after_s = error.retry_after_s if isinstance(error, Transient) else None
        if error.reason is Reason.COOLING_DOWN:
            wait = timedelta(seconds=retry_after_s) if retry_after_s is not None else INTERVAL
            return replace(outcome, result=Result.DEFERRED, not_before=self._tools.clock() + wait)
        if isinstance(error, Unsupported):
            return replace(outcome, result=Result.MANUAL, message=error.how_to or str(error))
        if isinstance(error, Conflict):
            return replace(outcome, result=Result.SKIPPED, stale=True)
        if isinstance(error, Transient):
            wait_s = MAX_WAIT_S if retry_after_s is None else retry_after_s
            return replace(outcome, not_before=self._tools.clock() + timedelta(seconds=wait_s))
        if error.reason is Reason.CREDENTIALS_INVALID:  # the account's, not the change's: one probe is enough
            self._end(str(error), error.reason)
        return outcome

    def _read(self, change: Change) -> Snapshot:
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._platform.read(change.target)
            except Transient as error:
                if not self._tries_again(error, attempt):
                    raise

    def _await_turn(self) -> None:
        """Return when one write may go out. The wait ends early on a stop, and the lock may be lost during it, so both are
        asked after it."""
        self._limiter.wait()
        if not self._may_go_on():
            raise _Ended
        if not self._tools.may_write():
            self._end(_FENCED, Reason.NOT_ATTEMPTED)
            raise _Ended

    def _write(self, change: Change, write: Write, before: Snapshot, sent: list[Write]) -> None:
        """One write, tried again only where a read shows that the last try did not happen."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._writing:
                    self._await_turn()
                    sent.append(write)
                    self._platform.write(write)
            except Transient as error:
                happened = proof.happened(change, write, before, self._read(change))
                if happened:
                    return
                if happened is None or not self._tries_again(error, attempt):
                    raise
            else:
                return

    def _tries_again(self, error: Transient, attempt: int) -> bool:
        """The one place that decides on another try within this pass; waits before saying yes."""
        if error.reason is Reason.THROTTLED:
            self._limiter.halve()
        wait_s = 0.25 * 2**attempt if error.retry_after_s is None else error.retry_after_s
        if attempt >= MAX_TRIES or wait_s > MAX_WAIT_S or self._tools.stop():
            return False
        self._tools.sleep(wait_s)
        return not self._tools.stop()

    def _proved(self, change: Change, before: Snapshot) -> Outcome:
        """Applied; confirmed only where a read sees the item as wanted, looking again while a stale read is likely."""
        attempt, again = 0, True
        doubt = PlatformError("", reason=Reason.WRITE_UNCONFIRMED)
        while again:
            attempt += 1
            try:
                after = self._platform.read(change.target)
            except PlatformError as error:
                doubt = error
            else:
                if proof.is_as_wanted(change, before, after):
                    self.readings.append((change.target, after))
                    return replace(_outcome(change, Result.APPLIED), confirmed=True)
                if proof.is_out_of_sight(change, after):
                    self.readings.append((change.target, after))
                    message = "written and accepted; the platform cannot show it"
                    return replace(_outcome(change, Result.APPLIED, message), accepted=True)
                doubt = Transient("written and accepted, but a read does not show it yet")
            again = isinstance(doubt, Transient) and self._tries_again(doubt, attempt)
        outcome = _outcome(change, Result.APPLIED, str(doubt), reason=Reason.WRITE_UNCONFIRMED, code=doubt.code)
        return replace(outcome, not_before=self._tools.clock() + timedelta(seconds=2))


def _batches(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    for start in range(0, len(changes), BATCH):
        yield changes[start : start + BATCH]


def _group(change: Change) -> str | Target:
    """Within what a change can hold up another: the model, or the item where it has none."""
    return change.model or change.target


def _lanes(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes of one level in lanes that may run beside each other: a lane for each endpoint, one for each model itself."""
    lanes: dict[str | Target, list[Change]] = {}
    for change in changes:
        of_endpoint = not kinds.registry()[change.target.kind].account_wide
        lanes.setdefault(change.target if of_endpoint else _group(change), []).append(change)
    return list(lanes.values())


def builds_on(change: Change, earlier: Change) -> bool:
    """Whether `change` makes sense only after `earlier`, on the same model or on the account: the steps of one item build on each
    other, limits and overrides do not, and an activation is what a model's other items stand on, up and down. Itself it waits for
    free-tokens-only, which an activation without it would lose for ever (S10)."""
    if change.target == earlier.target:
        return True
    if not earlier.model:
        return change.target.kind == "ModelActivation" and any(
            f.path == FREE_TOKENS_ONLY and f.after for f in earlier.fields
        )
    return "ModelActivation" in (change.target.kind, earlier.target.kind)
