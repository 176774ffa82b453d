"""Hands items over: the ledger forgets who owns them, and the platform keeps them as they are.

Writes the ledger only. It asks for no lock: a watcher that leads the account looks into the ledger on its next look. A set
that still declares an item would claim it again at once, so releasing what the given PATHs declare is refused.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler import records
from reconciler.errors import ModelPolicyError
from reconciler.kinds.declared import DeclarationSet, Declared
from reconciler.ledger import Intent, Ledger, Settlement
from reconciler.pen import run_id
from reconciler.plan import Action, Change, ChangeReason
from reconciler.plan.removal import address_of
from reconciler.state import Capability, Outcome, Record, Result, Run

OPERATION: Final = "release"
RELEASED: Final = "released"


class CannotRelease(ModelPolicyError):
    """An item cannot be handed over; says why and what to do instead. `unknown`: nothing is owned by that name."""

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is handed over, by whom and why: `addresses` name items by their owner or by Kind/target."""

    addresses: tuple[str, ...]
    declaration_set: DeclarationSet
    actor: str
    reason: str
    revision: str
    link: str
    now: datetime


def release(account: str, declared: Declared, wanted: Handover, store: Ledger) -> tuple[Record, ...]:
    """Forget who owns the items, and journal it. Returns what was remembered of them. Raises CannotRelease, and then nothing
    was forgotten."""
    known = store.history(account).records
    asked = (_found(account, address, known.values(), wanted.declaration_set) for address in wanted.addresses)
    found = tuple({record.target: record for record in asked}.values())  # one item may have been named twice
    declaring = {each.address for each in declared.resources}
    for record in found:
        if record.owner in declaring:
            raise CannotRelease(
                f"{record.owner} is still declared here, so the next run would claim its item again: take it out of the files first"
            )
    for record in found:
        _forget(account, record, wanted, store)
    return found


def _found(account: str, address: str, known: Iterable[Record], mine: DeclarationSet) -> Record:
    owned = [record for record in known if record.owner]
    named = [each for each in owned if address in (each.owner, address_of(each.target))]
    ours = [each for each in named if each.set_name in ("", mine.name)]
    if ours:
        return ours[0]
    if named:
        raise CannotRelease(
            f"{address} is owned by set {named[0].set_name}, and this run is of set {mine.name}: release it there, "
            f"or say --set {named[0].set_name}"
        )
    names = sorted({name for each in owned for name in (each.owner, address_of(each.target))})
    near = difflib.get_close_matches(address, names, n=1)
    hint = f"did you mean {near[0]}?" if near else "`modelpolicy plan` shows what is owned and declared no more"
    raise CannotRelease(f"nothing owns an item called {address} on account {account}: {hint}", unknown=True)


def _forget(account: str, record: Record, wanted: Handover, store: Ledger) -> None:
    change = Change(
        address=record.owner, target=record.target, action=Action.UPDATE, reason=ChangeReason.REMOVED,
        capability=Capability.MANUAL,
    )  # fmt: skip
    of_set = f" of set {record.set_name}" if record.set_name else ""
    message = f"{RELEASED}: kept on the platform, no longer managed by {record.owner}{of_set}"
    run = Run(
        id=run_id(wanted.now), account=account, operation=OPERATION, actor=wanted.actor, revision=wanted.revision,
        reason=wanted.reason, set_name=wanted.declaration_set.name, link=wanted.link,
        started_at=wanted.now, finished_at=wanted.now, result=RELEASED,
    )  # fmt: skip
    after = records.released(record)
    outcome = Outcome(record.owner, record.target, Result.SKIPPED, message)
    store.note(run, Intent(change, dict(record.applied or {}), after), Settlement(change, outcome, after))
