"""One kind of object kept in memory: listed in pages, watched, listed again where the server forgot what we saw last.

    list ──version──> watch ──events, bookmarks──> watch ... (asked anew every few minutes)
      ^                 │
      └── 410, or told ─┘         any other failure: the same version again, after a back-off

Reads only. Nothing is lost or repeated: what a broken watch did not tell, the next tells from the last version seen.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.sources.kube.client import Client, KubeError, Object, Watch

FIRST_S: Final = 0.2
MOST_S: Final = 30.0
Key = tuple[str, str]  # namespace and name


@dataclass(slots=True)
class Reflector:
    """The objects at `path`. `changed` is called with an object before and after a change; None where it is not there."""

    client: Client
    path: str
    changed: Callable[[Object | None, Object | None], None]
    objects: dict[Key, Object] = field(default_factory=dict)
    synced: threading.Event = field(default_factory=threading.Event)
    heard_s: float = field(default_factory=time.monotonic)
    failing: str = ""  # what went wrong last, "" where all is well
    _version: str = ""
    _watch: Watch | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self, stop: threading.Event) -> None:
        """Keep the objects as they are on the server until `stop`, or `end`."""
        failures = 0
        while not (stop.is_set() or self._over.is_set()):
            try:
                if not self._version:
                    self.refresh()
                self._follow()
                failures = 0
            except KubeError as error:
                if self._over.is_set():
                    return
                self.failing = str(error)
                if error.gone:
                    self._version = ""
                failures += 1
                stop.wait(_delay_s(failures, error.retry_after_s))

    def refresh(self) -> None:
        """Read everything anew, as it is on the server now; raises `KubeError`."""
        listing = self.client.list(self.path, {})
        with self._lock:
            self._replace(listing.items)
            self._version = listing.version
        self._heard()
        self.synced.set()

    def end(self) -> None:
        """No more events; whoever waits for one waits no longer."""
        self._over.set()
        watch = self._watch
        if watch is not None:
            watch.end()

    def silent_s(self) -> float:
        """For how long, in seconds, the server has said nothing."""
        return time.monotonic() - self.heard_s

    def put(self, thing: Object) -> None:
        """Take an answer to our own write, so that it is known before the watch tells it."""
        with self._lock:
            before = self.objects.get(_key(thing))
            if before is not None and _number(thing) > _number(before):
                self.objects[_key(thing)] = stripped(thing)

    def _follow(self) -> None:
        """One watch, until the server ends it."""
        self._watch = self.client.watch(self.path, {"resourceVersion": self._version})
        try:
            self._heard()
            for event in self._watch:
                if self._over.is_set():
                    return
                self._take(event)
        finally:
            self._watch = None

    def _take(self, event: Mapping[str, Any]) -> None:
        self._heard()
        thing = event["object"]
        with self._lock:
            self._version = thing["metadata"]["resourceVersion"]
            if event["type"] == "BOOKMARK":
                return
            before = self.objects.get(_key(thing))
            if event["type"] == "DELETED":
                self.objects.pop(_key(thing), None)
                self.changed(before, None)
            elif before is None or _number(thing) > _number(before):
                self.objects[_key(thing)] = after = stripped(thing)
                self.changed(before, after)

    def _replace(self, items: Iterable[Object]) -> None:
        fresh = {_key(thing): stripped(thing) for thing in items}
        before, self.objects = self.objects, fresh
        for key in before.keys() | fresh.keys():
            if before.get(key) != fresh.get(key):
                self.changed(before.get(key), fresh.get(key))

    def _heard(self) -> None:
        self.heard_s, self.failing = time.monotonic(), ""


def stripped(thing: Object) -> Object:
    """An object without managedFields, which are most of it and of no use here."""
    meta = {key: value for key, value in thing["metadata"].items() if key != "managedFields"}
    return {**thing, "metadata": meta}


def _key(thing: Object) -> Key:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def _number(thing: Object) -> int:
    """How new an object is: since Kubernetes 1.35 versions of one kind may be compared; before, every server did so too."""
    with suppress(ValueError):
        return int(thing["metadata"]["resourceVersion"])
    return 0


def _delay_s(failures: int, wish_s: float | None) -> float:
    delay_s = min(MOST_S, FIRST_S * 2.0 ** min(failures - 1, 10))
    return max(wish_s or 0.0, delay_s * random.uniform(0.5, 1.0))  # noqa: S311  # spread, no secret
