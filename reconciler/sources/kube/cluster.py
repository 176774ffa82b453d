"""What is known of our resources in a cluster, and what is written back to them: statuses and finalizers.

Keeps every kind in memory by a reflector each; a status that we wrote ourselves wakes nobody. It must not decide what is
declared well or how a resource stands.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from reconciler.errors import LedgerError
from reconciler.finding import Finding, in_order
from reconciler.kinds import API_GROUP, API_VERSION, Resource, registry
from reconciler.kinds.common import DeletionPolicy
from reconciler.kinds.declared import Declared
from reconciler.load.documents import Judged
from reconciler.load.objects import judge
from reconciler.sources.kube import selecting
from reconciler.sources.kube.client import Client, KubeError, Object, path_of
from reconciler.sources.kube.reflector import Reflector

FINALIZER: Final = f"{API_GROUP}/revert"
QUIET_S: Final = 0.05  # how long a burst of changes must pause before it is told
BURST_S: Final = 0.5  # and how long it may go on at most
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """Which resources: of these namespaces (none: of all), on accounts whose labels match the selector."""

    namespaces: tuple[str, ...] = ()
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the cluster declares, what is wrong with it, the resources that no account takes on, and the keys of all accounts, those
    of other shards too."""

    declared: Declared
    findings: tuple[Finding, ...]
    orphans: tuple[Resource[Any], ...] = ()
    accounts: frozenset[str] = frozenset()


