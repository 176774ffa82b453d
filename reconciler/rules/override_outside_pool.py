"""An override is declared for an endpoint that runs on model units, whose traffic the shared pool does not govern (S29).

Why: model-level limits count calls billed by token only; what the units can carry bounds this endpoint, not the pool.
What to do: size the model units instead, or keep the override as a ceiling for what falls back to billing by token.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import expired, live_overrides


def _check(context: Context) -> Iterator[Finding]:
    for override, endpoint in live_overrides(context):
        if isinstance(endpoint.model_units, str) and not expired(override, context.now):
            yield RULE.finding(
                f"{endpoint.name} ({endpoint.id}) runs on model units; their traffic is not governed by the pool of {endpoint.model}",
                override,
                override.at("spec", "endpoint"),
                hint="Size the model units to what this endpoint may carry.",
            )


RULE = Rule(
    id="override-outside-pool",
    severity=Severity.WARNING,
    source=("S29",),
    phrase="模型调用限制仅包含按照Token后付费的模型调用，不包含购买的模型单元",
    check=_check,
    needs_platform=True,
)
