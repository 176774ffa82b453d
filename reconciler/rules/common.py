"""What several rules share: the links of the platform's page, and how a resource finds what was seen of it.

No rule lives here. Nothing here raises on the user's input.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.declared import Declared
from reconciler.kinds.endpoint_rate_override import EndpointRateOverrideSpec
from reconciler.kinds.inference_limit import InferenceLimitSpec
from reconciler.rules import Context
from reconciler.state import Endpoint, Model, Record, Snapshot, Target

# 提交工单, as the platform's page on activation management links it (S8, S31).
TICKET_URL: Final = "https://console.volcengine.com/workorder/create?step=2&SubProductID=P00000165"
RATE_TICKET_URL: Final = f"{TICKET_URL}&FlowKey=EsSGZacbnCoLQiktFNCZ"
NAMED: Final = 5  # how many names a message lists before it counts the rest


def seen(context: Context) -> Snapshot:
    """The snapshot, for rules that need the platform and so never run without one."""
    assert context.snapshot is not None  # rules.check leaves out what needs the platform while there is none
    return context.snapshot


def live_limits(context: Context) -> Sequence[tuple[Resource[InferenceLimitSpec], Model]]:
    """Every declared limit of a model that was seen, with the model. Several rules ask, so it is kept."""
    known = context.kept.get(live_limits)
    if known is None:
        models, limits = seen(context).models, context.declared.limits
        known = [(limit, models[limit.spec.model]) for limit in limits if limit.spec.model in models]
        context.kept[live_limits] = known
    return known


def live_overrides(context: Context) -> Sequence[tuple[Resource[EndpointRateOverrideSpec], Endpoint]]:
    """Every declared override of an endpoint that was seen, with the endpoint. Several rules ask, so it is kept."""
    known = context.kept.get(live_overrides)
    if known is None:
        known = context.kept[live_overrides] = overrides_in(context.declared, seen(context))
    return known


def overrides_in(
    declared: Declared, snapshot: Snapshot
) -> Sequence[tuple[Resource[EndpointRateOverrideSpec], Endpoint]]:
    """The same, of a set and a snapshot."""
    kind = registry()["EndpointRateOverride"]
    targets = [(override, kind.target(override, snapshot)) for override in declared.overrides]
    return [(override, snapshot.endpoints[target.name]) for override, target in targets if target is not None]


def limit_record(context: Context, model: str) -> Record | None:
    """What is remembered of a model's limit."""
    return context.history.records.get(Target("InferenceLimit", model))


def expired(override: Resource[EndpointRateOverrideSpec], now: datetime) -> bool:
    """Whether the override is over: its endpoint inherits the model's rate."""
    return override.spec.expires_at is not None and override.spec.expires_at <= now


def not_known(finding: Finding, why: str) -> Finding:
    """The finding as a warning that becomes no condition: `why` is why the platform's list proves nothing."""
    hint = f"{why}. Nothing is changed on it until a sweep shows it, or shows that it is absent."
    return replace(finding, severity=Severity.WARNING, reason=None, hint=hint)


def listed(names: Iterable[str]) -> str:
    """Names in order, at most a handful, then how many more there are."""
    ordered = sorted(names)
    rest = len(ordered) - NAMED
    return ", ".join(ordered[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def others(resources: Iterable[Resource[Any]]) -> str:
    """Resources by address and place, in order, at most a handful."""
    return listed(resource.cited for resource in resources)


def late(model: Model) -> str:
    """How far the meter of a model's use may be behind, as the end of a sentence; "" where it is not."""
    if model.reading is None or not model.reading.delay:
        return ""
    minutes = round(model.reading.delay.total_seconds() / 60)
    return f"; use was read at {moment(model.reading.at)} and may be {minutes} min late"


def moment(time: datetime) -> str:
    """A time in UTC to the second, as messages write it."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
