"""An API server to measure on: a real one where KUBEBUILDER_ASSETS names it, else the test suite's own small one; and who works on it.

Both are the suite's (tests/kube). What an operator asks of the server is counted by the server itself.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import ENVIRONMENT, REPOSITORY
from reconciler.kinds import API_GROUP, API_VERSION, registry
from reconciler.sources.kube import client
from reconciler.sources.kube.client import Client, KubeError

sys.path.insert(0, str(REPOSITORY / "tests"))

WRITERS = 4
ACTIVATIONS = client.path_of(registry()["ModelActivation"], "default")
_ASKED = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass
class Cluster:
    """A running server with our kinds installed. `real`: of Kubernetes itself."""

    server: Any
    admin: Client
    kubeconfig: Path
    real: bool

    def asked(self) -> Counter[str]:
        """How many requests of each verb the server has answered that were about our kinds or events, a watch once."""
        if not self.real:
            return Counter(
                "WATCH" if one.watches else one.method for one in self.server.requests if _about_us(one.path)
            )
        with self.admin._send("GET", "/metrics", None, {}, "", 60) as answer:
            text = answer.data.decode()
        found: Counter[str] = Counter()
        for labels, count in _ASKED.findall(text):
            known = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if known["group"] == API_GROUP or known["resource"] == "events":
                found[known["verb"]] += int(float(count))
        return found


def _about_us(path: str) -> bool:
    return f"/{API_GROUP}/" in path or path.endswith("/events")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A server of our own, for one row."""
    from kube.conftest import install, wait_established
    from kube.real import ADMIN, RealServer
    from kube.small.http import SmallServer

    assets = os.environ.get("KUBEBUILDER_ASSETS")
    server: Any = RealServer(Path(assets), folder / "kube") if assets else SmallServer()
    try:
        if assets:
            server.start()
        ca_file = str(server.ca_file) if assets else None
        admin = client.at(server.url, token=ADMIN if assets else "", ca_file=ca_file)
        install(admin)
        wait_established(admin)
        yield Cluster(server, admin, _kubeconfig(folder, server.url, ca_file, ADMIN), bool(assets))
        admin.close()
    finally:
        server.close()


def _kubeconfig(folder: Path, url: str, ca_file: str | None, token: str) -> Path:
    authority = f"certificate-authority: {ca_file}, " if ca_file else ""
    file = folder / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n"
        f"clusters: [{{name: it, cluster: {{{authority}server: '{url}'}}}}]\n"
        f"users: [{{name: me, user: {{token: {token}}}}}]\n"
        "contexts: [{name: it, context: {cluster: it, user: me, namespace: default}}]\n",
        encoding="utf-8",
    )
    return file


def activation(number: int) -> dict[str, Any]:
    """One of many resources."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelActivation",
        "metadata": {"name": f"activation-{number}", "namespace": "default"},
        "spec": {"model": f"model-{number}"},
    }


def account(database: Path) -> dict[str, Any]:
    """The account that all of them are in."""
    return {
        "apiVersion": API_VERSION,
        "kind": "PlatformAccount",
        "metadata": {"name": "default", "namespace": "default"},
        "spec": {"platform": "embedded", "embedded": {"path": str(database)}},
    }


def each(count: int, work: Callable[[int], object]) -> None:
    """The same for each number, by a few writers at once."""
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(work, range(count), chunksize=8))


@contextmanager
def operator(arguments: Sequence[str], folder: Path, kubeconfig: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works on the cluster, until the end of the block."""
    with (folder / "operator.log").open("ab") as log:
        process = subprocess.Popen(
            arguments, cwd=folder, env={**ENVIRONMENT, "KUBECONFIG": str(kubeconfig)}, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


class Watcher:
    """Hears every change of the activations; `ready` holds those that became Ready, `changes` how often each was changed."""

    def __init__(self, cluster: Cluster) -> None:
        self.ready: set[str] = set()
        self.changes: Counter[str] = Counter()
        self._heard = threading.Condition()
        self._watch = cluster.admin.watch(ACTIVATIONS, {"resourceVersion": cluster.admin.list(ACTIVATIONS, {}).version})
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        with suppress(KubeError):
            for event in self._watch:
                if event["type"] == "MODIFIED":
                    self._note(event["object"])

    def _note(self, thing: dict[str, Any]) -> None:
        name = thing["metadata"]["name"]
        with self._heard:
            self.changes[name] += 1
            if is_ready(thing):
                self.ready.add(name)
            self._heard.notify_all()

    def wait(self, count: int, process: subprocess.Popen[bytes] | None, within_s: float = 900) -> None:
        """Until that many are Ready."""
        end = time.monotonic() + within_s
        with self._heard:
            while len(self.ready) < count:
                self._heard.wait(1)
                if time.monotonic() > end or (process is not None and process.poll() is not None):
                    raise SystemExit(f"{len(self.ready)} of {count} resources became Ready within {within_s:.0f} s")

    def close(self) -> None:
        self._watch.end()
        self._thread.join(5)


def is_ready(thing: dict[str, Any]) -> bool:
    conditions = thing.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
