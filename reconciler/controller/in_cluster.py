"""The loop's source in a cluster: custom resources in; statuses, Events and finalizers out. Writes only while this process leads.

What no account takes on (its account is not there, or it could not be understood) has no pass, so it is told here how it stands.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from reconciler import check, reconcile, status
from reconciler.controller import annotations
from reconciler.controller.seat import Pass
from reconciler.errors import LedgerError, Permanent
from reconciler.finding import Finding, in_order
from reconciler.kinds import Resource
from reconciler.kinds.annotations import SECRET_VERSION
from reconciler.kinds.common import DeletionPolicy
from reconciler.kinds.declared import IMPLIED, Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.ledger.cluster import ClusterLedger, body_of
from reconciler.plan import Plan
from reconciler.platforms import Connection, Credentials, Platform
from reconciler.reasons import Reason
from reconciler.report import Report, as_log, notices
from reconciler.sources.kube.client import Client
from reconciler.sources.kube.cluster import Cluster, Loaded, Scope
from reconciler.sources.kube.election import Election, Seal
from reconciler.sources.kube.events import Events, Told
from reconciler.sources.kube.secrets import Secrets
from reconciler.state import Failure
from reconciler.status import Condition, ConditionType, ResourceStatus, Standing, Truth, meaning

MOST_EVENTS: Final = 50  # of one pass; the rest is summed up in one on the account
SECRETS_S: Final = 15.0  # how often it is asked whether a Secret changed
HEARD: Final = "the cluster is heard again"
LASTING_S: Final = 2.0  # what keeps us from the cluster for that long is worth telling


@dataclass(frozen=True, slots=True)
class Parts:
    """What the source stands on."""

    cluster: Cluster
    ledger: ClusterLedger
    election: Election
    events: Events
    secrets: Secrets
    clock: Callable[[], datetime]


@dataclass(slots=True)
class InCluster:
    """A `controller.Source`. `hear` are told of each pass once it is published."""

    parts: Parts
    hear: list[Callable[[Pass], None]] = field(default_factory=list)
    trouble: Callable[[str], None] = lambda _: None
    known: Callable[[Iterable[str]], None] = lambda _: None  # hears which accounts there are
    _loaded: Loaded = field(default_factory=lambda: Loaded(Declared(implied=False), ()))

    def load(self) -> Loaded:
        """The whole set as it is known now."""
        loaded = self.parts.cluster.load()
        declared = replace(loaded.declared, resources=tuple(map(self._with_secret, loaded.declared.resources)))
        found = in_order((*loaded.findings, *annotations.findings(declared)))
        self._loaded = replace(loaded, declared=declared, findings=found)
        self.known(declared.accounts)
        return self._loaded

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` soon after a declaration or a Secret changed, until `stop`."""
        self._tell_orphans()
        keeper = threading.Thread(target=self._watch_secrets, args=(changed, stop), name="secrets", daemon=True)
        keeper.start()

        def told() -> None:
            changed()
            self._tell_orphans()

        self.parts.cluster.wait(told, stop)

    def publish(self, done: Pass) -> None:
        """Statuses where they say something new, Events of what happened, finalizers of what may be gone."""
        report = done.report
        try:
            if self.parts.election.held():
                if report.snapshot is None:  # nothing was acted on, so nothing is published yet
                    told = {each.address: status.to_json(each) for each in report.statuses}
                    self.parts.ledger.publish(report.account.account, told)
                self._finalize(report)
        except LedgerError as error:  # the next pass tries again
            self.trouble(str(error))
        self._tell(done)
        for hear in self.hear:
            hear(done)

    def connect(self, account: Resource[PlatformAccountSpec], *, create: bool = True) -> Platform:
        """The account's platform, with the key of the Secret that it names. `create` False: not even a local file is made."""
        named, connection = _secret_of(account), Connection(self.parts.clock, create=create)
        credentials = account.spec.ark.credentials
        if named is None and (credentials is None or credentials.file is None):
            return reconcile.connect(account, connection)

        def key() -> Credentials:
            if named is None:  # whoever may write an account may not make the operator read its own files
                message = "credentials.file is for files; in a cluster name a Secret in credentials.secretName"
                raise Permanent(message, reason=Reason.CREDENTIALS_INVALID)
            read = self.parts.secrets.read(*named)
            return Credentials(read["accessKey"], read["secretKey"], read.get("sessionToken"))

        return reconcile.connect(account, connection, key)

    def speaks(self, account: str, address: str) -> bool:
        """Whether the account's pass tells how a resource stands; a constraint is judged by every account's, and told
        by the first of its namespace's accounts, whichever shard that is in."""
        kind, _, rest = address.partition("/")
        if kind != "PolicyConstraint":
            return True
        known = sorted(self._loaded.accounts)
        near = [each for each in known if each.partition("/")[0] == rest.partition("/")[0]]
        return account == next(iter(near or known), account)

    # Secrets: which version an account was loaded with stands in an annotation, so that another one is another account.

    def _with_secret(self, resource: Resource[Any]) -> Resource[Any]:
        named = _secret_of(resource)
        version = self.parts.secrets.versions.get(named) if named else None
        if version is None:
            return resource
        return replace(resource, annotations={**resource.annotations, SECRET_VERSION: version})

    def _watch_secrets(self, changed: Callable[[], None], stop: threading.Event) -> None:
        while not stop.wait(SECRETS_S):
            self.look_at_secrets(changed)

    def look_at_secrets(self, changed: Callable[[], None]) -> None:
        """Call `changed` where a Secret is another than its account was opened with."""
        secrets, moved = self.parts.secrets, False
        for named in sorted(filter(None, map(_secret_of, self._loaded.declared.accounts.values()))):
            version = secrets.version(*named)
            if version != secrets.versions.get(named, ""):
                secrets.versions[named], moved = version, True
        if moved:
            changed()

    # Finalizers.

    def _finalize(self, report: Report) -> None:
        """Let resources be gone whose items are taken back or released, and those that no longer ask for it."""
        owned = {record.owner for record in self.parts.ledger.history(report.account.account).records.values()}
        for resource in report.declared.resources:
            policy = getattr(resource.spec, "deletion_policy", None)
            if policy is None:
                continue
            gone = resource.deleting and resource.address not in owned
            if gone or (policy is DeletionPolicy.RETAIN and not resource.deleting):
                self.parts.cluster.let_go(resource.address)

    # What keeps us from the cluster.

    def tell_trouble(self, stop: threading.Event) -> None:
        """Tell what lasts, once each, and when it is over."""
        parts, seen, told = self.parts, "", ""
        while not stop.wait(LASTING_S):
            now = parts.cluster.trouble or (parts.election.trouble and f"the lease: {parts.election.trouble}")
            if now == seen and now != told:
                self.trouble(now or HEARD)
                told = now
            seen = now

    # What no pass speaks for.

    def _tell_orphans(self) -> None:
        if not self.parts.election.held():
            return
        try:
            for address, body in self._orphaned():
                known = (self.parts.cluster.get(address) or {}).get("status") or {}
                if meaning.differs(known, body):
                    self.parts.cluster.write(address, body)
            for resource in self._loaded.orphans:
                if resource.deleting and resource.spec.deletion_policy is DeletionPolicy.RETAIN:
                    self.parts.cluster.let_go(resource.address)
        except LedgerError as error:
            self.trouble(str(error))

    def _orphaned(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        loaded, now = self._loaded, self.parts.clock()
        everything = replace(loaded.declared, resources=(*loaded.declared.resources, *loaded.orphans))
        found = check.check(everything, (), now) if loaded.orphans else ()
        for gone in (False, True):
            mine = tuple(each for each in loaded.orphans if each.deleting is gone)
            yield from self._judged(mine, found, now) if mine else ()
        yield from self._broken(loaded.findings, now)

    def _judged(
        self, orphans: Sequence[Resource[Any]], found: tuple[Finding, ...], now: datetime
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        blocked = "its PlatformAccount is not there, so its item cannot be taken back; set deletionPolicy to Retain to leave it"
        standing = Standing(
            account=IMPLIED,
            declared=Declared(resources=tuple(orphans), implied=False),
            plan=Plan(account=IMPLIED.account, inputs_digest="", observed_at=None),
            now=now,
            findings=found,
            failures=(Failure(blocked, Reason.DELETION_BLOCKED),),
            previous={each.address: before for each in orphans if (before := self._previous(each.address))},
        )
        for judged in status.judge(standing):
            yield judged.address, body_of(status.to_json(judged))

    def _previous(self, address: str) -> ResourceStatus | None:
        thing = self.parts.cluster.get(address) or {}
        told = thing.get("status") or {}
        own = {key: told[key] for key in ("conditions", "observedGeneration") if key in told}
        return (
            status.from_json(
                {**own, "address": address, "kind": address.split("/")[0], "uid": thing["metadata"]["uid"]}
            )
            if own
            else None
        )

    def _broken(self, found: Iterable[Finding], now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Resources that could not be understood although the API server took them."""
        first: dict[str, Finding] = {}
        for each in found:
            if each.resource is not None and each.reason is Reason.RULE_VIOLATION:
                first.setdefault(each.resource, each)
        for address, each in first.items():
            thing = self.parts.cluster.get(address)
            if thing is not None:
                yield (
                    address,
                    _refused(address, each, thing["metadata"].get("generation"), self._previous(address), now),
                )

    # Events.

    def _tell(self, done: Pass) -> None:
        report, account = done.report, done.report.account
        for notice in notices.of(report, done.before):
            if notice.event is notices.Event.PAUSED:
                self._event(notice.address, "ModelPaused", notice.message, warning=True)
        entries = [each for each in as_log.entries(report, done.before, first=False) if each.address]
        entries.sort(key=lambda each: each.level == "info")
        for entry in entries[:MOST_EVENTS]:
            word = entry.reason or ("WriteFailed" if entry.level == "error" else "Applied")
            self._event(entry.address, word, entry.message, warning=entry.level != "info")
        if len(entries) > MOST_EVENTS:
            rest = len(entries) - MOST_EVENTS
            self._event(
                account.address, "Reconciled", f"and {rest} more changes and conditions in this pass", warning=False
            )

    def _event(self, address: str, reason: str, message: str, *, warning: bool) -> None:
        thing = self.parts.cluster.get(address) if address.count("/") == 2 else None
        if thing is not None:
            self.parts.events.tell(Told(address, thing["metadata"]["uid"], reason, message, warning))


class _Later:
    """`InCluster.speaks` for the ledger, which has to be there before the source that stands on it."""

    source: InCluster

    def __call__(self, account: str, address: str) -> bool:
        return self.source.speaks(account, address)


def assemble(client: Client, scope: Scope, seal: Seal, clock: Callable[[], datetime]) -> InCluster:
    """The source and all it stands on, over one client. Nothing is asked of the server yet."""
    cluster, election = Cluster(client, scope), Election(client, seal)
    told_by = _Later()
    ledger = ClusterLedger(cluster, election, time.monotonic, told_by)
    parts = Parts(cluster, ledger, election, Events(client, seal.identity), Secrets(client), clock)
    told_by.source = InCluster(parts)
    return told_by.source


@contextmanager
def listening(source: InCluster, stop: threading.Event) -> Iterator[bool]:
    """Hear of the cluster and take part in the election for the length of the context; False where `stop` came before all was
    read. The lease is freed at the end, when nothing is written any more."""
    parts, over = source.parts, threading.Event()
    rounds = {"election": parts.election.run, "events": parts.events.run, "trouble": source.tell_trouble}
    threads = [threading.Thread(target=run, args=(over,), name=name, daemon=True) for name, run in rounds.items()]
    for thread in threads:
        thread.start()
    try:
        synced = parts.cluster.start(stop)
        parts.election.asked.wait(parts.election.first_answer_s)
        yield synced
    finally:
        over.set()
        parts.cluster.end()
        for thread in threads:
            thread.join()


def _secret_of(resource: Resource[Any]) -> tuple[str, str] | None:
    """The namespace and name of the Secret with an account's key, None where it names none."""
    if resource.kind != "PlatformAccount" or resource.spec.ark.credentials is None or resource.namespace is None:
        return None
    name = resource.spec.ark.credentials.secret_name
    return (resource.namespace, name) if name else None


def _refused(
    address: str, found: Finding, generation: int | None, before: ResourceStatus | None, now: datetime
) -> Mapping[str, Any]:
    message = f"{found.rule}: {found.message}"
    programmed = ConditionType.CREDENTIALS_VALID if address.startswith("PlatformAccount/") else ConditionType.PROGRAMMED
    said = (
        (ConditionType.ACCEPTED, Truth.FALSE, Reason.RULE_VIOLATION, message),
        (programmed, Truth.UNKNOWN, Reason.NOT_ATTEMPTED, "not attempted: it is not accepted"),
        (ConditionType.READY, Truth.FALSE, Reason.RULE_VIOLATION, message),
        (ConditionType.STALLED, Truth.TRUE, Reason.RULE_VIOLATION, message),
    )

    def since(type_: ConditionType, truth: Truth) -> datetime:
        was = before.condition(type_) if before else None
        return was.last_transition_time if was is not None and was.status is truth else now.replace(microsecond=0)

    conditions = tuple(Condition(t, truth, why, text, since(t, truth), generation) for t, truth, why, text in said)
    judged = ResourceStatus(
        address=address, kind=address.split("/")[0], conditions=conditions, observed_generation=generation
    )
    return body_of(status.to_json(judged))
