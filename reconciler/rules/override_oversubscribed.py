"""The overrides of a model's endpoints add up to more than the model-level limit that they share (S28, D1).

Why: that is allowed, but when all run at once some are throttled below their override; an override is a ceiling, no guarantee.
Counted are the declared overrides and the live ones of other endpoints; batch-only endpoints and model units are outside the pool.
What to do: nothing where bursts do not coincide; otherwise lower some, or ask for a higher model-level limit by ticket.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.endpoint_rate_override import EndpointRateOverrideSpec, shares_pool
from reconciler.rules import Context, Rule
from reconciler.rules.common import RATE_TICKET_URL, expired, live_overrides, seen
from reconciler.state import Endpoint, Rate

_Declared = dict[str, Resource[EndpointRateOverrideSpec]]


def _rate(endpoint: Endpoint, declared: _Declared, context: Context) -> Rate:
    """The override that the endpoint will have; no halves where it inherits, or shares no pool."""
    if not shares_pool(endpoint):
        return Rate()
    override = declared.get(endpoint.id)
    live = endpoint.override if isinstance(endpoint.override, Rate) else Rate()
    if override is None:
        return live
    if expired(override, context.now):
        return Rate()
    return Rate(override.spec.rpm or live.rpm, override.spec.tpm or live.tpm)


def _check(context: Context) -> Iterator[Finding]:
    snapshot = seen(context)
    declared = {endpoint.id: override for override, endpoint in live_overrides(context)}
    first: _Declared = {}
    for endpoint_id, override in declared.items():
        first.setdefault(snapshot.endpoints[endpoint_id].model, override)
    for name, override in first.items():
        model = snapshot.models.get(name)
        if model is None or not isinstance(model.rate_limit, Rate):
            continue
        rates = [_rate(endpoint, declared, context) for endpoint in snapshot.endpoints_by_model[name]]
        halves = (
            ("rpm", [rate.rpm for rate in rates if rate.rpm], model.rate_limit.rpm),
            ("tpm", [rate.tpm for rate in rates if rate.tpm], model.rate_limit.tpm),
        )
        for half, given, pool in halves:
            if pool and len(given) > 1 and sum(given) > pool:
                yield RULE.finding(
                    f"{len(given)} endpoints of {name} may use {sum(given):,} {half} together, {sum(given) / pool:.1f} times "
                    f"the {pool:,} that the model allows; when all are busy some are throttled",
                    override,
                    override.at("spec", half),
                    hint=f"Lower some of them, or ask for a higher model-level limit: {RATE_TICKET_URL}",
                )


RULE = Rule(
    id="override-oversubscribed",
    severity=Severity.WARNING,
    source=("S28", "D1"),
    phrase="依赖同一个基础模型的所有模型推理接入点，共享同一个基础模型的模型级别限流",
    check=_check,
    needs_platform=True,
)
