"""What happened, as Events on the resources: what people see in `kubectl describe`. Best effort: an Event that the server does not
take is dropped, and a burst is cut short, so that telling never keeps anybody from working.
"""

import queue
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.kinds import API_VERSION
from reconciler.sources.kube.client import Client, KubeError, path

MOST: Final = 1000  # waiting to be told
GAP_S: Final = 0.02  # between two
LENGTH: Final = 1000  # of a message; the server refuses more than 1024


@dataclass(frozen=True, slots=True)
class Told:
    """One Event: about whom (address and uid), in what word, and the sentence."""

    address: str
    uid: str
    reason: str
    message: str
    warning: bool = False


class Events:
    """Tells Events one after the other, in a thread of its own: `run` it."""

    def __init__(self, client: Client, identity: str) -> None:
        self._client = client
        self._identity = identity
        self._waiting: queue.Queue[Told] = queue.Queue(MOST)

    def tell(self, told: Told) -> None:
        """Soon, unless too much is waiting already."""
        try:
            self._waiting.put_nowait(told)
        except queue.Full:
            return

    def run(self, stop: threading.Event) -> None:
        """Tell what waits, until `stop`."""
        while not stop.is_set():
            try:
                told = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            self._post(told)
            stop.wait(GAP_S)

    def _post(self, told: Told) -> None:
        namespace = told.address.split("/")[1]
        try:
            self._client.request("POST", path("/api/v1", "events", namespace), self._body(told, namespace))
        except KubeError:
            return  # it was said in the log and in the status as well

    def _body(self, told: Told, namespace: str) -> dict[str, Any]:
        kind, _, name = told.address.split("/")
        now = datetime.now(UTC)
        whole, exact = now.strftime("%Y-%m-%dT%H:%M:%SZ"), now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name[:200]}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
            "involvedObject": {
                "apiVersion": API_VERSION, "kind": kind, "namespace": namespace, "name": name, "uid": told.uid,
            },
            "type": "Warning" if told.warning else "Normal",
            "reason": told.reason,
            "message": told.message[:LENGTH],
            "action": told.reason,
            "source": {"component": "modelpolicy"},
            "reportingComponent": "modelpolicy.dev/operator",
            "reportingInstance": self._identity[:128],
            "firstTimestamp": whole,
            "lastTimestamp": whole,
            "eventTime": exact,
            "count": 1,
        }  # fmt: skip
