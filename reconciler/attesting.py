"""A person says that they did what the platform has no action for and cannot show; the ledger keeps who, what and when.

Writes the ledger only, never the platform, and only where the platform does not show otherwise.
"""

import difflib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler import records
from reconciler.errors import ModelPolicyError
from reconciler.kinds import Resource, registry
from reconciler.ledger import Ledger
from reconciler.platforms import Reader
from reconciler.reconcile import Asked
from reconciler.state import UNOBSERVABLE, Attestation, Fields, Record, Target, Unobservable

LOCK_WAIT_S = 5.0


class CannotAttest(ModelPolicyError):
    """There is nothing that a person could attest here; says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word on what: the resource's address, the person, and the time of the pass."""

    address: str
    by: str
    now: datetime


def attest(asked: Asked, word: Word, reader: Reader, store: Ledger) -> Record:
    """Remember that the declared, unseen fields of the resource are as declared. Raises CannotAttest."""
    resource = _resource(asked, word.address)
    target, fields = _unseen(resource, reader, word.now)
    with store.lock(asked.account, "attest", wait_s=LOCK_WAIT_S):
        before = store.history(asked.account).records.get(target)
        if before is not None and before.owner not in ("", resource.address):
            raise CannotAttest(
                f"{word.address}: the item belongs to {before.owner} by the ledger; release that one first"
            )
        claim = records.claimed(resource, target, asked.prefix)
        renewal = registry()[resource.kind].renewal(resource)
        record = records.attested(claim, before, Attestation(fields, word.by, word.now), renewal)
        store.remember(asked.account, [record])
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
        raise CannotAttest(f"{resource.address}: the platform has no such model or endpoint")
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
