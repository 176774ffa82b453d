"""What a refused guard keeps back although the run goes on: its own changes and those that build on them. Pure.

It must not judge guards, and it carries nothing out.
"""

from reconciler import apply, guards
from reconciler.plan import Change, Plan
from reconciler.reasons import Reason
from reconciler.state import Outcome, Result


def held(plan: Plan) -> dict[Change, Outcome]:
    """The changes that are kept back, in the plan's order, with what becomes of them."""
    stopped = guards.stopped(plan)
    kept: dict[Change, Outcome] = {}
    of_model: dict[str | None, list[Change]] = {}
    for change in plan.changes:
        verdict = stopped.get((change.address, change.target))
        earlier = of_model.setdefault(change.model, [])
        of_account = of_model.get("", []) if change.model else []
        stands_on = next((one for one in (*earlier, *of_account) if apply.builds_on(change, one)), None)
        if verdict is not None:
            message, reason = f"guard {verdict.id} refused it: {verdict.message}", Reason.GUARD_REFUSED
        elif stands_on is not None:
            message, reason = f"builds on {stands_on.address}, which was held back", Reason.NOT_ATTEMPTED
        else:
            continue
        earlier.append(change)
        kept[change] = Outcome(change.address, change.target, Result.SKIPPED, message, reason)
    return kept
