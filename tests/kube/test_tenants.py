"""Several teams in one cluster: what one of them breaks holds up nobody else."""

from collections.abc import Callable
from typing import Any

from kube.conftest import Cluster
from kube.running import Operator, Platform, condition, manifest, ready, until

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
    until(lambda: ready(cluster.get("InferenceLimit", "b"))[0] == "True")
    refused = until(lambda: ready(t := cluster.get("InferenceLimit", "broken", "team-a"))[1] == "RuleViolation" and t)
    assert "whole number" in condition(refused, "Accepted")["message"]
