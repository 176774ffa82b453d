"""Who leads: one Lease of coordination.k8s.io, renewed by its holder, taken over when it was not renewed for its length.

    holder   |--renew--renew--x (gone)
    standby  |......sees the same renewal for leaseDurationSeconds, by its own monotonic clock......|--takes it

Clocks of different machines are never compared. `held` is true until a quarter before the end of what the last answered renewal
grants, counted from when it was asked for: whoever asks it before each write never writes beside a successor.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.sources.kube.client import Client, KubeError, path

LEASE_S: Final = 15.0
MARGIN: Final = 0.25
BEATS: Final = 5  # in one lease
API: Final = "/apis/coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Seal:
    """Which lease, and who we are."""

    namespace: str
    name: str
    identity: str
    lease_s: float = LEASE_S


class Election:
    """Our part in the election. `run` in a thread of its own; `held` and `holder` from any."""

    def __init__(self, client: Client, seal: Seal) -> None:
        self._client = client.apart(max(1.0, seal.lease_s / BEATS))
        self._seal = seal
        self._until_s = 0.0
        self._seen: tuple[Any, float] = (None, 0.0)  # the renewal of another that was seen, and since when
        self.asked = threading.Event()  # set once the server answered, or did not, for the first time
        self.term = 0  # counts how often we took the lead
        self.holder = ""  # who leads, as last seen
        self.trouble = ""  # why the lease could not be asked for, "" where it could

    @property
    def first_answer_s(self) -> float:
        """How long, in seconds, the first answer may take."""
        return self._seal.lease_s / BEATS

    def held(self) -> bool:
        """Whether it is certain that nobody else leads now."""
        return _monotonic_s() < self._until_s

    def run(self, stop: threading.Event) -> None:
        """Renew or stand by until `stop`, then free the lease where it is ours."""
        while True:
            try:
                self._beat()
                self.trouble = ""
            except KubeError as error:
                self.trouble = str(error)
            self.asked.set()
            if stop.wait(self._seal.lease_s / BEATS):
                break
        self._release()
        self._client.close()

    def _beat(self) -> None:
        asked_s = _monotonic_s()
        found = self._found()
        spec = found.get("spec", {}) if found else {}
        self.holder = spec.get("holderIdentity") or ""
        mine = self.holder == self._seal.identity
        if not mine and self.holder and not self._is_over(spec, asked_s):
            self._until_s = 0.0
            return
        self._claim(found, again=mine)
        if not mine or not self._until_s:
            self.term += 1
        self.holder = self._seal.identity
        self._until_s = asked_s + self._seal.lease_s * (1 - MARGIN)

    def _is_over(self, spec: dict[str, Any], now_s: float) -> bool:
        """Whether the other holder was not seen to renew for the length that it asked for itself."""
        renewal = (spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))
        if self._seen[0] != renewal:
            self._seen = (renewal, now_s)
        return now_s - self._seen[1] > float(spec.get("leaseDurationSeconds") or self._seal.lease_s)

    def _found(self) -> dict[str, Any] | None:
        try:
            return self._client.request("GET", path(API, "leases", self._seal.namespace, self._seal.name))
        except KubeError as error:
            if error.missing:
                return None
            raise

    def _claim(self, found: dict[str, Any] | None, *, again: bool) -> None:
        """Write us as the holder; refused by the server where somebody else was faster."""
        old = found["spec"] if found else {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": self._seal.identity,
            "leaseDurationSeconds": max(1, round(self._seal.lease_s)),
            "acquireTime": old.get("acquireTime", now) if again else now,
            "renewTime": now,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (0 if again or not found else 1),
        }
        meta: dict[str, Any] = {"name": self._seal.name, "namespace": self._seal.namespace}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        if found is None:
            self._client.request("POST", path(API, "leases", self._seal.namespace), body)
            return
        meta["resourceVersion"] = found["metadata"]["resourceVersion"]
        self._client.request("PUT", path(API, "leases", self._seal.namespace, self._seal.name), body)

    def _release(self) -> None:
        """Free the lease at once, so that the standby need not wait; where that fails, it frees itself."""
        self._until_s = 0.0
        try:
            found = self._found()
            if found is None or found["spec"].get("holderIdentity") != self._seal.identity:
                return
            found["spec"] = {**found["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
            self._client.request("PUT", path(API, "leases", self._seal.namespace, self._seal.name), found)
        except KubeError:
            return


def _monotonic_s() -> float:
    """Seconds that also pass while the machine sleeps, where the system has such a clock."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)
