"""The operator on a cluster: it makes the platform as declared, and every resource says how it stands."""

import time
from collections.abc import Callable

from kube.conftest import Cluster
from kube.running import Operator, Platform, expect_soon, manifest, ready

from reconciler.kinds import registry
from reconciler.sources.kube import client

Start = Callable[..., Operator]


def versions(cluster: Cluster) -> dict[str, str]:
    """The version of each of our resources: equal as long as nobody wrote any."""
    found = {}
    for kind in registry().values():
        for thing in cluster.admin.list(client.path_of(kind, None), {}).items:
            found[f"{kind.name}/{thing['metadata']['name']}"] = thing["metadata"]["resourceVersion"]
    return found


def test_a_resource_becomes_true_and_says_so(cluster: Cluster, platform: Platform, start: Start) -> None:
    platform.models("m")
    platform.endpoints("ep-1", of="m")
    start()
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens="2M"))
    cluster.apply(manifest("EndpointRateOverride", "a", endpoint={"name": "ep-1"}, rpm=5, tpm=50))
    for kind in ("ModelActivation", "InferenceLimit", "EndpointRateOverride", "PlatformAccount"):
        name = "default" if kind == "PlatformAccount" else "a"
        thing = expect_soon(lambda kind=kind, name=name: (t := cluster.get(kind, name)) and ready(t)[0] == "True" and t)
        assert thing["status"]["observedGeneration"] == thing["metadata"]["generation"] == 1
        assert ("modelpolicy.dev/revert" in thing["metadata"].get("finalizers", ())) is (kind == "EndpointRateOverride")
    assert cluster.get("InferenceLimit", "a")["status"]["tokens"] == 2_000_000
    assert cluster.get("EndpointRateOverride", "a")["status"]["endpointId"] == "ep-1"


def test_an_idle_cluster_is_not_written_not_even_by_a_new_operator(
    cluster: Cluster, platform: Platform, start: Start
) -> None:
    platform.models("m")
    operator = start(interval_s=0.3)
    cluster.apply(platform.account())
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens="2M"))
    expect_soon(
        lambda: (
            ready(cluster.get("InferenceLimit", "a"))[0] == "True"
            and ready(cluster.get("PlatformAccount", "default"))[0]
        )
    )
    time.sleep(0.5)
    before, passes = versions(cluster), len(operator.passes)
    expect_soon(lambda: len(operator.passes) > passes + 3)
    operator.stop()
    assert versions(cluster) == before
    new = start("two", interval_s=0.3)
    expect_soon(lambda: len(new.passes) > 3)
    assert versions(cluster) == before
    assert not operator.troubles
    assert not new.troubles
