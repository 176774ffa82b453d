"""A limit that is meant to stay within the free quota (`freeQuotaOnly`) is not below what remains of it (S18, S19).

Why: the displayed remaining lags by up to an hour, so tokens must be strictly below it, less what may have been used since: the
busiest hour of the last 24 is the margin. Above that the model may spend paid tokens before the limit pauses it.
What to do: set tokens to at most the figure in the hint, or give up freeQuotaOnly.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.inference_limit import recent_hours, tokens_left
from reconciler.rules import Context, Rule
from reconciler.rules.common import late, limit_record, live_limits
from reconciler.state import UNOBSERVABLE, FreeTokens


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        free = model.free_tokens
        left = tokens_left(limit.spec, model, limit_record(context, model.name))
        if not limit.spec.free_quota_only or not isinstance(free, FreeTokens) or left is None:
            continue
        margin = max((used for _, used in recent_hours(model, context.now)), default=0)
        most = free.remaining - margin - 1
        if left > max(most, 0):
            less = f", less {margin:,} for the busiest recent hour" if margin else ""
            unread = "; use cannot be read, so no margin is kept for it" if model.hourly_use is UNOBSERVABLE else ""
            yield RULE.finding(
                f"the limit leaves {model.name} {left:,} tokens but {free.remaining:,} free ones remain{less}; "
                "beyond those every token is billed",
                limit,
                limit.at("spec", "tokens"),
                hint=f"Set tokens to at most {most}; the displayed remaining lags by up to an hour{unread}{late(model)}."
                if most > 0
                else "The free quota is as good as used up: no limit keeps this model within it.",
            )


RULE = Rule(
    id="limit-not-below-free-quota",
    severity=Severity.WARNING,
    source=("S18", "S19"),
    phrase="控制台显示的免费额度数据存在小时级延迟。如希望通过推理限额来控制仅使用免费额度，"
    "建议您设置的限额值尽量小于控制台显示的免费额度剩余值",
    check=_check,
    needs_platform=True,
)
