"""An operator at work in this process: on a cluster, with the embedded platform in a folder of its own."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kube.conftest import Cluster

from reconciler.controller import Controller, Pass, Settings, World, in_cluster
from reconciler.kinds import API_VERSION
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import open_engine
from reconciler.sources.kube.client import KubeError
from reconciler.sources.kube.cluster import Scope
from reconciler.sources.kube.election import Seal
from reconciler.state import Outcome


def manifest(
    kind: str, name: str, namespace: str = "default", annotations: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace} | ({"annotations": dict(annotations)} if annotations else {})
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta, "spec": spec}


@dataclass
class Platform:
    """The embedded platform that the account of the tests is on."""

    home: Path

    def __post_init__(self) -> None:
        self.path = self.home / "platform.db"
        self.engine = open_engine(self.path, lambda: datetime.now(UTC))

    def models(self, *names: str, **columns: Any) -> None:
        self._add(tuple(ModelEntry(name=name, columns={"domain": "LLM", **columns}) for name in names), ())

    def endpoints(self, *ids: str, of: str) -> None:
        self._add((), tuple(EndpointEntry(id=each, columns={"name": each, "model": of}) for each in ids))

    def _add(self, models: tuple[ModelEntry, ...], endpoints: tuple[EndpointEntry, ...]) -> None:
        with self.engine.store.write() as tx:
            put(tx, Contents(models=models, endpoints=endpoints, account={}), self.engine.now())

    def account(self, name: str = "default", namespace: str = "default", **more: Any) -> dict[str, Any]:
        return manifest("PlatformAccount", name, namespace, embedded={"path": str(self.path)}, **more)


@dataclass
class Operator:
    """`start` it; it works until `stop`, or until it is `killed`, which frees no lease and publishes nothing."""

    cluster: Cluster
    name: str = "one"
    lease_s: float = 15.0
    interval_s: float = 60.0
    scope: Scope = field(default_factory=Scope)
    token: str = ""
    lease: str = "modelpolicy-operator"
    passes: list[Pass] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)

    def start(self) -> "Operator":
        self.client = self.cluster.client(self.token) if self.token else self.cluster.client()
        seal = Seal("default", self.lease, self.name, self.lease_s)
        self.source = in_cluster.assemble(self.client, self.scope, seal, lambda: datetime.now(UTC))
        self.source.hear.append(self.passes.append)
        self.source.trouble = self.troubles.append
        world = World(
            clock=lambda: datetime.now(UTC), monotonic=time.monotonic, random=random.random, connect=self.source.connect,
            ledger=self.source.parts.ledger, actor=self.name, revision=lambda: "", ear=self,
        )  # fmt: skip
        self.controller = Controller(self.source, world, Settings(interval_s=self.interval_s))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"operator-{self.name}", daemon=True)
        self.thread.start()
        return self

    def _run(self) -> None:
        with in_cluster.listening(self.source, self.over) as synced:
            if synced:
                self.controller.run(self.over)
        self.client.close()

    def stop(self) -> None:
        self.over.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def freeze(self) -> None:
        """As if the process were killed: it renews nothing, hears nothing and does nothing more."""
        self.source.parts.election._client.request = _dead  # type: ignore[method-assign]
        self.client.request = _dead  # type: ignore[method-assign]
        self.source.parts.cluster.end()

    def led(self, account: str, holder: str) -> None:
        self.leads.append(holder)

    def outcome(self, account: str, outcome: Outcome) -> None: ...

    def trouble(self, account: str, message: str) -> None:
        self.troubles.append(message)


def _dead(*asked: Any, **how: Any) -> Any:
    raise KubeError("this process is dead")


def expect_soon(true: Callable[[], Any], within_s: float = 40.0, despite: type[Exception] = AssertionError) -> Any:
    """Wait for what is to come true, and return it; an exception of type `despite` only means: not yet."""
    end = time.monotonic() + within_s
    while True:
        try:
            value = true()
        except despite:
            value = None
        if value:
            return value
        assert time.monotonic() < end, f"not within {within_s} s"
        time.sleep(0.03)


def ready(thing: Mapping[str, Any]) -> tuple[str, str]:
    """Ready's status and reason, ("", "") where there is none."""
    conditions = thing.get("status", {}).get("conditions", ())
    return next(((c["status"], c["reason"]) for c in conditions if c["type"] == "Ready"), ("", ""))


def condition(thing: Mapping[str, Any], type_: str) -> Mapping[str, Any]:
    return next((c for c in thing.get("status", {}).get("conditions", ()) if c["type"] == type_), {})
