"""What happens to clusters: many resources at once, leaders that die, servers that restart, watches that go deaf, throttling."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from kube.conftest import Cluster
from kube.real import RealServer
from kube.running import Operator, Platform, expect_soon, manifest, ready
from kube.small.http import Fault, SmallServer

from reconciler.controller import in_cluster
from reconciler.kinds import registry
from reconciler.sources.kube import client, reflector
from reconciler.sources.kube.client import KubeError

Start = Callable[..., Operator]
MANY = int(os.environ.get("MODELPOLICY_TEST_MANY", "60"))


@contextmanager
def counted(cluster: Cluster, kind: str) -> Iterator[Counter[str]]:
    """How often each resource of a kind is changed."""
    path, counts = client.path_of(registry()[kind], "default"), Counter[str]()
    watching = cluster.client()
    watch = watching.watch(path, {"resourceVersion": watching.list(path, {}).version})

    def count() -> None:
        with suppress(KubeError):
            for event in watch:
                if event["type"] == "MODIFIED":
                    counts[event["object"]["metadata"]["name"]] += 1

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    yield counts
    watch.end()
    thread.join(5)
    watching.close()


def all_ready(cluster: Cluster, kind: str, count: int) -> Callable[[], bool]:
    def look() -> bool:
        items = cluster.admin.list(client.path_of(registry()[kind], "default"), {}).items
        return len(items) == count and all(ready(thing)[0] == "True" for thing in items)

    return look


def test_many_resources_made_at_once_are_ready_with_one_status_write_each(
    cluster: Cluster, platform: Platform, start: Start
) -> None:
    platform.models(*(f"m{n}" for n in range(MANY)))
    operator = start()
    cluster.apply(platform.account())
    expect_soon(lambda: ready(cluster.get("PlatformAccount", "default"))[0] == "True")
    path = client.path_of(registry()["ModelActivation"], "default")
    with counted(cluster, "ModelActivation") as counts:
        for n in range(MANY):
            cluster.admin.request("POST", path, manifest("ModelActivation", f"a{n}", model=f"m{n}"))
        expect_soon(all_ready(cluster, "ModelActivation", MANY), 60)
        expect_soon(lambda: len(counts) == MANY)
    assert set(counts.values()) == {1}
    assert not operator.troubles


def test_a_standby_goes_on_where_a_killed_leader_stopped(cluster: Cluster, platform: Platform, start: Start) -> None:
    platform.models("m", "n")
    first = start("first", lease_s=2.0)
    cluster.apply(platform.account())
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens=100))
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    expect_soon(lambda: ready(cluster.get("InferenceLimit", "a"))[0] == "True")
    second = start("second", lease_s=2.0)
    expect_soon(lambda: second.leads)
    assert second.leads[0] in ("first", "nobody yet")
    first.freeze()
    cluster.apply(manifest("ModelActivation", "b", model="n"))
    expect_soon(lambda: ready(cluster.get("ModelActivation", "b"))[0] == "True")
    assert second.leads[-1] == ""
    assert not first.source.parts.election.held()
    record = cluster.get("InferenceLimit", "a")["status"]["managed"][0]["record"]
    assert '"set_at"' in record


def test_a_leader_that_stops_frees_the_lease_at_once(cluster: Cluster, platform: Platform, start: Start) -> None:
    first = start("first", lease_s=30.0)
    cluster.apply(platform.account())
    expect_soon(lambda: ready(cluster.get("PlatformAccount", "default"))[0] == "True")
    second = start("second", lease_s=5.0)
    first.stop()
    expect_soon(lambda: "" in second.leads, 25)


def test_nothing_is_lost_when_the_api_server_restarts(cluster: Cluster, platform: Platform, start: Start) -> None:
    platform.models("m", "n")
    operator = start(lease_s=10.0)
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    expect_soon(lambda: ready(cluster.get("ModelActivation", "a"))[0] == "True")
    cluster.server.restart(0.3)
    expect_soon(lambda: cluster.apply(manifest("ModelActivation", "b", model="n")), 30, KubeError)
    expect_soon(lambda: ready(cluster.get("ModelActivation", "b"))[0] == "True", 50, KubeError)
    assert ready(cluster.get("ModelActivation", "a"))[0] == "True"
    assert operator.leads == [""] or operator.leads[-1] == ""


@pytest.fixture
def small(cluster: Cluster) -> SmallServer:
    if isinstance(cluster.server, RealServer):
        pytest.skip("a real server takes no orders for trouble")
    return cluster.server


def settled(cluster: Cluster, platform: Platform, start: Start, **how: Any) -> Operator:
    """An operator that has its first resource ready."""
    platform.models("m", "n")
    operator = start(**how)
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    expect_soon(lambda: ready(cluster.get("ModelActivation", "a"))[0] == "True")
    return operator


def expect_b(cluster: Cluster, within_s: float = 40.0) -> None:
    """A second resource becomes ready too."""
    cluster.apply(manifest("ModelActivation", "b", model="n"))
    expect_soon(lambda: ready(cluster.get("ModelActivation", "b"))[0] == "True", within_s)


def test_a_history_that_is_forgotten_is_listed_again(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start
) -> None:
    settled(cluster, platform, start)
    small.faults += [Fault(path="?watch", drop=True, times=5)]
    small.store.compact()
    expect_b(cluster)


def test_a_list_whose_pages_expire_is_begun_again(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 1)
    small.faults += [Fault(path="modelactivations?list", code=410)]
    cluster.apply(manifest("ModelActivation", "z", model="m"))
    settled(cluster, platform, start)
    assert any("continue" in request.query for request in small.requests)


def test_a_deaf_watch_is_asked_anew(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SILENCE_S", 0.8)
    small.faults += [Fault(path="modelactivations?watch", deaf=True)]
    settled(cluster, platform, start)
    expect_b(cluster)


def test_throttling_and_failures_of_the_server_are_waited_out(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start
) -> None:
    operator = settled(cluster, platform, start)
    small.faults += [
        Fault("PATCH", "/status", code=429, retry_after_s=0),
        Fault("PATCH", "/status", code=503),
        Fault("GET", "?watch", drop=True, times=3),
    ]
    expect_b(cluster)
    assert not operator.troubles


def test_a_status_that_cannot_be_written_is_written_by_a_later_pass(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start
) -> None:
    operator = settled(cluster, platform, start)
    small.faults += [Fault("PATCH", "modelactivations/b/status", code=500, times=4)]
    expect_b(cluster)
    assert any("could not be written" in trouble for trouble in operator.troubles)


def test_a_reflector_survives_objects_that_come_and_go_while_it_is_not_looking(
    small: SmallServer, cluster: Cluster
) -> None:
    seen: list[tuple[str, str]] = []
    path = client.path_of(registry()["ModelActivation"], None)

    def told(before: Any, after: Any) -> None:
        name = (after or before)["metadata"]["name"]
        seen.append((name, "gone" if after is None else "new" if before is None else "other"))

    cluster.apply(manifest("ModelActivation", "a", model="m"))
    kept = reflector.Reflector(cluster.client(), path, told)
    stop = threading.Event()
    thread = threading.Thread(target=kept.run, args=(stop,), daemon=True)
    thread.start()
    expect_soon(lambda: seen == [("a", "new")])
    small.close()
    cluster.server.verbs.delete(small.verbs.resources["modelactivations.modelpolicy.dev"], ("modelactivations.modelpolicy.dev", "default", "a"), {})  # fmt: skip
    small.store.compact()
    small._serve(small.port)
    expect_soon(lambda: ("a", "gone") in seen)
    stop.set()
    kept.end()
    thread.join(5)


def test_what_keeps_it_from_the_cluster_for_long_is_told_once_and_so_is_its_end(
    small: SmallServer, cluster: Cluster, platform: Platform, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_cluster, "LASTING_S", 0.1)
    operator = settled(cluster, platform, start, lease_s=2.0)
    small.faults += [Fault(path="modelactivations?watch", code=503), Fault(path="leases", code=403, times=1000)]
    small.restart()
    expect_soon(lambda: "the lease: trouble was ordered" in operator.troubles)
    small.faults.clear()
    expect_soon(lambda: operator.troubles[-1] == "the cluster is heard again")
    assert operator.troubles.count("the lease: trouble was ordered") == 1
