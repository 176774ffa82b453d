"""Judges a whole plan before its first write: what is likely to be a mistake needs a word from a person.

Pure: a plan and its question in, verdicts out. Nothing here changes the plan or writes. Every guard is armed from the first
object. A verdict with an address concerns that change; one without concerns every revert of what is no longer declared.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from reconciler import isolation
from reconciler.kinds import registry
from reconciler.kinds.declared import DeclarationSet
from reconciler.kinds.inference_limit import TOKENS, forecast
from reconciler.kinds.model_activation import STATE, DesiredState
from reconciler.plan import CONTEST, Action, Change, ChangeReason, Plan, Question, Release, Verdict, VerdictKind
from reconciler.plan.question import protected
from reconciler.state import UNOBSERVABLE, Record, Target


@dataclass(frozen=True, slots=True)
class Allow:
    """A person's word that `guard` may be passed, for one address ("Kind/name"), one kind, or (None) all; with the reason."""

    guard: str
    address: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Worry:
    """What a guard has against a plan. `address` None: against its reverts. `concerns` are all the addresses that must be
    allowed one by one where no one allows the guard as a whole; each with every name it goes by."""

    message: str
    hint: str
    concerns: tuple[frozenset[str], ...]
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: its permanent id, what `explain` prints, and its judgement."""

    id: str
    worries: Callable[[Plan, Question], Iterable[Worry]]

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.worries) or ""


def judge(plan: Plan, question: Question, allows: Iterable[Allow] = ()) -> tuple[Verdict, ...]:
    """Every guard's verdicts on the plan, by guard and address: one "passed" where a guard has nothing against it."""
    allowed = tuple(allows)
    verdicts: list[Verdict] = []
    for guard in GUARDS.values():
        worries = sorted(_worries(guard, plan, question), key=lambda worry: (worry.address or "", worry.message))
        verdicts += [_verdict(guard, worry, allowed) for worry in worries] or [Verdict(guard.id, VerdictKind.PASSED)]
    return tuple(verdicts)


def _worries(guard: Guard, plan: Plan, question: Question) -> Iterator[Worry]:
    """What a guard has against the plan; a change that it fails on is refused, for nobody judged it."""

    def judge(changes: Sequence[Change]) -> list[Worry]:
        return list(guard.worries(replace(plan, changes=tuple(changes)), question))

    worries, unjudged = isolation.in_part(judge, plan.changes)
    yield from worries
    for culprit in unjudged:
        address = culprit.thing.address if culprit.thing else None
        message = f"{guard.id} could not judge {address or 'the plan'}: {culprit.failed}"
        hint = f"{isolation.REPORT} {_hint(guard.id, address or '')}"
        yield Worry(message, hint, (frozenset({address}),) if address else (), address)


def refused(plan: Plan) -> tuple[Verdict, ...]:
    """The verdicts that stop something."""
    return tuple(verdict for verdict in plan.guards if verdict.verdict is VerdictKind.REFUSED)


def stopped(plan: Plan) -> Mapping[tuple[str, Target], Verdict]:
    """The changes that a refused guard stops, by address and target, each with the first verdict that does."""
    found: dict[tuple[str, Target], Verdict] = {}
    for verdict in refused(plan):
        for change in plan.changes:
            if change.address == verdict.address or (verdict.address is None and _is_removal(change)):
                found.setdefault((change.address, change.target), verdict)
    return found


def _verdict(guard: Guard, worry: Worry, allows: tuple[Allow, ...]) -> Verdict:
    mine = [allow for allow in allows if allow.guard == guard.id]
    given = [_allowing(mine, names) for names in worry.concerns] if worry.concerns else [_allowing(mine, frozenset())]
    if all(given):
        reasons = ", ".join(dict.fromkeys(allow.reason for allow in given if allow))
        return Verdict(guard.id, VerdictKind.ALLOWED, worry.address, f"{worry.message}; allowed: {reasons}")
    return Verdict(guard.id, VerdictKind.REFUSED, worry.address, worry.message, worry.hint)


def _allowing(allows: Iterable[Allow], names: frozenset[str]) -> Allow | None:
    kinds = {name.split("/")[0] for name in names}
    return next((a for a in allows if a.address is None or a.address in names or a.address in kinds), None)