class Cluster:
    """Our resources. `start` it before all else; safe from several threads."""

    def __init__(self, client: Client, scope: Scope) -> None:
        self._client = client
        self._selected = selecting.by_labels(scope.selector)
        self._dirty = threading.Event()
        self._judged: dict[str, tuple[Any, Judged]] = {}
        self._reflectors: dict[str, list[Reflector]] = {
            kind: [Reflector(client, path_of(known, space), self._changed) for space in scope.namespaces or (None,)]
            for kind, known in registry().items()
        }

    def start(self, stop: threading.Event) -> bool:
        """Begin to listen; True once everything was read, False where `stop` came first."""
        for reflector in self._all():
            threading.Thread(target=reflector.run, args=(stop,), name="reflector", daemon=True).start()
        while not stop.is_set():
            if all(reflector.synced.wait(0.05) for reflector in self._all()):
                return True
        return False

    def end(self) -> None:
        """Listen no longer."""
        for reflector in self._all():
            reflector.end()
        self._dirty.set()

    @property
    def trouble(self) -> str:
        """What keeps us from hearing of changes, "" where nothing does."""
        return next((reflector.failing for reflector in self._all() if reflector.failing), "")

    def silent_s(self) -> float:
        """For how long, in seconds, the quietest kind was not heard of: what a liveness probe judges."""
        return max(reflector.silent_s() for reflector in self._all())

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` soon after a declaration changed, a burst of changes once, until `stop` is set. Blocks."""
        while not stop.is_set():
            if not self._dirty.wait(0.2):
                continue
            until_s = time.monotonic() + BURST_S
            while self._dirty.is_set() and time.monotonic() < until_s and not stop.is_set():
                self._dirty.clear()
                stop.wait(QUIET_S)
            self._dirty.clear()
            if not stop.is_set():
                changed()

    def load(self) -> Loaded:
        """The whole set as it is known now."""
        judged = [self._judge(thing) for thing in self._things()]
        self._judged = {one.location.file: self._judged[one.location.file] for one in judged if one.location}
        resources = [one.resource for one in judged if one.resource is not None]
        accounts = {each.account for each in resources if each.kind == "PlatformAccount"}
        chosen = {r.account for r in resources if r.kind == "PlatformAccount" and self._selected(r.labels)}
        mine = [r for r in resources if r.account in chosen or r.kind == "PolicyConstraint"]
        orphans = [r for r in resources if r.account and r.account not in accounts]
        held = [one.held for one in judged if one.held is not None]
        declared = Declared(
            resources=tuple(sorted(mine, key=lambda each: each.address)),
            held=tuple(sorted(held, key=lambda one: one.location)),
            implied=False,
            stored=True,
        )
        return Loaded(
            declared, in_order(f for one in judged for f in one.findings), tuple(orphans), frozenset(accounts)
        )

    def get(self, address: str) -> Object | None:
        """A resource as it is known now."""
        kind, namespace, name = address.split("/")
        for reflector in self._reflectors[kind]:
            found = reflector.objects.get((namespace, name))
            if found is not None:
                return found
        return None

    # The shelf of statuses; every method raises `LedgerError`.

    def refresh(self) -> None:
        """Read everything anew."""
        try:
            for reflector in self._all():
                reflector.refresh()
        except KubeError as error:
            raise LedgerError(f"the cluster could not be read: {error}") from error

    def statuses(self, account: str) -> Mapping[str, Mapping[str, Any]]:
        """The status of each of the account's resources, by address; {} for one without."""
        loaded = self.load().declared.for_account(account).resources
        found = ((each.address, self.get(each.address)) for each in loaded)
        return {address: thing.get("status") or {} for address, thing in found if thing is not None}

    def write(self, address: str, status: Mapping[str, Any]) -> None:
        """Replace the status of a resource; one that is gone is left."""
        thing = self.get(address)
        if thing is None:
            return
        kind, namespace, name = address.split("/")
        meta = {"name": name, "namespace": namespace, "uid": thing["metadata"]["uid"]}
        body = {"apiVersion": API_VERSION, "kind": kind, "metadata": meta, "status": status}
        try:
            answer = self._tried(
                lambda: self._client.apply(path_of(registry()[kind], namespace, name, status=True), body)
            )
        except KubeError as error:
            if error.missing or error.conflict:  # gone, or another one by that name
                return
            raise LedgerError(f"the status of {address} could not be written: {error}") from error
        self._put(kind, answer)

    def try_out(self, manifest: Object) -> None:
        """Know a resource as it would be if it were applied; the server only checks it. Raises `KubeError` where it would refuse."""
        kind, meta = manifest["kind"], manifest["metadata"]
        place = path_of(registry()[kind], meta["namespace"], meta["name"])
        query = {"dryRun": "All", "fieldManager": "kubectl", "force": "true"}
        answer = self._client.request("PATCH", place, manifest, query=query, content="application/apply-patch+yaml")
        for reflector in self._reflectors[kind]:
            reflector.objects[meta["namespace"], meta["name"]] = answer

    def identity(self, address: str) -> str:
        """The uid of a resource, "" where there is none as far as is known."""
        thing = self.get(address)
        return str(thing["metadata"]["uid"]) if thing is not None else ""

    def hold(self, address: str) -> None:
        """Keep a resource that asks for Revert from being gone before its item was taken back."""
        thing = self.get(address)
        if thing is not None and _reverts(thing) and "deletionTimestamp" not in thing["metadata"]:
            self._finalizers(address, thing, {FINALIZER})

    def let_go(self, address: str) -> None:
        """Let a resource be gone: nothing of it is left to be taken back."""
        thing = self.get(address)
        if thing is not None:
            self._finalizers(address, thing, set())

    def _finalizers(self, address: str, thing: Object, wanted: set[str]) -> None:
        """Ours as wanted, others' as they are; written only where it differs, on the version that was seen."""
        kind, namespace, name = address.split("/")
        for _ in range(TRIES):
            before = thing["metadata"].get("finalizers") or []
            after = [each for each in before if each != FINALIZER] + sorted(wanted)
            if set(after) == set(before):
                return
            patch = {"metadata": {"finalizers": after, "resourceVersion": thing["metadata"]["resourceVersion"]}}
            place = path_of(registry()[kind], namespace, name)
            try:
                self._put(kind, self._tried(lambda place=place, patch=patch: self._client.merge(place, patch)))  # type: ignore[misc]
                return
            except KubeError as error:
                if error.missing:
                    return
                if not error.conflict:
                    raise LedgerError(f"the finalizer of {address} could not be written: {error}") from error
            with suppress(KubeError):
                thing = self._client.request("GET", place)
        raise LedgerError(f"the finalizer of {address} could not be written: others write it all the time")

    def _tried(self, ask: Callable[[], Object]) -> Object:
        """An answer, after a few tries where the server is only busy or away for a moment."""
        for wait_s in (0.2, 1.0):
            try:
                return ask()
            except KubeError as error:
                if error.code not in (0, 429) and error.code < 500:
                    raise
                time.sleep(min(5.0, max(wait_s, error.retry_after_s or 0.0)))
        return ask()

    def _put(self, kind: str, thing: Object) -> None:
        for reflector in self._reflectors[kind]:
            reflector.put(thing)

    def _all(self) -> Iterator[Reflector]:
        for reflectors in self._reflectors.values():
            yield from reflectors

    def _things(self) -> Sequence[Object]:
        return [thing for reflector in self._all() for thing in list(reflector.objects.values())]

    def _judge(self, thing: Object) -> Judged:
        """By the files' own checks; again only where what they look at changed."""
        meta = thing["metadata"]
        seen = (meta["uid"], *_declared(thing))
        address = f"{thing['kind']}/{meta['namespace']}/{meta['name']}"
        known = self._judged.get(address)
        if known is None or known[0] != seen:
            known = self._judged[address] = (seen, judge(thing))
        return known[1]

    def _changed(self, before: Object | None, after: Object | None) -> None:
        if before is None or after is None or _declared(before) != _declared(after):
            self._dirty.set()


def _declared(thing: Object) -> tuple[Any, ...]:
    """All of an object that a person declares; the rest is its status and the server's own."""
    meta = thing["metadata"]
    return meta.get("generation"), meta.get("labels"), meta.get("annotations"), "deletionTimestamp" in meta


def _reverts(thing: Object) -> bool:
    return bool(thing.get("spec", {}).get("deletionPolicy") == DeletionPolicy.REVERT.value)
