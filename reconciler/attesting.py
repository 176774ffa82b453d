"""A person says that they did what the platform has no action for and cannot show; the ledger keeps who, what and when.

Writes the ledger only, never the platform, and only where the platform does not show otherwise. It asks for no lock: a watcher
that leads the account looks into the ledger on its next look, and a person need not stop it to be heard.
"""

import difflib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler import records
from reconciler.errors import ModelPolicyError
from reconciler.kinds import Resource, registry
from reconciler.ledger import Intent, Ledger, Settlement
from reconciler.pen import run_id
from reconciler.plan import Action, Change, ChangeReason, FieldChange
from reconciler.platforms import Reader
from reconciler.reconcile import Asked
from reconciler.state import (
    UNOBSERVABLE,
    Attestation,
    Capability,
    Fields,
    Outcome,
    Record,
    Result,
    Run,
    Target,
    Unobservable,
)


class CannotAttest(ModelPolicyError):
    """There is nothing that a person could attest here; says why and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Whose word on what and when: the resource's address, the person, who keeps the journal for them, and in which CI job."""

    address: str
    by: str
    actor: str
    revision: str
    link: str = ""
    now: datetime


def attest(asked: Asked, word: Word, reader: Reader, store: Ledger) -> Record:
    """Remember that the declared, unseen fields of the resource are as declared, and journal it. Raises CannotAttest."""
    resource = _resource(asked, word.address)
    target, fields = _unseen(resource, reader, word.now)
    before = store.history(asked.account).records.get(target)
    if before is not None and not records.may_attest(before, resource, asked.declaration_set):
        of_set = f" of set {before.set_name}" if before.set_name else ""
        raise CannotAttest(f"{word.address}: {before.owner}{of_set} owns the item; release it there first")
    claim = records.claimed(resource, target, asked.declaration_set)
    renewal = registry()[resource.kind].renewal(resource)
    record = records.attested(claim, before, Attestation(fields, word.by, word.now), renewal)
    change = Change(
        address=resource.address, target=target, action=Action.UPDATE, reason=ChangeReason.DECLARED,
        capability=Capability.MANUAL,
        fields=tuple(FieldChange(path, UNOBSERVABLE, value) for path, value in sorted(fields.items())),
    )  # fmt: skip
    outcome = Outcome(resource.address, target, Result.MANUAL, f"attested by {word.by}; the platform cannot show it")
    run = Run(
        id=run_id(word.now), account=asked.account, operation="attest", actor=word.actor, revision=word.revision, link=word.link,
        reason=f"{resource.address} was done by {word.by}",
        started_at=word.now, finished_at=word.now, result="attested",
    )  # fmt: skip
    store.note(run, Intent(change, dict.fromkeys(fields, UNOBSERVABLE), record), Settlement(change, outcome, record))
    return record


def _resource(asked: Asked, address: str) -> Resource[Any]:
    known = {each.address: each for each in asked.declared.resources if registry()[each.kind].governs}
    if address in known:
        return known[address]
    near = difflib.get_close_matches(address, sorted(known), n=1)
    hint = f"did you mean {near[0]}?" if near else "name a resource as Kind/name, as the plan does"
    raise CannotAttest(f"{address} is not declared for account {asked.account}: {hint}")


def _unseen(resource: Resource[Any], reader: Reader, now: datetime) -> tuple[Target, Fields]:
    """The item, and its declared fields that the platform cannot show."""
    kind = registry()[resource.kind]
    snapshot = reader.observe(frozenset())
    target = kind.target(resource, snapshot)
    if target is None or not kind.exists(snapshot, target):
        unproven = snapshot.absence_unproven(kind.listing)
        missing = (
            f"it is not known whether the platform has it: {unproven}"
            if unproven
            else "the platform has no such model or endpoint"
        )
        raise CannotAttest(f"{resource.address}: {missing}")
    live, wanted = kind.live(snapshot, target), kind.desired(resource, now)
    for path in sorted(wanted):
        value = live[path]
        if not isinstance(value, Unobservable) and value != wanted[path]:
            raise CannotAttest(
                f"{resource.address}: the platform shows {path} {_said(value)} where {_said(wanted[path])} is declared, so it "
                "is not done yet"
            )
    hidden = {path: value for path, value in wanted.items() if live[path] is UNOBSERVABLE}
    if not hidden:
        raise CannotAttest(f"{resource.address}: the platform itself shows it as declared; nothing is left to attest")
    return target, hidden


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
