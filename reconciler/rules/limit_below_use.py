"""At the recent rate of use the limit will be reached within a day (S17).

Why: reaching it pauses the model: every call to it is refused until the limit is set again or removed. The recent rate is the
mean of the last 24 hours that can be seen. Of a limit that cannot be read, what was used since it was set is taken off.
What to do: raise tokens, or expect the outage.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.kinds.inference_limit import recent_hourly_use, tokens_left
from reconciler.rules import Context, Rule
from reconciler.rules.common import late, limit_record, live_limits

HORIZON_HOURS: Final = 24


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        rate = recent_hourly_use(model, context.now)
        left = tokens_left(limit.spec, model, limit_record(context, model.name))
        if not rate or left is None or left / rate >= HORIZON_HOURS:
            continue
        within = max(1, round(left / rate))
        yield RULE.finding(
            f"at {rate:,} tokens an hour the {left:,} tokens that the limit leaves {model.name} last about "
            f"{within} h; then the platform pauses it"
            if left
            else f"the limit of {model.name} is reached; the platform pauses it",
            limit,
            limit.at("spec", "tokens"),
            hint=f"A day at this rate takes {rate * HORIZON_HOURS:,} tokens{late(model)}.",
        )


RULE = Rule(
    id="limit-below-use",
    severity=Severity.WARNING,
    source=("S17",),
    phrase="达到限额后将自动暂停对应模型服务。请注意评估服务中断的风险",
    check=_check,
    needs_platform=True,
)
