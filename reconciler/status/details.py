"""Each kind's own status fields, in their JSON shape (camelCase). What cannot be seen or is absent has no key."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconciler import isolation
from reconciler.kinds import Resource, registry
from reconciler.plan.question import could_match
from reconciler.rules import constraint
from reconciler.state import UNOBSERVABLE, Fields, FreeTokens, Limit, Model, Rate, Seen, Snapshot, Target
from reconciler.status.standing import Standing
from reconciler.status.values import ResourceStatus

SOON: Final = timedelta(days=1)  # before its end an override is called expiring


def of(
    standing: Standing,
    resource: Resource[Any],
    target: Target | None,
    next_look: datetime | None,
    before: ResourceStatus | None,
) -> Mapping[str, Any]:
    """The details of a resource; the previous ones where the platform, or the item, could not be seen."""
    if resource.kind == "PolicyConstraint":
        return _constraint(standing, resource)
    if resource.kind == "PlatformAccount" and standing.capabilities:
        return {"operations": {op.value: how.capability.value for op, how in sorted(standing.capabilities.items())}}
    if standing.snapshot is None or target is None or resource.kind == "PlatformAccount":
        return before.details if before else {}
    baseline = standing.record(target).baseline
    match resource.kind:
        case "ModelActivation":
            return _activation(standing.snapshot.models[target.name])
        case "InferenceLimit":
            return _limit(standing.snapshot.models[target.name], baseline, next_look)
        case _:
            return {**_override(standing.snapshot, target, baseline), **_ending(resource, standing.now)}


def moment(when: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second, as metav1.Time has it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value is not UNOBSERVABLE}


def _activation(model: Model) -> dict[str, Any]:
    free = model.free_tokens
    prices = [_known({"item": price.item, "amount": price.amount, "unit": price.unit}) for price in model.prices]
    return _known(
        {
            "state": model.state if model.state is UNOBSERVABLE else model.state.value,
            "freeTokens": free if free is UNOBSERVABLE else _free(free or FreeTokens(0, 0, 0)),
            "prices": prices or None,
            "modelRateLimit": _rate(model.rate_limit),
            "subServices": model.sub_services if model.sub_services is UNOBSERVABLE else sorted(model.sub_services),
            "docsUrl": model.docs_url or None,
            "paused": _paused(model),
        }
    )


def _free(free: FreeTokens) -> dict[str, Any]:
    counts = {"total": free.total, "consumed": free.consumed, "remaining": free.remaining}
    return _known({**counts, "observedAt": moment(free.observed_at)})


def _limit(model: Model, baseline: Fields | None, next_look: datetime | None) -> dict[str, Any]:
    limit = model.limit if isinstance(model.limit, Limit) else None
    return _known(
        {
            "tokens": limit.tokens if limit else None,
            "used": limit.used if limit else None,
            "effectiveAt": moment(limit.effective_at) if limit else None,
            "observedAt": moment(limit.observed_at) if limit else None,
            "paused": _paused(model),
            "nextAttemptTime": moment(next_look),
            "baseline": _baseline(baseline),
        }
    )


def _override(snapshot: Snapshot, target: Target, baseline: Fields | None) -> dict[str, Any]:
    endpoint = snapshot.endpoints[target.name]
    model = snapshot.models.get(endpoint.model)
    return _known(
        {
            "endpointId": endpoint.id,
            "model": endpoint.model,
            "effective": _rate(snapshot.effective_rate(endpoint)),
            "modelRateLimit": _rate(model.rate_limit) if model else None,
            "baseline": _baseline(baseline),
        }
    )


def _ending(resource: Resource[Any], now: datetime) -> dict[str, bool]:
    """Whether the override ends within a day: kept with the status, so that it is noticed once and not after each start."""
    ends = resource.spec.expires_at
    return {"expiring": True} if ends is not None and now < ends and ends - now <= SOON else {}


def _constraint(standing: Standing, resource: Resource[Any]) -> dict[str, Any]:
    """How many resources the constraint speaks of, and how many do not meet it."""
    governed = [each for each in standing.declared.resources if each.kind != "PolicyConstraint"]
    refused = {found.resource for found in standing.findings if constraint.told_by(found, resource)}
    matched = {each.address for each in governed if could_match(resource, each, _model_of(standing, each))}
    return {"matched": len(matched), "refused": len(refused)}


def _model_of(standing: Standing, resource: Resource[Any]) -> str | None:
    """The model of a resource; an override's only where the platform was seen."""
    kind, snapshot, named = registry()[resource.kind], standing.snapshot, getattr(resource.spec, "model", None)
    if snapshot is None:
        return named
    target = isolation.attempt(kind.target, resource, snapshot)  # its own status tells where that fails
    return named if target is None or isinstance(target, isolation.Failed) else kind.model(snapshot, target)


def _rate(rate: Seen[Rate]) -> dict[str, int] | None:
    return _known({"rpm": rate.rpm, "tpm": rate.tpm}) or None if isinstance(rate, Rate) else None


def _paused(model: Model) -> dict[str, Any] | None:
    pause = model.pause
    return _known({"reason": pause.reason.value, "since": moment(pause.since)}) if pause else None


def _baseline(baseline: Fields | None) -> dict[str, Any] | None:
    """What the item was before us; null stands for the platform's default, a missing key for what nobody saw."""
    if baseline is None:
        return None
    return {path: value for path, value in sorted(baseline.items()) if value is not UNOBSERVABLE}
