"""At the recent rate of use the limit will be reached within a day (S17).

Why: reaching it pauses the model: every call to it is refused until the limit is set again or removed. The recent rate is the
mean of the last 24 hours that can be seen. Of a limit that cannot be read, what was used since it was set is taken off.
What to do: raise tokens, or expect the outage.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.kinds.inference_limit import forecast, tokens_left
from reconciler.rules import Context, Rule
from reconciler.rules.common import late, limit_record, live_limits

HORIZON_HOURS: Final = 24


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        left = tokens_left(limit.spec, model, limit_record(context, model.name))
        foreseen = forecast(model, left, context.now)
        if foreseen is None or foreseen.left / foreseen.rate >= HORIZON_HOURS:
            continue
        yield RULE.finding(
            f"at {foreseen.rate:,} tokens an hour the {foreseen.left:,} tokens that the limit leaves {model.name} last "
            f"{foreseen}; then the platform pauses it"
            if foreseen.left
            else f"the limit of {model.name} is reached; the platform pauses it",
            limit,
            limit.at("spec", "tokens"),
            hint=f"A day at this rate takes {foreseen.rate * HORIZON_HOURS:,} tokens{late(model)}.",
        )


RULE = Rule(
    id="limit-below-use",
    severity=Severity.WARNING,
    source=("S17",),
    phrase="达到限额后将自动暂停对应模型服务。请注意评估服务中断的风险",
    check=_check,
    needs_platform=True,
)
