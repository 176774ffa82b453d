"""Objects by resource, namespace and name, each change under a new version, and the history that watches are served from."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str, str]  # resource ("platformaccounts.modelpolicy.dev", "secrets"), namespace, name


class Refused(Exception):
    """What the server answers instead: a Status with that code and reason."""

    def __init__(self, code: int, reason: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.retry_after_s = code, reason, message, retry_after_s

    @property
    def status(self) -> Object:
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": self.message, "reason": self.reason, "code": self.code}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One change: `version` it happened at, and the object after it (before it, where it was deleted)."""

    version: int
    resource: str
    type: str
    object: Object


@dataclass
class Store:
    """What is there. Objects are never changed in place."""

    objects: dict[Key, Object] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    version: int = 1
    compacted: int = 0
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))

    def put(self, key: Key, thing: Object, *, type_: str = "MODIFIED") -> Object:
        """Keep the object under a new version and tell the watches."""
        with self.changed:
            self.version += 1
            thing = json.loads(json.dumps(thing))
            thing["metadata"]["resourceVersion"] = str(self.version)
            if type_ == "DELETED":
                self.objects.pop(key, None)
            else:
                self.objects[key] = thing
            self.history.append(Event(self.version, key[0], type_, thing))
            self.changed.notify_all()
            return thing

    def all(self, resource: str, namespace: str) -> list[Object]:
        """The objects of a resource, by namespace and name; namespace "" is all of them."""
        with self.changed:
            return [
                thing
                for key, thing in sorted(self.objects.items())
                if key[0] == resource and namespace in ("", key[1])
            ]  # fmt: skip

    def since(self, version: int) -> Iterator[Event]:
        """The changes after a version; refuses one that is forgotten."""
        with self.changed:
            if version < self.compacted:
                raise Refused(410, "Expired", f"too old resource version: {version} ({self.compacted})")
            first = len(self.history)
            while first and self.history[first - 1].version > version:
                first -= 1
            return iter(self.history[first:])

    def compact(self) -> None:
        """Forget the history: whoever asks for what was before gets 410."""
        with self.changed:
            self.compacted = self.version
            self.history.clear()
            self.changed.notify_all()
