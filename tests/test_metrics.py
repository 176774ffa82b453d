"""The metrics say what the last report says, and nothing that is gone from it."""

from datetime import timedelta

import pytest
from builders import NOW, endpoint, model, snapshot
from prometheus_client.parser import text_string_to_metric_families

from reconciler.errors import Permanent, Transient
from reconciler.finding import Location
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.metrics import Metrics
from reconciler.plan import Plan
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import Outcome, Result, Snapshot, Target
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth

LATER = NOW + timedelta(minutes=10)


def report(seen: Snapshot | None, *statuses: ResourceStatus, outcomes: tuple[Outcome, ...] = ()) -> Report:
    return Report(
        account=Resource("PlatformAccount", "default", PlatformAccountSpec(), Location("a.yaml", 1, 1)),
        declared=Declared(),
        started_at=NOW,
        finished_at=NOW,
        plan=Plan(account="default", inputs_digest="", observed_at=NOW),
        snapshot=seen,
        statuses=statuses,
        outcomes=outcomes,
    )


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(metrics: Metrics, metric: str, /, **labels: str) -> float | None:
    return samples(metrics).get((metric, frozenset(labels.items())))


def test_limits_use_and_effective_rates_are_as_observed() -> None:
    metrics = Metrics(lambda: LATER, lambda: 3)
    seen = snapshot(model("m", limit=2_000_000), endpoint("ep-1", "m"))
    metrics.passed(report(seen), "ok", 0.2)
    assert value(metrics, "modelpolicy_model_limit_tokens", account="default", model="m") == 2_000_000
    assert value(metrics, "modelpolicy_queue_depth") == 3
    assert value(metrics, "modelpolicy_passes_total", account="default", result="ok") == 1
    assert value(metrics, "modelpolicy_last_pass_timestamp_seconds", account="default") == NOW.timestamp()


def test_conditions_and_how_long_drift_lasts_are_told() -> None:
    drifted = Condition(ConditionType.DRIFTED, Truth.TRUE, Reason.DRIFTED, "tokens 1, declared 2", NOW)
    status = ResourceStatus(address="InferenceLimit/m", kind="InferenceLimit", conditions=(drifted,))
    metrics = Metrics(lambda: LATER, lambda: 0)
    metrics.passed(report(None, status), "ok", 0.2)
    labels = {"account": "default", "kind": "InferenceLimit", "name": "m"}
    assert value(metrics, "modelpolicy_drift_seconds", **labels) == 600
    assert value(metrics, "modelpolicy_condition", **labels, type="Drifted", status="True", reason="Drifted") == 1


def test_what_is_gone_from_the_report_is_gone_from_the_metrics() -> None:
    metrics = Metrics(lambda: LATER, lambda: 0)
    metrics.passed(report(snapshot(model("m", limit=5))), "ok", 0.1)
    metrics.passed(report(snapshot(model("other"))), "ok", 0.1)
    assert value(metrics, "modelpolicy_model_limit_tokens", account="default", model="m") is None


def test_changes_that_wait_are_counted_as_cooldowns() -> None:
    waits = Outcome("InferenceLimit/m", Target("InferenceLimit", "m"), Result.DEFERRED, not_before=LATER)
    metrics = Metrics(lambda: NOW, lambda: 0)
    metrics.passed(report(None, outcomes=(waits,)), "ok", 0.1)
    assert value(metrics, "modelpolicy_cooldowns_pending", account="default") == 1


def test_calls_are_counted_by_action_and_code() -> None:
    metrics = Metrics(lambda: NOW, lambda: 0)
    metrics.called("default", "observe", "ok")
    metrics.called("default", "set-limit", "FlowLimitExceeded")
    metrics.called("default", "observe", "ok")
    assert value(metrics, "modelpolicy_platform_calls_total", account="default", action="observe", code="ok") == 2


def test_every_call_to_the_platform_is_counted_with_how_it_ended() -> None:
    metrics = Metrics(lambda: NOW, lambda: 0)
    for error in (
        Transient("busy", code="FlowLimitExceeded"),
        Permanent("no", reason=Reason.PERMISSION_DENIED),
        OSError(),
    ):
        with pytest.raises(type(error)), metrics.calling("default", "set-limit"):
            raise error
    with metrics.calling("default", "set-limit"):
        pass
    codes = {dict(labels)["code"] for name, labels in samples(metrics) if name == "modelpolicy_platform_calls_total"}
    assert codes == {"FlowLimitExceeded", "PermissionDenied", "OSError", "ok"}


def test_a_standby_says_nothing_of_what_it_saw_while_it_led() -> None:
    metrics = Metrics(lambda: NOW, lambda: 0)
    metrics.leads("default", True)  # noqa: FBT003
    metrics.passed(report(snapshot(model("m", limit=5))), "ok", 0.1)
    metrics.leads("default", False)  # noqa: FBT003
    assert value(metrics, "modelpolicy_model_limit_tokens", account="default", model="m") is None
    assert value(metrics, "modelpolicy_leader", account="default") == 0


def test_an_account_that_is_declared_no_more_is_gone_from_the_metrics_until_it_comes_back() -> None:
    metrics = Metrics(lambda: NOW, lambda: 0)
    metrics.leads("default", True)  # noqa: FBT003
    metrics.passed(report(None), "ok", 0.1)
    metrics.declared(frozenset({"other"}))
    metrics.passed(report(None), "ok", 0.1)  # a pass that was under way
    assert value(metrics, "modelpolicy_last_pass_timestamp_seconds", account="default") is None
    assert value(metrics, "modelpolicy_leader", account="default") is None
    metrics.declared(frozenset({"default"}))
    metrics.passed(report(None), "ok", 0.1)
    assert value(metrics, "modelpolicy_last_pass_timestamp_seconds", account="default") == NOW.timestamp()
