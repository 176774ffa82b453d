"""Rows on an API server: from created to Ready, and what an idle operator asks for."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import clusters, inputs, peers
from benchmarks.clusters import ACTIVATIONS, Cluster, Watcher
from benchmarks.measuring import OURS, Row, ratio, turns
from reconciler.kinds import registry
from reconciler.sources.kube import client

INTERVAL_S = 15
KOPF = """
import datetime
import kopf

@kopf.on.startup()
def quiet(settings, **_):
    settings.posting.enabled = False

@kopf.on.create("modelpolicy.dev", "v1alpha1", "modelactivations")
def created(patch, meta, **_):
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch.status["conditions"] = [{"type": "Ready", "status": "True", "reason": "Programmed", "message": "",
                                   "lastTransitionTime": now}]
"""


def ready(folder: Path, runs: int) -> list[Row]:
    """1,000 resources are created; how long until all are Ready, against bare calls and against an operator by kopf."""
    count, number = 1_000, 0
    changes: list[float] = []
    with clusters.cluster(folder) as cluster:

        def home() -> Path:
            nonlocal number
            number += 1
            made = folder / f"turn-{number}"
            made.mkdir()
            return made

        def ours() -> float:
            with closing(_Ours(cluster, home(), count, interval_s=300)) as operator:
                took, watcher = operator.create()
                time.sleep(1)  # a second write to a resource would come now
                watcher.close()
                changes.append(sum(watcher.changes.values()) / count)
                _clear(cluster)
                return took

        contestants: dict[str, Callable[[], float]] = {
            "ours": ours,
            "bare": lambda: _bare(cluster, count),
            "kopf": lambda: _kopf(cluster, home(), count),
        }
        found = turns(contestants, max(1, runs // 2))
    at = f"{count:,}, {'a real' if cluster.real else 'the small'} API server"
    writes = max(changes)
    rows = [ratio("operator, created to Ready", at, found["ours"], found["bare"], floor_is="bare creates and patches", most=1.3),
            ratio("operator, created to Ready", at, found["ours"], found["kopf"], floor_is="kopf 1.45", most=1)]  # fmt: skip
    exact = Row("operator, status writes", at, writes, 1, "one a resource", writes, "1", writes == 1, unit="each")
    return [*rows, exact]


def idle(folder: Path, runs: int) -> list[Row]:  # noqa: ARG001  # one turn tells all: requests are counted
    """10,000 resources that nobody touches, for three intervals: what is asked of the server."""
    count = 10_000
    with clusters.cluster(folder) as cluster, closing(_Ours(cluster, folder, count, interval_s=INTERVAL_S)) as operator:
        operator.create()[1].close()
        time.sleep(INTERVAL_S * 1.2)  # the pass that looks once more at what was written
        before = cluster.asked()
        if before["POST"] < count:
            raise SystemExit(f"the server has counted {before} only")
        time.sleep(INTERVAL_S * 3.3)
        asked = cluster.asked() - before
    writes = sum(asked[verb] for verb in ("POST", "PUT", "PATCH", "APPLY", "DELETE"))
    rest = {verb: number for verb, number in sorted(asked.items()) if verb not in ("LIST", "WATCH", "GET")}
    at = f"{count:,}, 3 intervals of {INTERVAL_S} s, {'a real' if cluster.real else 'the small'} API server"
    note = ", ".join(f"{number} {verb}" for verb, number in sorted(asked.items())) or "nothing at all"
    return [Row("operator, idle", at, writes, 0, "no writes", writes, "0", not rest, unit="writes", note=note)]


class _Ours:
    """`modelpolicy operator` in a process of its own, with an account that is Ready."""

    def __init__(self, cluster: Cluster, folder: Path, count: int, interval_s: int) -> None:
        self.cluster, self.count = cluster, count
        database = inputs.platform(folder / "platform.db", count * 10 // 4, converged=False)
        lease = "bench-" + re.sub("[^a-z0-9]", "-", folder.name.lower()).strip("-")
        command = [*OURS, "operator", "--kubeconfig", str(cluster.kubeconfig), "--lease-namespace", "default",
                   "--lease-name", lease, "--interval", f"{interval_s}s"]  # fmt: skip
        self._running = clusters.operator(command, folder, cluster.kubeconfig)
        self.process = self._running.__enter__()
        manifest = clusters.account(database)
        self.account = client.path_of(registry()["PlatformAccount"], "default", "default")
        cluster.admin.apply(self.account, manifest)
        end = time.monotonic() + 60
        while not clusters.is_ready(cluster.admin.request("GET", self.account)):
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit((folder / "operator.log").read_text()[-2000:])
            time.sleep(0.05)

    def create(self) -> tuple[float, Watcher]:
        """Milliseconds from the first create until the last is Ready, and who watched."""
        return _created(self.cluster, self.count, self.process)

    def close(self) -> None:
        self._running.__exit__(None, None, None)
        self.cluster.admin.request("DELETE", self.account)


def _created(cluster: Cluster, count: int, process: Any) -> tuple[float, Watcher]:
    watcher = Watcher(cluster)
    started = time.perf_counter()
    clusters.each(count, lambda number: cluster.admin.request("POST", ACTIVATIONS, clusters.activation(number)))
    watcher.wait(count, process)
    took = (time.perf_counter() - started) * 1000
    return took, watcher


def _kopf(cluster: Cluster, folder: Path, count: int) -> float:
    (folder / "handler.py").write_text(KOPF, encoding="utf-8")
    command = [
        str(peers.environment("kopf") / "kopf"),
        "run",
        "--quiet",
        "--standalone",
        "--namespace",
        "default",
        "handler.py",
    ]
    with clusters.operator(command, folder, cluster.kubeconfig) as process:
        time.sleep(4)
        took, watcher = _created(cluster, count, process)
    watcher.close()
    _clear(cluster)
    return took


def _bare(cluster: Cluster, count: int) -> float:
    """Nothing but the calls: each resource created, and its status patched once."""
    conditions = [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Programmed",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]

    def both(number: int) -> None:
        made = clusters.activation(number)
        cluster.admin.request("POST", ACTIVATIONS, made)
        path = client.path_of(registry()["ModelActivation"], "default", made["metadata"]["name"], status=True)
        body = {"apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": made["metadata"]}
        cluster.admin.apply(path, {**body, "status": {"conditions": conditions}})

    started = time.perf_counter()
    clusters.each(count, both)
    took = (time.perf_counter() - started) * 1000
    _clear(cluster)
    return took


def _clear(cluster: Cluster) -> None:
    """No activation is left."""
    names = [one["metadata"]["name"] for one in cluster.admin.list(ACTIVATIONS, {}).items]

    def gone(number: int) -> None:
        path = client.path_of(registry()["ModelActivation"], "default", names[number])
        cluster.admin.merge(path, {"metadata": {"finalizers": None}})
        cluster.admin.request("DELETE", path)

    clusters.each(len(names), gone)
