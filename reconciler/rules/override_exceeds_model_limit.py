"""An override is above the model-level limit that all endpoints of the model share, so it can never take effect (S28, S30, D1).

Why: an endpoint runs at the lower of its override and what remains of the model's pool. Capacity of its own (a TPM guarantee
package, model units) lies outside the pool. Such an endpoint is looked at more closely; only where the platform does not show
even then whether it has any is this a warning.
What to do: lower the override, or ask for a higher model-level limit by ticket.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.endpoint_rate_override import EndpointRateOverrideSpec
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import RATE_TICKET_URL, expired, live_overrides, overrides_in, seen
from reconciler.state import UNOBSERVABLE, Endpoint, Rate, Snapshot, Target


@dataclass(frozen=True, slots=True)
class _Excess:
    """One half of an override that is above what the model allows."""

    override: Resource[EndpointRateOverrideSpec]
    endpoint: Endpoint
    half: str
    wanted: int
    allowed: int

    @property
    def undecided(self) -> bool:
        """Whether the endpoint may have capacity of its own."""
        return UNOBSERVABLE in (self.endpoint.scale_tier, self.endpoint.model_units)


def undecided(declared: Declared, snapshot: Snapshot, now: datetime) -> tuple[Target, ...]:
    """The endpoints on which the rule cannot decide until their capacity was looked up, sorted."""
    if all(each.scale_tier is not UNOBSERVABLE for each in snapshot.endpoints.values()):
        return ()
    found = {each.endpoint.id for each in _excesses(overrides_in(declared, snapshot), snapshot, now) if each.undecided}
    return tuple(Target("EndpointRateOverride", id_) for id_ in sorted(found))


def _excesses(
    overrides: Sequence[tuple[Resource[EndpointRateOverrideSpec], Endpoint]], snapshot: Snapshot, now: datetime
) -> Iterator[_Excess]:
    for override, endpoint in overrides:
        model = snapshot.models.get(endpoint.model)
        own_capacity = isinstance(endpoint.scale_tier, str) or isinstance(endpoint.model_units, str)
        if model is None or not isinstance(model.rate_limit, Rate) or own_capacity or expired(override, now):
            continue
        spec, pool = override.spec, model.rate_limit
        for half, wanted, allowed in (("rpm", spec.rpm, pool.rpm), ("tpm", spec.tpm, pool.tpm)):
            if wanted is not None and allowed is not None and wanted > allowed:
                yield _Excess(override, endpoint, half, wanted, allowed)


def _check(context: Context) -> Iterator[Finding]:
    for each in _excesses(live_overrides(context), seen(context), context.now):
        endpoint, half = each.endpoint, each.half
        found = RULE.finding(
            f"{half} {each.wanted:,} exceeds the {each.allowed:,} that {endpoint.model} allows, so it can never take effect on "
            f"{endpoint.name} ({endpoint.id})"
            + (" unless the endpoint has prepaid capacity, which cannot be seen" if each.undecided else ""),
            each.override,
            each.override.at("spec", half),
            hint=f"Lower {half} to at most {each.allowed}, or ask for a higher model-level limit: {RATE_TICKET_URL}",
        )
        yield replace(found, severity=Severity.WARNING, reason=None) if each.undecided else found


RULE = Rule(
    id="override-exceeds-model-limit",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S28", "S30", "D1"),
    phrase="依赖同一个基础模型的所有模型推理接入点，共享同一个基础模型的模型级别限流",
    check=_check,
    needs_platform=True,
)
