"""The back-off of a loop laid over a plan: what failed lately waits, unless another thing is wanted of it by now. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.plan.items import fingerprint
from reconciler.plan.values import Change, Plan, Wait
from reconciler.state import Target


def wish(change: Change) -> str:
    """The fingerprint of what a change wants."""
    return fingerprint({wanted.path: wanted.after for wanted in change.fields})


def patient(plan: Plan, waits: Mapping[tuple[Target, str], Wait]) -> Plan:
    """The plan with the waits, by item and wish; what was declared anew since is another wish and waits no more."""

    def waiting(change: Change) -> Change:
        wait = waits.get((change.target, wish(change)))
        if wait is None:
            return change
        return replace(change, not_before=max(wait.until, change.not_before or wait.until), wait=wait)

    return replace(plan, changes=tuple(map(waiting, plan.changes))) if waits else plan
