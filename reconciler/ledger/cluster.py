"""The ledger of a cluster: the same facts, kept on the resources themselves. Knows no API server, only a shelf of statuses.

    record of an item      status.managed of the resource that manages it
    intent of a change     status.pending of the PlatformAccount, written before the platform is; gone once all is published
    the account's lock     the lease of the process that leads
    baseline, last set     in the record

Each resource's status is written once a pass, and only where its meaning changed. A process that takes the lead reads everything
anew; one that was killed left its intents behind, and what became of them is found out as after any killed run.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from reconciler.errors import LedgerError, LockHeld
from reconciler.identity import Identity
from reconciler.ledger import EVERY, Found, Intent, Lease, Lock, Search, Settlement, codec
from reconciler.state import Entry, History, Pending, Record, Run, Target
from reconciler.status import meaning

WRITERS: Final = 8
HOUR_S: Final = 3600.0
Status = Mapping[str, Any]
_Said = tuple[Mapping[str, Any], tuple[Record, ...]]  # a published status and the records that go with it
_Due = tuple[str, Status, _Said]  # an address, what is written there, and what that stands for


class Lead(Lease, Protocol):
    """Whether this process leads."""

    @property
    def term(self) -> int:
        """How often this process took the lead."""
        ...

    @property
    def holder(self) -> str:
        """Who leads, as last seen."""
        ...


class Shelf(Protocol):
    """Where the statuses are. Every method may raise `errors.LedgerError`; safe from several threads."""

    def refresh(self) -> None:
        """Read everything anew: what another process wrote until now is seen from here on."""
        ...

    def statuses(self, account: str) -> Mapping[str, Status]:
        """The status of every resource of the account, by address; {} for one without."""
        ...

    def write(self, address: str, status: Status) -> None:
        """Replace a resource's status; one that is gone is left."""
        ...

    def identity(self, address: str) -> str:
        """What tells a resource from a later one by the same name; "" where there is none."""
        ...

    def hold(self, address: str) -> None:
        """See to it that the resource is not gone before its item was taken back, where that is wanted."""
        ...


@dataclass(slots=True)
class _Account:
    """What is known of an account since this process leads."""

    records: dict[Target, Record]
    written: dict[str, Status]  # by address, as the server has it
    at_s: dict[str, float]  # when each was written, by a monotonic clock
    told: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by address, as last published
    identities: dict[str, str] = field(default_factory=dict)  # by address, of the resource that `written` is about
    settled: dict[str, _Said] = field(default_factory=dict)  # by address, what is certainly on the server
    pending: list[Pending] = field(default_factory=list)
    intended: bool = False  # whether the server has intents that are settled here


