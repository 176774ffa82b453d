"""A status to and from JSON, so that a ledger or a custom resource can keep it: camelCase, conditions as metav1.Condition."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.reasons import Reason
from reconciler.state import Target
from reconciler.status.details import moment
from reconciler.status.values import Condition, ConditionType, ResourceStatus, Truth


def to_json(status: ResourceStatus) -> dict[str, Any]:
    """The status as JSON values; a field without a value has no key."""
    written: dict[str, Any] = {
        "address": status.address,
        "kind": status.kind,
        "conditions": [plain_condition(condition) for condition in status.conditions],
        "details": dict(status.details),
    }
    if status.target is not None:
        written["target"] = {"kind": status.target.kind, "name": status.target.name}
    if status.observed_generation is not None:
        written["observedGeneration"] = status.observed_generation
    if status.uid:
        written["uid"] = status.uid
    if status.next_attempt is not None:
        written["nextAttemptTime"] = moment(status.next_attempt)
    if status.failed_looks:
        written["failedLooks"] = status.failed_looks
    return written


def from_json(written: Mapping[str, Any]) -> ResourceStatus:
    """The status that `to_json` wrote."""
    target, next_attempt = written.get("target"), written.get("nextAttemptTime")
    return ResourceStatus(
        address=written["address"],
        kind=written["kind"],
        target=Target(target["kind"], target["name"]) if target else None,
        conditions=tuple(_read(condition) for condition in written.get("conditions", ())),
        details=written.get("details", {}),
        observed_generation=written.get("observedGeneration"),
        uid=written.get("uid", ""),
        next_attempt=datetime.fromisoformat(next_attempt) if next_attempt else None,
        failed_looks=written.get("failedLooks", 0),
    )


def plain_condition(condition: Condition) -> dict[str, Any]:
    """In the metav1 shape and camelCase, as on custom resources and in `-o json`, so that one query reads both."""
    written: dict[str, Any] = {
        "type": condition.type.value,
        "status": condition.status.value,
        "reason": condition.reason.value,
        "message": condition.message,
        "lastTransitionTime": moment(condition.last_transition_time),
    }
    if condition.observed_generation is not None:
        written["observedGeneration"] = condition.observed_generation
    return written


def _read(written: Mapping[str, Any]) -> Condition:
    return Condition(
        ConditionType(written["type"]),
        Truth(written["status"]),
        Reason(written["reason"]),
        written["message"],
        datetime.fromisoformat(written["lastTransitionTime"]),
        written.get("observedGeneration"),
    )