def _is_removal(change: Change) -> bool:
    return change.reason is ChangeReason.REMOVED


def _removals(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if _is_removal(change)]


def _names(question: Question, change: Change) -> frozenset[str]:
    """What a person may call the change: its address, and that of the declaration that owned it."""
    return frozenset({change.address, question.record(change.target).owner} - {""})


def _owned(question: Question) -> set[Target]:
    """The items that this declaration set owns."""
    return {target for target, record in question.history.records.items() if question.owns(record)}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _hint(guard: str, address: str = "") -> str:
    scope = f"={address}" if address else ""
    return f'If it is meant: --allow {guard}{scope} --reason "...".'


def _mass_revert(plan: Plan, question: Question) -> Iterator[Worry]:
    """More reverts than the account's guards.maxReverts, by count and by percent of what we own.

    Why: many declarations gone at once are more often a wrong folder or a bad merge than a decision.
    What to do: look at the reverts; if they are meant, allow it with a reason, or raise guards.maxReverts.
    """
    reverts, owned, most = _removals(plan), _owned(question), question.account.spec.guards.max_reverts
    items = {change.target for change in reverts}
    percent = 100 * len(items) / max(len(owned), 1)
    if len(items) > most.count and percent > most.percent:
        yield Worry(
            f"{len(items)} of {_counted(len(owned), 'owned item')} ({percent:.0f} %) would be reverted; "
            f"guards.maxReverts allows {most.count}, or {most.percent} %",
            _hint("mass-revert"),
            tuple(_names(question, change) for change in reverts),
        )


def _kind_wipe(plan: Plan, question: Question) -> Iterator[Worry]:
    """Every owned item of one kind would be reverted, though it be only one.

    Why: the last declaration of a kind rarely goes on purpose; a renamed folder looks just like it.
    What to do: look at the reverts; if the kind is really given up, allow it with a reason.
    """
    deleting = {resource.address for resource in question.declared.resources if resource.deleting}
    reverts = [c for c in _removals(plan) if question.record(c.target).owner not in deleting]
    for kind in sorted({change.target.kind for change in reverts}):
        wiped = [change for change in reverts if change.target.kind == kind]
        owned = {target for target in _owned(question) if target.kind == kind}
        if owned <= {change.target for change in wiped} and not _still_declared(question, kind):
            yield Worry(
                f"every {kind} that we own would be reverted ({_counted(len(owned), 'item')}), and none is declared",
                _hint("kind-wipe", kind),
                tuple(_names(question, change) for change in wiped),
            )


def _still_declared(question: Question, kind: str) -> bool:
    return any(resource.kind == kind for resource in question.governing)


def _source_empty(plan: Plan, question: Question) -> Iterator[Worry]:
    """Nothing at all is declared, while we own items that would be reverted or released; or nothing under one of the PATHs, while we
    own items that were declared there.

    Why: an empty folder is more often a wrong path, a submodule that is not fetched or a volume that is not mounted than a
    decision to give everything up.
    What to do: check the PATHs; if it is meant, allow it with a reason.
    """
    leaving = _leaving(plan)
    policies = (resource for resource in question.declared.resources if resource.kind in _POLICIES)
    if leaving and not any(policies):
        yield Worry(
            f"no policy is declared under this run's paths, while we own {_counted(len(_owned(question)), 'item')}",
            _hint("source-empty"),
            (),
        )
        return
    for base in question.empty:
        yield from _emptied(plan, question, replace(question.declaration_set, under=(base,)))


def _emptied(plan: Plan, question: Question, path: DeclarationSet) -> Iterator[Worry]:
    """What is against a plan where nothing is declared under one PATH: each item from there that leaves, else the PATH itself."""
    records = question.history.records
    mine = {target for target, each in records.items() if question.covers(each) and path.covers(each.source)}
    where = f"nothing is declared under {path.under[0]}, from which we own {_counted(len(mine), 'item')}"
    leaving = {change.target: _names(question, change) for change in _removals(plan)}
    leaving |= {
        each.target: frozenset({each.address, records[each.target].owner}) for each in plan.releases if each.ends
    }
    for target in sorted(mine & leaving.keys()):
        address = f"{target.kind}/{target.name}"
        yield Worry(f"{where}; {address} would go", _hint("source-empty", address), (leaving[target],), address)
    if mine and not mine & leaving.keys():
        yield Worry(where, _hint("source-empty"), ())


