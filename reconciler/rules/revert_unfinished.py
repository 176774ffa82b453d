"""An item that nothing declares any more is taken back only in part, because a step of it is done by hand.

Why: the item stays owned until all of it is back, so that what is left is not forgotten.
What to do: do by hand what the plan says (`modelpolicy plan --prune`); the next run sees it and lets go of the item.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import registry
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen
from reconciler.state import UNOBSERVABLE


def _check(context: Context) -> Iterator[Finding]:
    snapshot = seen(context)
    for target, record in sorted(context.history.records.items()):
        kind = registry()[target.kind]
        if not record.reverting or not record.owner or not kind.exists(snapshot, target):
            continue
        live, before = kind.live(snapshot, target), record.baseline or {}
        left = {
            path: live[path]
            for path in sorted(record.applied or {})
            if live[path] is not UNOBSERVABLE and live[path] != before.get(path, kind.default.get(path))
        }
        if left:
            named = ", ".join(f"{path} {value}" for path, value in left.items())
            yield Finding(
                RULE.id,
                RULE.severity,
                f"{target.kind}/{target.name}, once of {record.owner}, is taken back only in part: {named} is left",
                "modelpolicy plan --prune says what is to be done by hand.",
                Location(record.source),
                f"{target.kind}/{target.name}",
            )


RULE = Rule(id="revert-unfinished", severity=Severity.WARNING, check=_check, needs_platform=True)
