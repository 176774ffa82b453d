"""Findings, changes, outcomes, previous conditions and `now` become status conditions. Pure; one table decides.

The same conditions appear in `status` and on custom resources (metav1 shape); docs/reference/conditions.md tells them all.

    standing.py    what is judged: one account after a pass       situations.py  which row of the table a resource is in
    table.py       the rows: a reason's conditions and next look  conditions.py  rows and previous conditions -> conditions
    details.py     each kind's own status fields                  codec.py       to and from JSON
"""

from reconciler.status.codec import from_json, to_json
from reconciler.status.conditions import judge, next_wake
from reconciler.status.standing import Standing
from reconciler.status.values import Condition, ConditionType, ResourceStatus, Truth

__all__ = [
    "Condition",
    "ConditionType",
    "ResourceStatus",
    "Standing",
    "Truth",
    "from_json",
    "judge",
    "next_wake",
    "to_json",
]
