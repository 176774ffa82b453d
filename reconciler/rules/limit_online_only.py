"""An inference limit governs online use only (S22): batch use neither counts towards it nor is paused by it.

Why: an endpoint that serves batch jobs only goes on spending after the limit was reached.
What to do: nothing, or bound the batch jobs themselves.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed, live_limits, seen


def _check(context: Context) -> Iterator[Finding]:
    by_model = seen(context).endpoints_by_model
    batch: dict[str, list[str]] = {}
    for limit, model in live_limits(context):
        if model.name not in batch:
            endpoints = by_model.get(model.name, ())
            batch[model.name] = [f"{one.name} ({one.id})" for one in endpoints if one.batch_only is True]
        if batch[model.name]:
            yield RULE.finding(
                f"the limit of {model.name} does not govern batch use: {listed(batch[model.name])} neither counts towards "
                "it nor is paused by it",
                limit,
                limit.at("spec", "model"),
            )


RULE = Rule(
    id="limit-online-only",
    severity=Severity.INFO,
    source=("S22",),
    phrase="推理限额仅适用于在线推理场景，不支持批量推理",
    check=_check,
    needs_platform=True,
    routine=True,
)
