"""A model's inference limit may be set again only two hours after it was last set (S21).

Why: the platform refuses an earlier setting, so the change waits and is carried out then by itself. Whether a removal starts
the interval anew is nowhere said; it is treated as if it did, and nothing is ever removed to get around it.
What to do: nothing; `apply` or `watch` after the time named carries it out.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.inference_limit import is_set_again, next_set_at
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import limit_record, live_limits, moment


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        record = limit_record(context, model.name)
        at = next_set_at(model.limit, record)
        if at is not None and at > context.now and is_set_again(limit.spec, model.limit, record):
            yield RULE.finding(
                f"the limit of {model.name} can be set again at {moment(at)}, two hours after it was last set; "
                "the change waits until then",
                limit,
                limit.at("spec", "tokens"),
                hint=f"Apply again after {moment(at)}.",
            )


RULE = Rule(
    id="limit-change-interval",
    severity=Severity.INFO,
    reason=Reason.COOLING_DOWN,
    source=("S21",),
    phrase="推理限额值仅可移除或者重新设置，账号下每个模型的推理限额设置需间隔至少 2 小时",
    check=_check,
    needs_platform=True,
)