def keeps(plan: Plan, release: Release) -> bool:
    """Whether an item stays ours although its release was planned: it may only look undeclared."""
    return any(each.id == "source-empty" and each.address in (None, release.address) for each in refused(plan))


_POLICIES: Final = ("EndpointRateOverride", "InferenceLimit", "ModelActivation")


def _source_incomplete(plan: Plan, question: Question) -> Iterator[Worry]:
    """Something could not be read, so what looks undeclared may only be unreadable.

    Why: broken is not absent. Nothing is reverted in such a pass; with --prune that is said here rather than passed over.
    What to do: make everything readable and run again. Allowing this guard reverts nothing by itself.
    """
    left = [release for release in plan.releases if not release.ends]
    if not question.declared.complete and (_removals(plan) or (question.prune and left)):
        yield Worry(
            "something could not be read, so what nothing declares may only be unreadable: nothing is pruned",
            "Make every file under this run's paths readable and run again.",
            (),
        )


def _protected(plan: Plan, question: Question) -> Iterator[Worry]:
    """A protected item would be reverted.

    Why: `modelpolicy.dev/protect: "true"` on a resource is remembered, so that deleting the document does not lift it.
    What to do: declare it again, take the annotation off in one run and the document away in the next, or allow it.
    """
    deleting = {resource.address: resource for resource in question.declared.resources if resource.deleting}
    for change in _removals(plan):
        record = question.record(change.target)
        going = deleting.get(record.owner)  # while it is there, it speaks for itself
        if record.protected if going is None else protected(going):
            yield Worry(
                f"{change.address} is protected and would be reverted",
                _hint("protected", change.address),
                (_names(question, change),),
                change.address,
            )


def _foreign_owner(plan: Plan, question: Question) -> Iterator[Worry]:
    """A change would take over an item that another declaration owns: of another declaration set, or of this one but outside
    of this run's paths.

    Why: two sets that declare one item undo each other for ever. A set owns an item until it prunes or releases it.
    What to do: keep one of the declarations. To hand the item over, take it out of the set that owns it and run
    `modelpolicy release` there; to take it without that, allow it for this address with a reason.
    """
    for change in plan.changes:
        record = question.record(change.target)
        foreign = (
            not _is_removal(change) and bool(record.owner) and _belongs_elsewhere(question, record, change.address)
        )
        if foreign:
            yield Worry(
                f"{change.address} would change an item that {_owner_of(question, record)}",
                f"Keep one of the two declarations; the other set lets go of the item by modelpolicy release {record.owner}. "
                + _hint("foreign-owner", change.address),
                (frozenset({change.address}),),
                change.address,
            )


def _belongs_elsewhere(question: Question, record: Record, address: str) -> bool:
    if not question.owns(record):
        return True
    if record.owner in (address, *question.claims) or question.claims_unset(record):
        return False
    return bool(record.source) and not question.covers(record)


def _owner_of(question: Question, record: Record) -> str:
    """Who owns the item, and how that set and this one are called."""
    where = f"{record.owner} in {record.source or 'an unknown place'}"
    mine = question.declaration_set.name
    if record.set_name == mine:
        return f"{where} owns, which is not under this run's paths"
    if not record.set_name:
        return f"{where} owns since before declaration sets had names; this run is of set {mine}"
    return f"{where} of set {record.set_name} owns; this run is of set {mine}"


