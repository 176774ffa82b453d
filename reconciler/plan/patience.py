"""The back-off of a loop laid over a plan: what failed lately waits, unless another thing is wanted of it by now. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.plan.items import fingerprint
from reconciler.plan.values import Change, Plan
from reconciler.state import Target


def wish(change: Change) -> str:
    """The fingerprint of what a change wants."""
    return fingerprint({wanted.path: wanted.after for wanted in change.fields})


def patient(plan: Plan, waits: Mapping[tuple[Target, str], datetime]) -> Plan:
    """The plan with the waits, by item and wish; what was declared anew since is another wish and waits no more."""

    def waiting(change: Change) -> Change:
        until = waits.get((change.target, wish(change)))
        return change if until is None else replace(change, not_before=max(until, change.not_before or until))

    return replace(plan, changes=tuple(map(waiting, plan.changes))) if waits else plan
