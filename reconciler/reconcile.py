"""One pass over one account: load -> check -> observe -> plan -> guard -> apply -> report.

It is where strangers meet: rules, plan, guards and status get values; apply gets its journal, its fence and its pace. It does
not print, parse arguments or read a clock: `now` and every other hold on the world are passed in. `look`
holds a reader that has no write, only `act` writes.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from reconciler import (
    apply,
    guards,
    holding,
    isolation,
    ledger,
    moments,
    platforms,
    proof,
    records,
    rules,
    staleness,
    status,
)
from reconciler import plan as planning
from reconciler.check import set_findings
from reconciler.errors import LedgerError, Overtaken, Permanent, PlanSpent, PlatformError
from reconciler.finding import Finding, errors, in_order
from reconciler.identity import Identity, Match, compare, remembered
from reconciler.kinds import Resource
from reconciler.kinds.declared import IMPLIED, NO_SET, DeclarationSet, Declared
from reconciler.kinds.platform_account import PlatformAccountSpec, PlatformName, Writes
from reconciler.observing import Seen, observe
from reconciler.pen import NoPen, Pen, recovered, result_word, run_id
from reconciler.plan import Change, Plan, Question, Wait
from reconciler.platforms import Connection, Credentials, Platform, Reader, ReadOnly, Unreachable
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import (
    Failure,
    History,
    Operation,
    Outcome,
    Record,
    Run,
    Snapshot,
    Support,
    Target,
)
from reconciler.status import ResourceStatus, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one pass is asked: `account` is a key of `everything.accounts`; `targets` are "Kind" or "Kind/name" of `--target`;
    `declaration_set` is whose declarations these are;
    `allows` are the guards that a person waved through; `keep_going`: only what an error or a refused guard affects waits;
    `waits` leaves an item alone until then while what is wanted of it has that fingerprint: the back-off of a loop; `settle` makes
    what a loop has to see twice wait, given what is planned and seen; `step` is
    entered with its name around each step of the pass: observe, plan, guard, apply; `standing` False: nobody is going to be
    told how each resource stands, so `look` does not judge it; `identities` are the platform's own ids of other accounts, as
    far as they were seen."""

    account: str
    everything: Declared
    load_findings: tuple[Finding, ...] = ()
    targets: tuple[str, ...] = ()
    prune: bool = False
    declaration_set: DeclarationSet = NO_SET
    allows: tuple[guards.Allow, ...] = ()
    keep_going: bool = False
    waits: Mapping[tuple[Target, str], Wait] = field(default_factory=dict)
    settle: Callable[[Plan, Snapshot], Plan] = lambda plan, _: plan
    step: Callable[[str], AbstractContextManager[object]] = contextlib.nullcontext
    standing: bool = True
    identities: Mapping[str, Identity] = field(default_factory=dict)

    @property
    def resource(self) -> Resource[PlatformAccountSpec]:
        """The account's own declaration."""
        return self.everything.accounts[self.account]

    @property
    def declared(self) -> Declared:
        """What is declared for this account."""
        return self.everything.for_account(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts, why, and every hold on the world that acting needs. `stop` turns True when what is in flight is to be the last;
    `sleep` returns early then; `may_write` is a fence beside the ledger's own lock; `progress` hears each outcome once it is
    journaled; `plan` is the content digest of a saved plan; `link` leads to the CI job that acts; `lease` is the account's lock
    where the caller already holds it, as a loop does from pass to pass; `moved` says whether the declarations are no longer what
    was planned on, and is asked before what lowers or takes back."""

    operation: str
    actor: str
    revision: str = ""
    link: str = ""
    reason: str = ""
    plan: str = ""
    wait_s: float = 0.0
    clock: Callable[[], datetime]
    stop: Callable[[], bool]
    sleep: Callable[[float], object]
    progress: Callable[[Outcome], None]
    may_write: Callable[[], bool] = lambda: True
    lease: ledger.Lease | None = None
    moved: Callable[[], str] = lambda: ""
    waited: Callable[[float], None] = lambda *_: None


def look(
    asked: Asked, reader: Reader, history: History, previous: Mapping[str, ResourceStatus], now: datetime
) -> Report:
    """Observe, check, plan and judge; writes nothing anywhere. A failure of the world is in `Report.failures`, never raised."""
    with asked.step("observe"):
        seen = observe(asked.declared, history, reader, now, prune=asked.prune)
    snapshot, capabilities, failures = seen.snapshot, seen.capabilities, seen.failures
    history = _of_account(history, snapshot)
    ahead, history = moments.ahead(history, now), moments.counting(history, now)
    if snapshot is not None:  # a killed run may have done more than it journaled
        history = records.with_found(history, records.recovered(history, snapshot))
        history = records.with_records(
            history, records.by_word(asked.declared, snapshot, history, asked.declaration_set, now)
        )
    with asked.step("plan"):
        findings = _findings(asked, seen, history, ahead, now)
        question = _question(asked, snapshot, history, capabilities, findings, now)
        plan = planning.patient(replace(planning.make(question), errors=failures), asked.waits)
        plan = asked.settle(plan, snapshot) if snapshot is not None else plan
        if (
            snapshot is not None and plan.findings != findings
        ):  # what no plan could be made for is as broken as by a rule
            findings, question = plan.findings, replace(question, findings=plan.findings)
    with asked.step("guard"):
        plan = replace(plan, guards=guards.judge(plan, question, asked.allows))
    report = Report(
        account=asked.resource,
        declared=asked.declared,
        started_at=now,
        finished_at=now,
        plan=plan,
        snapshot=snapshot,
        findings=findings,
        failures=failures,
        capabilities=capabilities,
        targets=asked.targets,
    )
    return judged(report, history, previous, now) if asked.standing else report


def _of_account(history: History, snapshot: Snapshot | None) -> History:
    """The history, without what is remembered where it is of another account of the platform than was seen."""
    if snapshot is None or compare(history.identity, snapshot.identity) is not Match.CHANGED:
        return history
    return History(exists=history.exists, identity=history.identity)


def previous_statuses(store: ledger.Ledger, account: str, set_name: str = "") -> Mapping[str, ResourceStatus]:
    """The statuses that the set last published, by address. Read-only."""
    kept = store.statuses(account, set_name)
    try:
        return {address: status.from_json(written) for address, written in kept.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise LedgerError(f"the ledger is damaged, a status cannot be read back; {ledger.WAY_BACK}") from error


def act(report: Report, asked: Asked, platform: Platform, store: ledger.Ledger, acting: Acting) -> Report:
    """Carry out what may be carried out of `report.plan`, and remember it. Holds the account's lock for as long as it
    writes; raises `LedgerError`, `LockHeld` where another run has the lock, `Overtaken` where `moved` says so.

    Nothing is written while there is an error finding or a refused guard, unless `asked.keep_going`. Where nothing is to be
    written or remembered, the ledger is not written either.
    """
    if report.snapshot is None or refuses(report, asked):
        return report
    if planning.to_stand(report.plan, report.snapshot) and (why := acting.moved()):
        raise Overtaken(why)
    held = holding.held(report.plan)
    due = tuple(change for change in report.plan.changes if change not in held)
    history = _of_account(store.history(asked.account), report.snapshot)
    if not _is_a_run(report, asked, history, due, acting):
        applied = apply.carry_out(replace(report.plan, changes=due), platform, _tools(NoPen(), asked, acting, None))
        if seen := _to_remember(report, _asked_again(report, asked, history, acting.clock()), asked):
            with _lock(asked, store, acting):
                store.remember(asked.account, seen)
        _bind(asked, store, history, report.snapshot)
        return _published(_finished(report, applied, held, acting.clock()), asked, store, history)
    with _lock(asked, store, acting) as lease:
        _unspent(store, acting)
        now = acting.clock()
        question = _under_lock(report, asked, store, now)
        run = _run(asked, acting, now)
        pen = Pen(store.begin(run), question)
        late = staleness.overtaken(due, _with_words(question, asked))
        due = tuple(staleness.postponed(change, question) for change in due if change not in late)
        with asked.step("apply"):
            applied = apply.carry_out(replace(report.plan, changes=due), platform, _tools(pen, asked, acting, lease))
        done = _finished(replace(report, run=run.id), applied, {**held, **late}, acting.clock())
        if not applied.trouble:  # else the lock may be another's, or the ledger full
            store.remember(asked.account, _to_remember(report, question, asked))
            _bind(asked, store, question.history, report.snapshot)
        with contextlib.suppress(*((LedgerError,) if applied.trouble else ())):
            store.finish(run.id, result_word(done), done.finished_at)
    return _published(done, asked, store, history)


def _bind(asked: Asked, store: ledger.Ledger, history: History, snapshot: Snapshot) -> None:
    """Remember whose the account is, once something is remembered of it and nothing contradicts that it is the same."""
    seen = snapshot.identity
    if seen is None or compare(history.identity, seen) is not Match.SAME:
        return
    known = remembered(history.identity, seen)
    if known != history.identity and store.history(asked.account).exists:
        store.bind(asked.account, known)


def _unspent(store: ledger.Ledger, acting: Acting) -> None:
    """Asked under the lock, so that of two who carry out one saved plan only one does."""
    run = store.spent(acting.plan) if acting.plan else None
    if run is not None:
        raise PlanSpent(f"the saved plan was carried out by run {run.id} of {run.actor}; a plan works once")


def _lock(asked: Asked, store: ledger.Ledger, acting: Acting) -> AbstractContextManager[ledger.Lease]:
    if acting.lease is not None:
        return contextlib.nullcontext(acting.lease)
    return store.lock(asked.account, acting.operation, wait_s=acting.wait_s)


def refuses(report: Report, asked: Asked) -> bool:
    """Whether nothing at all may be written: an error finding or a refused guard, and no word to keep going."""
    return not asked.keep_going and bool(errors(report.relevant) or guards.refused(report.plan))


def missing(account: Resource[PlatformAccountSpec]) -> str:
    """Why there is no such account, "" where there is one: none is declared, and nobody made an embedded platform here. An
    account that is only implied is never made by writing to it."""
    if account != IMPLIED or platforms.is_there(account.spec):
        return ""
    return (
        f"no PlatformAccount is declared at these PATHs, and there is no embedded platform at {account.spec.embedded.path}: name "
        "the folder that declares the account as well, declare one (`modelpolicy explain PlatformAccount`), or make an embedded "
        "platform to try with: `modelpolicy platform seed`"
    )


def connect(
    account: Resource[PlatformAccountSpec], connection: Connection, key: Callable[[], Credentials] | None = None
) -> Platform:
    """The account's platform, to be written to. What cannot be opened, or whose `key` cannot be read, answers every call with
    the reason; so does an account that is only implied and that nobody made."""
    if why := missing(account):
        return Unreachable(Permanent(why, reason=Reason.TARGET_NOT_FOUND))
    return _opened(account, connection, key)


def connect_reader(account: Resource[PlatformAccountSpec], connection: Connection) -> Reader:
    """The account's platform as a type that cannot write; nothing is created, not even a local file."""
    return ReadOnly(_opened(account, replace(connection, create=False)))


def _opened(
    account: Resource[PlatformAccountSpec], connection: Connection, key: Callable[[], Credentials] | None = None
) -> Platform:
    try:
        return platforms.connect(account.spec, replace(connection, credentials=key()) if key else connection)
    except PlatformError as error:
        return Unreachable(error)


# Check and observe.


def _findings(
    asked: Asked, seen: Seen, history: History, ahead: tuple[Record, ...], now: datetime
) -> tuple[Finding, ...]:
    """Loading's, the whole set's and this account's findings, the last with what was observed. `ahead` are records as they
    are in the ledger where a moment in them is still to come."""
    snapshot = seen.snapshot
    mine = {asked.account: snapshot.identity} if snapshot is not None and snapshot.identity else {}
    context = rules.Context(
        account=asked.resource,
        declared=asked.declared,
        everything=asked.everything,
        now=now,
        snapshot=snapshot,
        history=history,
        capabilities=seen.capabilities,
        ahead=ahead,
        identities={**asked.identities, **mine},
    )
    return in_order(isolation.once([*asked.load_findings, *set_findings(asked.everything, now), *rules.check(context)]))


# Plan and guard.


def _question(  # a plan is asked for with all that is known
    asked: Asked, snapshot: Snapshot | None, history: History, capabilities: Mapping[Operation, Support],
    findings: tuple[Finding, ...], now: datetime,
) -> Question:  # fmt: skip
    return Question(
        account=asked.resource,
        declared=asked.declared,
        snapshot=snapshot,
        history=history,
        capabilities=capabilities,
        findings=findings,
        now=now,
        inputs_digest=_inputs_digest(asked),
        prune=asked.prune,
        declaration_set=asked.declaration_set,
        targets=asked.targets,
        empty=_empty(asked.everything, asked.declaration_set),
    )


def _empty(everything: Declared, mine: DeclarationSet) -> tuple[str, ...]:
    """The PATHs of this run under which there is no document of ours, understood or held."""
    files = {each.origin.file for each in everything.resources} | {each.location.file for each in everything.held}
    sources = tuple(map(mine.source, files))
    paths = (replace(mine, under=(base,)) for base in mine.under)
    return tuple(each.under[0] for each in paths if not any(map(each.covers, sources)))


def _inputs_digest(asked: Asked) -> str:
    """The digest of everything this pass was asked with: the same files and flags, the same digest."""
    mine = asked.declaration_set
    question = [
        sorted(asked.everything.sources), sorted(asked.targets), asked.prune, sorted(mine.under), mine.name
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(question, separators=(",", ":")).encode()).hexdigest()


# Apply and remember.

PACE: Final = Writes()


def _tools(pen: apply.Pen, asked: Asked, acting: Acting, lease: ledger.Lease | None) -> apply.Tools:
    spec = asked.resource.spec
    writes = spec.writes or (None if spec.platform is PlatformName.EMBEDDED else PACE)
    return apply.Tools(
        journal=pen,
        may_write=lambda: lease is not None and lease.held() and acting.may_write(),
        stop=acting.stop,
        clock=acting.clock,
        sleep=acting.sleep,
        progress=acting.progress,
        pace=apply.Pace(writes.concurrency, writes.per_second) if writes else None,
        waited=acting.waited,
    )


def _is_a_run(report: Report, asked: Asked, history: History, due: Sequence[Change], acting: Acting) -> bool:
    """Whether there is something to journal: a write, or another owner. That an item was seen equal once more is not."""
    now = acting.clock()
    writes = any(planning.kind_of(each, now) not in ("manual", "deferred") for each in due)
    if acting.plan or history.pending or moments.ahead(history, now) or writes:
        return True
    known = history.records
    return any(
        each.target not in known or replace(known[each.target], equal_at=each.equal_at) != each
        for each in _to_remember(report, _asked_again(report, asked, history, now), asked)
    )


def _asked_again(report: Report, asked: Asked, history: History, now: datetime) -> Question:
    """The report's question with another history."""
    return _question(asked, report.snapshot, history, report.capabilities, report.findings, now)


def _under_lock(report: Report, asked: Asked, store: ledger.Ledger, now: datetime) -> Question:
    """The question with the history as it is now that nobody else writes it, after settling what killed runs left open and
    putting right what a wrong clock wrote."""
    known = _of_account(store.history(asked.account), report.snapshot)
    if wrong := moments.ahead(known, now):
        store.remember(asked.account, [moments.counted(record, now) for record in wrong])
    history = moments.counting(known, now)
    if history.pending and report.snapshot is not None:
        found = records.recovered(history, report.snapshot)
        store.recover(asked.account, map(recovered, found), now)
        history = records.with_found(history, found)
    return _asked_again(report, asked, history, now)


def _with_words(question: Question, asked: Asked) -> Question:
    """The question with what people attested since, as `look` judged it."""
    history = question.history
    said = records.by_word(asked.declared, question.snapshot, history, asked.declaration_set, question.now)
    return replace(question, history=records.with_records(history, said))


def _to_remember(report: Report, question: Question, asked: Asked) -> tuple[Record, ...]:
    """What is remembered without a write: items seen equal, attestations at their end, and items that are ours no longer."""
    declared, history = question.declared, question.history
    over = tuple(records.by_word(declared, report.snapshot, history, asked.declaration_set, question.now))
    question = _with_words(question, asked)
    changed = frozenset(change.target for change in report.plan.changes)
    equal = records.seen_equal(question, changed)
    known = question.history.records
    ends = (each for each in report.plan.releases if each.ends and not guards.keeps(report.plan, each))
    ended = (known[release.target] for release in ends if release.target in known)
    return (*over, *equal, *(records.released(record) for record in ended if question.owns(record)))


def _run(asked: Asked, acting: Acting, now: datetime) -> Run:
    """The journal's head of this run; a guard that was waved through is on record with its reason."""
    allowed = [
        f"allow {each.guard}{f'={each.address}' if each.address else ''}: {each.reason}" for each in asked.allows
    ]
    return Run(
        id=run_id(now),
        account=asked.account,
        operation=acting.operation,
        actor=acting.actor,
        revision=acting.revision,
        reason="; ".join(filter(None, [acting.reason, *allowed])),
        plan=acting.plan,
        link=acting.link,
        set_name=asked.declaration_set.name,
        started_at=now,
    )


# Report.


def _finished(report: Report, applied: apply.Applied, held: Mapping[Change, Outcome], now: datetime) -> Report:
    """The report with what became of each change, in the plan's order, and what was read back."""
    done = iter(applied.outcomes)
    outcomes = tuple(held[change] if change in held else next(done) for change in report.plan.changes)
    trouble = (Failure(applied.trouble, Reason.NOT_ATTEMPTED),) if applied.trouble else ()
    return replace(
        report,
        finished_at=now,
        outcomes=outcomes,
        snapshot=proof.laid_over(report.snapshot, applied.readings) if report.snapshot else None,
        failures=report.failures + trouble,
        interrupted=applied.interrupted,
    )


def judged(report: Report, history: History, previous: Mapping[str, ResourceStatus], now: datetime) -> Report:
    """The report with how every resource stands, and when looking again is worth it."""
    standing = Standing(
        account=report.account, declared=report.declared, plan=report.plan, now=now, findings=report.findings,
        outcomes=report.outcomes, failures=report.failures, snapshot=report.snapshot, history=history,
        previous=previous, capabilities=report.capabilities,
    )  # fmt: skip
    failed: list[Finding] = []
    statuses = status.judge(standing, failed.append)
    findings = in_order((*report.findings, *failed)) if failed else report.findings
    return replace(report, statuses=statuses, findings=findings, next_wake=status.next_wake(standing, statuses))


def _published(report: Report, asked: Asked, store: ledger.Ledger, before: History) -> Report:
    """The report judged after what was done; its statuses are kept where their meaning changed. Where the ledger failed while
    that was done, what was done is still told."""
    try:
        mine = asked.declaration_set.name
        previous, history = previous_statuses(store, asked.account, mine), store.history(asked.account)
        done = judged(report, history, previous, report.finished_at)
        store.publish(asked.account, {each.address: status.to_json(each) for each in done.statuses}, mine)
    except LedgerError:
        if not report.failures:
            raise
        return judged(report, before, {each.address: each for each in report.statuses}, report.finished_at)
    return done