def _limit_below_use(plan: Plan, question: Question) -> Iterator[Worry]:
    """A limit would be reached sooner than guards.minHoursToLimit at the recent hourly use; the platform then pauses the model.

    Why: a limit below what a model uses is an outage with a date (S17).
    What to do: raise tokens; if the pause is meant, allow it. guards.minHoursToLimit: 0 turns this guard off.
    """
    hours = question.account.spec.guards.min_hours_to_limit
    for change in plan.changes:
        model = question.snapshot.models.get(change.model) if question.snapshot else None
        tokens = next((field.after for field in change.fields if field.path == TOKENS), None)
        if change.target.kind != "InferenceLimit" or model is None or not isinstance(tokens, int):
            continue
        foreseen = forecast(model, tokens, question.now)
        if foreseen is not None and tokens < foreseen.rate * hours:
            yield Worry(
                f"{change.address} would set {tokens:,} tokens, which {change.model} uses up in {foreseen} at "
                f"{foreseen.rate:,} tokens an hour; guards.minHoursToLimit is {hours}",
                _hint("limit-below-use", change.address),
                (_names(question, change),),
                change.address,
            )


def _contested(plan: Plan, question: Question) -> Iterator[Worry]:
    """An item would be written over drift again, though that was done twice within a week already.

    Why: it is changed by two sides that do not know of each other: a person and this program, or two ledgers on one account.
    Writing again would go on for ever.
    What to do: find who changes it (the platform's audit log has it), keep one declaration, or allow it for this address.
    """
    for change in plan.changes:
        record = question.record(change.target)
        latest = [moment for moment in record.corrections if moment > question.now - CONTEST]
        if change.reason is ChangeReason.DRIFT and len(latest) > 1:
            yield Worry(
                f"{change.address} was changed back {_counted(len(latest) + 1, 'time')} since "
                f"{min(latest):%Y-%m-%d %H:%M} UTC: two sides write to this item",
                f"Find the other side and keep one of the two. {_hint('contested', change.address)}",
                (frozenset({change.address}),),
                change.address,
            )


def _consent(plan: Plan, question: Question) -> Iterator[Worry]:
    """A model would be activated on an account that does not say allowActivation: true.

    Why: activating is a consent to pay: once the free tokens are used up, every token is billed.
    What to do: set spec.allowActivation: true on the PlatformAccount, or allow this one activation with a reason.
    """
    for change in plan.changes if not question.account.spec.may_activate else ():
        activates = any(f.path == STATE and f.after == DesiredState.ACTIVATED.value for f in change.fields)
        if activates and change.target.kind == "ModelActivation":
            yield Worry(
                f"{change.address} would be activated, and PlatformAccount/{question.account.name} does not say "
                "allowActivation: true",
                f"Set spec.allowActivation: true there. {_hint('consent', change.address)}",
                (_names(question, change),),
                change.address,
            )


def _irreversible(plan: Plan, question: Question) -> Iterator[Worry]:
    """A change could never be set back: free-tokens-only would be switched off, which is for ever.

    Why: an account whose free-tokens-only mode (安心体验模式) was switched off can never switch it on again (S10). Judged where the
    live value is seen; where it is not, a person does it by hand, and the step says that it is for ever.
    What to do: leave freeTokensOnly as it is; if it is meant, allow it with a reason.
    """
    for change in plan.changes:
        kind = registry()[change.target.kind]
        seen = (field for field in change.fields if field.before is not UNOBSERVABLE and field.before is not None)
        why = next((why for field in seen if (why := kind.irreversible(field.path, field.after))), "")
        if why:
            yield Worry(
                f"{change.address}: {why}",
                _hint("irreversible", change.address),
                (_names(question, change),),
                change.address,
            )


def _leaving(plan: Plan) -> bool:
    """Whether anything stops being ours in this plan."""
    return any(change.action is Action.REVERT and _is_removal(change) for change in plan.changes) or any(
        release.ends for release in plan.releases
    )


GUARDS: Final[Mapping[str, Guard]] = MappingProxyType(
    {
        guard.id: guard
        for guard in (
            Guard("consent", _consent),
            Guard("contested", _contested),
            Guard("foreign-owner", _foreign_owner),
            Guard("irreversible", _irreversible),
            Guard("kind-wipe", _kind_wipe),
            Guard("limit-below-use", _limit_below_use),
            Guard("mass-revert", _mass_revert),
            Guard("protected", _protected),
            Guard("source-empty", _source_empty),
            Guard("source-incomplete", _source_incomplete),
        )
    }
)