class ClusterLedger:
    """A `Ledger` over a shelf. `speaks(account, address)` tells whether that account's pass speaks for a resource that several judge."""

    def __init__(
        self, shelf: Shelf, lead: Lead, monotonic: Callable[[], float], speaks: Callable[[str, str], bool]
    ) -> None:
        self._shelf, self._lead, self._monotonic, self._speaks = shelf, lead, monotonic, speaks
        self._accounts: dict[str, _Account] = {}
        self._identities: dict[str, Identity] = {}
        self._term = -1
        self._lock = threading.RLock()

    def history(self, account: str) -> History:
        known = self._account(account)
        with self._lock:
            for target, record in known.records.items():
                if record.owner and not self._shelf.identity(record.owner):  # gone without a claim on its item
                    known.records[target] = Record(target=target, set_at=record.set_at, removed_at=record.removed_at)
            return History(
                records=dict(known.records),
                exists=True,
                pending=tuple(known.pending),
                identity=self._identities.get(account),
            )

    @contextmanager
    def lock(
        self, account: str, operation: str, *, wait_s: float = 0.0, at_once: bool = False  # noqa: ARG002  # the lead is elected
    ) -> Iterator[Lease]:  # fmt: skip
        if not self._lead.held():
            raise LockHeld(f"account {account} is led by another operator", holder=self._lead.holder or "nobody yet")
        with self._lock:
            if self._term != self._lead.term:
                self._shelf.refresh()
                self._accounts.clear()
                self._term = self._lead.term
            self._accounts.pop(account, None)
        yield self._lead

    def begin(self, run: Run) -> "_Journal":
        return _Journal(self, run)

    def finish(self, run: str, result: str, now: datetime) -> None:
        """A pass leaves nothing behind but the statuses and Events."""

    def note(self, run: Run, intent: Intent, word: Settlement) -> None:  # noqa: ARG002  # a resource's status is its journal
        self.remember(run.account, [word.record] if word.record else [])

    def remember(self, account: str, records: Iterable[Record]) -> None:
        known = self._account(account)
        for record in records:
            with self._lock:
                known.records[record.target] = record
            if record.owner:
                self._shelf.hold(record.owner)

    def recover(self, account: str, found: Iterable[Found], now: datetime) -> None:  # noqa: ARG002  # the shape of a ledger
        known = self._account(account)
        with self._lock:
            for each in found:
                if each.record is not None:
                    known.records[each.record.target] = each.record
                known.pending = [p for p in known.pending if (p.run, p.sequence) != (each.run, each.sequence)]
                known.intended = True

    def runs(self, account: str | None = None, limit: int = 50, search: Search = EVERY) -> tuple[Run, ...]:  # noqa: ARG002
        return ()

    def accounts(self) -> tuple[str, ...]:
        return tuple(sorted(self._accounts))

    def locks(self) -> tuple[Lock, ...]:
        return ()

    def entries(self, run: str) -> tuple[Entry, ...]:  # noqa: ARG002
        return ()

    def spent(self, plan: str) -> Run | None:  # noqa: ARG002
        return None

    def bind(self, account: str, identity: Identity) -> None:
        """An operator remembers it while it leads."""
        with self._lock:
            self._identities[account] = identity

    def sets(self) -> frozenset[str]:
        return frozenset()  # ownership stays with the resource

    def fact(self, name: str) -> str | None:  # noqa: ARG002  # the resources are the record
        return None

    def keep_fact(self, name: str, body: str) -> str:  # noqa: ARG002
        return body

    def statuses(self, account: str, set_name: str = "") -> Mapping[str, Any]:  # noqa: ARG002  # a resource owns its item
        known = self._account(account)
        if not known.told:
            known.told = {
                address: {**_told(address, status), "uid": known.identities.get(address, "")}
                for address, status in known.written.items()
                if status
            }
        return known.told

    def publish(self, account: str, statuses: Mapping[str, Any], set_name: str = "") -> None:  # noqa: ARG002
        known = self._account(account)
        known.told = dict(statuses)
        managed = self._managed(known)
        last = f"PlatformAccount/{account}"
        due: list[_Due] = []
        for address, status in statuses.items():
            said = (status, tuple(managed.get(address, ())))
            if address == last or not self._meet(known, address, status) or not self._speaks(account, address):
                continue
            if known.settled.get(address) == said:
                continue
            body = body_of(*said)
            if self._worth_it(known, address, body):
                due.append((address, body, said))
            elif not meaning.moved(known.written.get(address) or {}, body):
                known.settled[address] = said
        self._write_all(known, due)
        # The account goes last: its intents are kept until every record that they stand for is on its resource.
        if last in statuses and self._meet(known, last, statuses[last]):
            body = body_of(statuses[last], managed.get(last, ()))
            if known.intended or self._worth_it(known, last, body):
                self._write(known, last, {**body, **_pending(known.pending)})
                known.intended = False

    def unlock(self, lock: Lock, run: Run) -> bool:  # noqa: ARG002  # the lease frees itself
        return False

    def close(self) -> None:
        """Nothing is held open."""

    def intend(self, account: str, run: str, intents: Sequence[Intent], now: datetime) -> None:
        """Before the first write of any of them."""
        known = self._account(account)
        for intent in intents:
            if intent.hoped.owner:
                self._shelf.hold(intent.hoped.owner)
        with self._lock:
            known.pending += [
                Pending(run=run, sequence=_next(known.pending, run, place), at=now, hoped=intent.hoped, before=intent.before)
                for place, intent in enumerate(intents)
            ]  # fmt: skip
            address = f"PlatformAccount/{account}"
            status = {**known.written.get(address, {}), **_pending(known.pending)}
        known.intended = True
        self._write(known, address, status)

    def settle(self, account: str, run: str, settlements: Sequence[Settlement]) -> None:
        """What became of changes; on the server with the next statuses."""
        known = self._account(account)
        with self._lock:
            for each in settlements:
                if each.record is not None:
                    known.records[each.record.target] = each.record
                known.pending = [p for p in known.pending if (p.run, p.hoped.target) != (run, each.change.target)]

    def _account(self, account: str) -> _Account:
        with self._lock:
            if account not in self._accounts:
                written = dict(self._shelf.statuses(account))
                records = {
                    record.target: record
                    for status in written.values()
                    for record in _records(status.get("managed", ()))
                }
                pending = [_intent(each) for status in written.values() for each in status.get("pending", ())]
                identities = {address: self._shelf.identity(address) for address in written}
                at_s = dict.fromkeys(written, self._monotonic())
                self._accounts[account] = _Account(records, written, at_s, pending=pending, identities=identities)
            return self._accounts[account]

    def _managed(self, known: _Account) -> Mapping[str, list[Record]]:
        """The records that each resource's status is to carry."""
        found: dict[str, list[Record]] = {}
        with self._lock:
            for _, record in sorted(known.records.items()):
                if record.owner:
                    found.setdefault(record.owner, []).append(record)
        return found

    def _meet(self, known: _Account, address: str, told: Status) -> bool:
        """Forget what was written to a resource that was deleted since: another by its name has no status yet. False where
        what is told is about the one that is gone."""
        identity = self._shelf.identity(address)
        if known.identities.setdefault(address, identity) != identity:
            known.identities[address] = identity
            known.written.pop(address, None)
            known.settled.pop(address, None)
        return bool(told.get("uid", identity) == identity)

    def _worth_it(self, known: _Account, address: str, body: Status) -> bool:
        before = known.written.get(address) or {}
        if meaning.differs(_comparable(before), _comparable(body)):
            return True
        return meaning.moved(before, body) and self._monotonic() - known.at_s.get(address, 0.0) >= HOUR_S

    def _write_all(self, known: _Account, due: Sequence[_Due]) -> None:
        def write(each: _Due) -> None:
            address, body, said = each
            self._write(known, address, body)
            known.settled[address] = said

        if len(due) < WRITERS:
            for each in due:
                write(each)
            return
        with ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="status") as pool:
            for future in [pool.submit(write, each) for each in due]:
                future.result()

    def _write(self, known: _Account, address: str, body: Status) -> None:
        if not self._lead.held():
            raise LedgerError("the lead is no longer certainly ours, so no status is written")
        self._shelf.write(address, body)
        known.written[address], known.at_s[address] = body, self._monotonic()


