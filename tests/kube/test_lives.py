"""From creation to deletion: who wins an item, who may use an account, what holds a deletion up and what lets it go."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from kube.conftest import Cluster
from kube.running import Operator, Platform, condition, expect_soon, manifest, ready

from reconciler.kinds import registry
from reconciler.platforms.embedded.calls import Call
from reconciler.sources.kube.client import path, path_of

Start = Callable[..., Operator]
OVERRIDE = {"endpoint": {"id": "ep-1"}, "rpm": 5, "tpm": 50}


@pytest.fixture
def account(cluster: Cluster, platform: Platform) -> None:
    platform.models("m", "n")
    platform.endpoints("ep-1", of="m")
    cluster.apply(platform.account())


def there(cluster: Cluster, kind: str, name: str) -> bool:
    spaced = path_of(registry()[kind], "default")
    return any(each["metadata"]["name"] == name for each in cluster.admin.list(spaced, {}).items)


def told(cluster: Cluster) -> set[tuple[str, str, str]]:
    """The Events: about whom, of which type, and the reason."""
    items = cluster.admin.list(path("/api/v1", "events", "default"), {}).items
    return {(each["involvedObject"]["name"], each["type"], each["reason"]) for each in items}


def is_(cluster: Cluster, kind: str, name: str, *wanted: str) -> Callable[[], Any]:
    return lambda: ready(cluster.get(kind, name))[-1] in wanted and cluster.get(kind, name)


def test_an_override_is_taken_back_before_its_resource_is_gone(cluster: Cluster, account: None, start: Start) -> None:
    operator = start()
    cluster.apply(manifest("EndpointRateOverride", "o", **OVERRIDE))
    expect_soon(is_(cluster, "EndpointRateOverride", "o", "Ready"))
    cluster.delete("EndpointRateOverride", "o")
    expect_soon(lambda: not there(cluster, "EndpointRateOverride", "o"))

    def done() -> list[tuple[str, str]]:
        return [(o.address, o.result.value) for each in operator.passes for o in each.report.outcomes]

    expect_soon(lambda: ("EndpointRateOverride/ep-1", "applied") in done())


def test_what_is_retained_is_left_and_goes_at_once(cluster: Cluster, account: None, start: Start) -> None:
    operator = start()
    cluster.apply(manifest("InferenceLimit", "l", model="m", tokens=100))
    cluster.apply(manifest("ModelActivation", "m", model="m"))
    expect_soon(is_(cluster, "InferenceLimit", "l", "Ready"))
    cluster.delete("InferenceLimit", "l")
    assert not there(cluster, "InferenceLimit", "l")
    gone = expect_soon(lambda: [each.report for each in operator.passes if not each.report.declared.limits])
    assert not gone[0].outcomes


def test_a_resource_made_again_by_the_same_name_is_told_how_it_stands(
    cluster: Cluster, account: None, start: Start
) -> None:
    start()
    for _ in range(2):
        cluster.apply(manifest("ModelActivation", "m", model="m"))
        cluster.apply(manifest("InferenceLimit", "l", model="m", tokens=100))
        expect_soon(is_(cluster, "ModelActivation", "m", "Ready"))
        expect_soon(is_(cluster, "InferenceLimit", "l", "Ready"))
        cluster.delete("ModelActivation", "m")
        cluster.delete("InferenceLimit", "l")


def test_a_deletion_that_is_blocked_says_why_and_has_a_way_out(cluster: Cluster, account: None, start: Start) -> None:
    start()
    protected = {"modelpolicy.dev/protect": "true"}
    cluster.apply(manifest("EndpointRateOverride", "o", annotations=protected, **OVERRIDE))
    expect_soon(is_(cluster, "EndpointRateOverride", "o", "Ready"))
    cluster.delete("EndpointRateOverride", "o")
    thing = expect_soon(is_(cluster, "EndpointRateOverride", "o", "DeletionBlocked"))
    assert "protect" in condition(thing, "Ready")["message"]
    assert condition(thing, "Stalled")["status"] == "True"
    cluster.apply(manifest("EndpointRateOverride", "o", **OVERRIDE))  # without the annotation
    expect_soon(lambda: not there(cluster, "EndpointRateOverride", "o"))


def test_a_resource_whose_account_is_gone_is_let_go_by_retain(cluster: Cluster, account: None, start: Start) -> None:
    start()
    cluster.apply(manifest("EndpointRateOverride", "o", **OVERRIDE))
    expect_soon(is_(cluster, "EndpointRateOverride", "o", "Ready"))
    cluster.delete("PlatformAccount", "default")
    thing = expect_soon(is_(cluster, "EndpointRateOverride", "o", "TargetNotFound"))
    assert "there is no PlatformAccount 'default/default'" in condition(thing, "Accepted")["message"]
    cluster.delete("EndpointRateOverride", "o")
    thing = expect_soon(is_(cluster, "EndpointRateOverride", "o", "DeletionBlocked"))
    assert "deletionPolicy to Retain" in condition(thing, "Ready")["message"]
    cluster.apply(manifest("EndpointRateOverride", "o", **OVERRIDE, deletionPolicy="Retain"))
    expect_soon(lambda: not there(cluster, "EndpointRateOverride", "o"))


def test_of_two_that_claim_one_item_the_older_wins_and_the_other_is_told(
    cluster: Cluster, account: None, start: Start
) -> None:
    cluster.apply(manifest("InferenceLimit", "a", model="m", tokens=100))
    cluster.apply(manifest("InferenceLimit", "b", model="m", tokens=200))
    cluster.apply(manifest("ModelActivation", "m", model="m"))
    start()
    assert condition(expect_soon(is_(cluster, "InferenceLimit", "b", "Conflicted")), "Accepted")["status"] == "False"
    older = expect_soon(is_(cluster, "InferenceLimit", "a", "Ready"))
    assert older["status"]["tokens"] == 100
    assert (condition(older, "Accepted")["status"], condition(older, "Accepted")["reason"]) == ("True", "Conflicted")
    assert "InferenceLimit/default/b" in condition(older, "Accepted")["message"]
    expect_soon(lambda: {("a", "Warning", "Conflicted"), ("b", "Warning", "Conflicted")} <= told(cluster))
    cluster.delete("InferenceLimit", "a")
    expect_soon(is_(cluster, "InferenceLimit", "b", "Ready", "CoolingDown"))


def test_an_account_is_used_from_its_own_namespace_and_from_those_it_allows(
    cluster: Cluster, platform: Platform, start: Start
) -> None:
    cluster.space("team-a", "team-b")
    platform.models("m", "n")
    cluster.apply(platform.account(allowedNamespaces=["team-a"]))
    ref = {"name": "default", "namespace": "default"}
    cluster.apply(manifest("ModelActivation", "x", "team-a", model="m", accountRef=ref))
    cluster.apply(manifest("ModelActivation", "x", "team-b", model="n", accountRef=ref))
    start()
    expect_soon(lambda: ready(cluster.get("ModelActivation", "x", "team-a"))[1] == "Ready")
    refused = expect_soon(
        lambda: ready(t := cluster.get("ModelActivation", "x", "team-b"))[1] == "TargetNotFound" and t
    )
    assert "does not allow resources of namespace 'team-b'" in condition(refused, "Accepted")["message"]


def test_events_tell_what_was_done_and_what_went_wrong(cluster: Cluster, account: None, start: Start) -> None:
    start()
    cluster.apply(manifest("ModelActivation", "a", model="m"))
    cluster.apply(manifest("ModelActivation", "b", model="unheard-of"))

    expect_soon(lambda: {("a", "Normal", "Applied"), ("b", "Warning", "TargetNotFound")} <= told(cluster))


def test_a_model_that_the_platform_paused_is_told_in_the_status_and_once_in_an_event(
    cluster: Cluster, account: None, platform: Platform, start: Start
) -> None:
    operator = start(interval_s=0.5)
    cluster.apply(manifest("ModelActivation", "m", model="m"))
    cluster.apply(manifest("InferenceLimit", "l", model="m", tokens=100))
    expect_soon(is_(cluster, "InferenceLimit", "l", "Ready"))
    platform.engine.use(Call("m", 100))
    thing = expect_soon(lambda: (t := cluster.get("InferenceLimit", "l"))["status"].get("paused") and t)
    assert (thing["status"]["used"], thing["status"]["paused"]["reason"]) == (100, "LimitReached")
    assert ready(thing) == ("True", "Ready")
    passes = len(operator.passes)
    expect_soon(lambda: len(operator.passes) > passes + 2)
    items = cluster.admin.list(path("/api/v1", "events", "default"), {}).items
    (event,) = [each for each in items if each["reason"] == "ModelPaused"]
    assert (event["type"], event["involvedObject"]["kind"]) == ("Warning", "InferenceLimit")


def test_a_person_asks_for_a_look_pauses_and_goes_on_by_annotation(
    cluster: Cluster, account: None, platform: Platform, start: Start
) -> None:
    start(interval_s=600.0)
    cluster.apply(manifest("ModelActivation", "a", model="late"))
    expect_soon(is_(cluster, "ModelActivation", "a", "TargetNotFound"))
    platform.models("late")
    cluster.apply(manifest("ModelActivation", "a", annotations={"modelpolicy.dev/requested-at": "1"}, model="late"))
    expect_soon(is_(cluster, "ModelActivation", "a", "Ready"))
    paused = {"modelpolicy.dev/paused": "true"}
    cluster.apply(manifest("ModelActivation", "a", annotations=paused, model="late"))
    expect_soon(lambda: condition(cluster.get("ModelActivation", "a"), "Paused"))
    cluster.apply(manifest("ModelActivation", "a", model="late"))
    expect_soon(lambda: not condition(cluster.get("ModelActivation", "a"), "Paused"))


def test_a_guard_is_waved_through_on_the_account_only_and_with_a_reason(
    cluster: Cluster, platform: Platform, start: Start
) -> None:
    platform.models("m")
    cluster.apply(platform.account(allowActivation=False))
    allow = {"modelpolicy.dev/allow": "consent: agreed in the budget meeting"}
    cluster.apply(manifest("ModelActivation", "a", annotations=allow, model="m"))
    start()
    expect_soon(is_(cluster, "ModelActivation", "a", "ConsentRequired"))
    cluster.apply({**platform.account(allowActivation=False), "metadata": {"name": "default", "annotations": allow}})
    expect_soon(is_(cluster, "ModelActivation", "a", "Ready"))


def test_a_file_of_the_operators_is_no_key_of_an_account(cluster: Cluster, start: Start) -> None:
    start()
    ark = {"endpoint": "http://127.0.0.1:9", "credentials": {"file": "/etc/passwd"}}
    cluster.apply(manifest("PlatformAccount", "default", platform="ark", ark=ark))
    thing = expect_soon(is_(cluster, "PlatformAccount", "default", "CredentialsInvalid"))
    assert "in a cluster name a Secret" in condition(thing, "Ready")["message"]


def secret(value: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key in ("accessKey", "secretKey")}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": data}


def test_an_account_without_its_secret_says_so_and_hears_of_a_new_one(cluster: Cluster, start: Start) -> None:
    ark = {"endpoint": "http://127.0.0.1:9", "credentials": {"secretName": "keys"}}
    operator = start()
    cluster.apply(manifest("PlatformAccount", "default", platform="ark", ark=ark))
    thing = expect_soon(is_(cluster, "PlatformAccount", "default", "TargetNotFound"))
    assert "Secret default/keys does not exist" in condition(thing, "Ready")["message"]
    cluster.admin.request("POST", path("/api/v1", "secrets", "default"), secret("a"))
    try:
        operator.source.look_at_secrets(operator.controller._reload)
        expect_soon(is_(cluster, "PlatformAccount", "default", "PlatformUnavailable"))
        assert "a" * 5 not in str(cluster.get("PlatformAccount", "default")["status"])
    finally:
        cluster.admin.request("DELETE", path("/api/v1", "secrets", "default", "keys"))
