"""Several teams in one cluster: what one of them breaks holds up nobody else."""

from collections.abc import Callable
from typing import Any

from kube.conftest import Cluster
from kube.running import Operator, Platform, condition, expect_soon, manifest, ready

from reconciler.sources.kube.cluster import Scope

Start = Callable[..., Operator]
# Taken by the API server, and not by us: whole numbers are beyond a structural schema.
BROKEN: dict[str, Any] = {"tokens": "1.0005k", "model": "m"}


def test_what_cannot_be_understood_holds_its_own_account_only(
    cluster: Cluster, platform: Platform, start: Start
) -> None:
    cluster.space("team-a")
    platform.models("m", "n")
    cluster.apply(platform.account())
    cluster.apply(manifest("PlatformAccount", "default", "team-a", embedded={"path": str(platform.home / "a.db")}))
    cluster.apply(manifest("InferenceLimit", "broken", "team-a", **BROKEN))
    cluster.apply(manifest("PolicyConstraint", "broken", "team-a", schema={"type": 5}, message="x"))
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("InferenceLimit", "b", model="m", tokens=100))
    cluster.apply(manifest("ModelActivation", "x", "team-a", model="doubao-seed-1-6"))
    start()
    expect_soon(lambda: ready(cluster.get("InferenceLimit", "b"))[0] == "True")
    refused = expect_soon(
        lambda: ready(t := cluster.get("InferenceLimit", "broken", "team-a"))[1] == "RuleViolation" and t
    )
    assert "whole number" in condition(refused, "Accepted")["message"]


def test_shards_share_a_cluster_and_each_tells_of_its_own(cluster: Cluster, platform: Platform, start: Start) -> None:
    cluster.space("team-a")
    platform.models("m")
    for space, shard in (("default", "1"), ("team-a", "2")):
        path = str(platform.path if shard == "1" else platform.home / "a.db")
        account = manifest("PlatformAccount", "default", space, embedded={"path": path})
        cluster.apply({**account, "metadata": {**account["metadata"], "labels": {"shard": shard}}})
    constraint = {"schema": {}, "message": "m", "match": {"kinds": ["ModelActivation"]}}
    cluster.apply(manifest("PolicyConstraint", "c", "team-a", **constraint))
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("ModelActivation", "x", "team-a", model="doubao-seed-1-6"))
    one = start("one", lease="one", scope=Scope((), "shard=1"), interval_s=0.3)
    expect_soon(lambda: ready(cluster.get("ModelActivation", "a"))[0] == "True")
    expect_soon(lambda: len(one.passes) > 2)
    assert "status" not in cluster.get("ModelActivation", "x", "team-a")
    assert "status" not in cluster.get("PolicyConstraint", "c", "team-a")
    start("two", lease="two", scope=Scope((), "shard=2"), interval_s=0.3)
    expect_soon(lambda: ready(cluster.get("ModelActivation", "x", "team-a"))[0] == "True")
    told = expect_soon(lambda: (t := cluster.get("PolicyConstraint", "c", "team-a")).get("status") and t)
    assert told["status"]["matched"] == 1
    assert {each.report.account.account for each in one.passes} == {"default/default"}