class _Journal:
    """One pass's pen."""

    def __init__(self, ledger: ClusterLedger, run: Run) -> None:
        self._ledger, self._account, self.run = ledger, run.account, run.id

    def intend(self, intents: Sequence[Intent], now: datetime) -> None:
        self._ledger.intend(self._account, self.run, intents, now)

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:  # noqa: ARG002  # the shape of a journal
        self._ledger.settle(self._account, self.run, settlements)


# Our values and a resource's status.


def body_of(told: Mapping[str, Any], records: Sequence[Record] = ()) -> dict[str, Any]:
    """A published status as the resource carries it: the kind's own fields beside the conditions, without nulls."""
    body = {**told.get("details", {}), "conditions": told["conditions"]}
    for key in ("observedGeneration", "nextAttemptTime"):
        if told.get(key) is not None:
            body[key] = told[key]
    if records:
        body["managed"] = [
            {"kind": r.target.kind, "name": r.target.name, "record": codec.record_text(r)} for r in records
        ]
    return {key: _without_nulls(value) for key, value in body.items() if value is not None}


def _told(address: str, status: Status) -> dict[str, Any]:
    """What was published, from the resource that carries it."""
    own = ("conditions", "observedGeneration", "nextAttemptTime", "managed", "pending")
    told: dict[str, Any] = {key: status[key] for key in own[:3] if key in status}
    details = {key: value for key, value in status.items() if key not in own}
    return {**told, "address": address, "kind": address.split("/")[0], "details": details}


def _comparable(status: Status) -> dict[str, Any]:
    """A status without when its items were last seen equal, which an idle system need not write."""
    said = {key: value for key, value in status.items() if key != "pending"}
    if "managed" in said:
        said["managed"] = [
            {**each, "record": codec.record_text(replace(record, equal_at=None))}
            for each, record in zip(said["managed"], _records(said["managed"]), strict=True)
        ]
    return said


def _records(managed: Iterable[Mapping[str, str]]) -> list[Record]:
    return [codec.record_of(Target(each["kind"], each["name"]), each["record"]) for each in managed]


def _pending(pending: Sequence[Pending]) -> dict[str, Any]:
    if not pending:
        return {}
    return {
        "pending": [
            {
                "run": each.run,
                "sequence": each.sequence,
                "at": codec.time_text(each.at),
                "kind": each.hoped.target.kind,
                "name": each.hoped.target.name,
                "record": codec.record_text(each.hoped),
                "before": codec.fields_text(each.before),
            }
            for each in pending
        ]
    }


def _intent(stored: Mapping[str, Any]) -> Pending:
    return Pending(
        run=stored["run"],
        sequence=stored["sequence"],
        at=datetime.fromisoformat(stored["at"]),
        hoped=codec.record_of(Target(stored["kind"], stored["name"]), stored["record"]),
        before=codec.fields_of(stored["before"]),
    )


def _next(pending: Sequence[Pending], run: str, place: int) -> int:
    return max((each.sequence for each in pending if each.run == run), default=0) + 1 + place


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value
