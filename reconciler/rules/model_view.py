"""What a PolicyConstraint of scope Model is run over: everything about one model, declared joined with live, as plain JSON.

    {"model": name,
     "activation": {"state", "subServices", ..., "declared": bool} | null,
     "limit":      {"tokens", ..., "declared": bool} | null,
     "overrides":  [{"endpoint": {"id", "name"}, "rpm", "tpm", ..., "declared": bool}, ...],
     "observed":   {"state", "freeTokens", "limit", "rateLimit", "domain", ...}}

What is declared wins over what is live; null is absent. What could not be seen is left out and named in `unseen`; offline
`observed` is {}. Builds each view once, in one walk over what is declared and one over what is live.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from reconciler.kinds import Resource, normal_form, normalised
from reconciler.rules import Context
from reconciler.rules.common import live_overrides
from reconciler.state import UNOBSERVABLE, Endpoint, FreeTokens, Limit, Model, Rate, Seen

ACTIVATION: Final = "activation"
LIMIT: Final = "limit"
OVERRIDES: Final = "overrides"
OBSERVED: Final = "observed"


@dataclass(frozen=True, slots=True)
class View:
    """One model's view with the resources it was joined from; `overrides` has None where an override is only live."""

    values: Mapping[str, Any]
    activation: Resource[Any] | None = None
    limit: Resource[Any] | None = None
    overrides: tuple[Resource[Any] | None, ...] = ()
    unseen: frozenset[str] = frozenset()

    @property
    def resources(self) -> tuple[Resource[Any], ...]:
        """What is declared about the model: its activation, its limit, its overrides."""
        return tuple(one for one in (self.activation, self.limit, *self.overrides) if one is not None)


def _declared(resource: Resource[Any]) -> dict[str, Any]:
    return {**normalised(resource)["spec"], "declared": True}


def _activation(model: Model | None, resource: Resource[Any] | None) -> dict[str, Any] | None:
    if resource is not None:
        return _declared(resource)
    if model is None:
        return None
    services = None if model.sub_services is UNOBSERVABLE else sorted(model.sub_services)
    state = None if model.state is UNOBSERVABLE else model.state.value
    return {"state": state, "subServices": services, "declared": False}


def _limit(model: Model | None, resource: Resource[Any] | None) -> dict[str, Any] | None:
    if resource is not None:
        return _declared(resource)
    live = model.limit if model else None
    return {"tokens": live.tokens, "declared": False} if isinstance(live, Limit) else None


def _overrides(
    endpoints: tuple[Endpoint, ...], declared: Mapping[str, Resource[Any]]
) -> list[tuple[dict[str, Any], Resource[Any] | None]]:
    found: list[tuple[dict[str, Any], Resource[Any] | None]] = []
    for endpoint in endpoints:
        ref = {"endpoint": {"id": endpoint.id, "name": endpoint.name}}
        resource, live = declared.get(endpoint.id), endpoint.override
        if resource is not None:
            found.append(({**_declared(resource), **ref}, resource))
        elif isinstance(live, Rate):
            found.append(({**ref, "rpm": live.rpm, "tpm": live.tpm, "declared": False}, None))
    return found


def _rate(rate: Seen[Rate]) -> dict[str, int | None] | None:
    return {"rpm": rate.rpm, "tpm": rate.tpm} if isinstance(rate, Rate) else None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _observed(model: Model, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """What the platform says of the model; null is absent, and what cannot be seen is left out."""
    free, limit = model.free_tokens, model.limit
    seen = {
        "state": model.state,
        "subServices": model.sub_services if model.sub_services is UNOBSERVABLE else sorted(model.sub_services),
        "billing": model.billing,
        "freeTokens": {"total": free.total, "consumed": free.consumed, "remaining": free.remaining}
        if isinstance(free, FreeTokens)
        else free,
        "limit": {"tokens": limit.tokens, "used": limit.used, "effectiveAt": _time(limit.effective_at)}
        if isinstance(limit, Limit)
        else limit,
        "rateLimit": model.rate_limit if model.rate_limit is UNOBSERVABLE else _rate(model.rate_limit),
        "domain": model.domain or None,
        "taskTypes": list(model.task_types),
        "deprecated": model.deprecated,
        "paused": model.pause.reason.value if model.pause else None,
        "endpoints": [
            {"id": one.id, "name": one.name, "modelVersion": one.model_version, "override": _rate(one.override)}
            for one in endpoints
        ],
    }
    return {key: getattr(value, "value", value) for key, value in seen.items() if value is not UNOBSERVABLE}


_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "integer"}
_FLAG: Final = {"type": "boolean"}


def _mapping(**fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": fields, "required": [*fields]}


def _or_null(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [shape, {"type": "null"}]}


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema that every view meets; `required` are the keys that are always there."""
    declared = {
        kind: _mapping(**normal_form.spec(kind)["properties"], declared=_FLAG)
        for kind in ("ModelActivation", "InferenceLimit", "EndpointRateOverride")
    }
    words = {"type": "array", "items": _TEXT}
    rate = _mapping(rpm=_or_null(_NUMBER), tpm=_or_null(_NUMBER))
    override = declared["EndpointRateOverride"]
    named = {**override, "properties": {**override["properties"], "endpoint": _mapping(id=_TEXT, name=_TEXT)}}
    live = _mapping(
        endpoint=_mapping(id=_TEXT, name=_TEXT), rpm=_or_null(_NUMBER), tpm=_or_null(_NUMBER), declared=_FLAG
    )
    activation = _mapping(state=_or_null(_TEXT), subServices=_or_null(words), declared=_FLAG)
    seen = _mapping(
        state=_TEXT,
        subServices=words,
        billing=_TEXT,
        freeTokens=_or_null(_mapping(total=_NUMBER, consumed=_NUMBER, remaining=_NUMBER)),
        limit=_or_null(_mapping(tokens=_NUMBER, used=_or_null(_NUMBER), effectiveAt=_or_null(_TEXT))),
        rateLimit=_or_null(rate),
        domain=_or_null(_TEXT),
        taskTypes=words,
        deprecated=_FLAG,
        paused=_or_null(_TEXT),
        endpoints={
            "type": "array",
            "items": _mapping(id=_TEXT, name=_TEXT, modelVersion=_or_null(_TEXT), override=_or_null(rate)),
        },
    )
    return {
        **_mapping(
            model=_TEXT,
            activation={"anyOf": [declared["ModelActivation"], activation, {"type": "null"}]},
            limit={"anyOf": [declared["InferenceLimit"], _mapping(tokens=_NUMBER, declared=_FLAG), {"type": "null"}]},
            overrides={"type": "array", "items": {"anyOf": [named, live]}},
            observed={**seen, "required": []},  # what cannot be seen is left out
        ),
        "required": ["model", ACTIVATION, LIMIT, OBSERVED],
    }


def views(context: Context) -> dict[str, View]:
    """The view of every model that is declared or live, by name. Several rules ask, so they are kept."""
    known = context.kept.get(views)
    if known is None:
        known = context.kept[views] = _views(context)
    return known


def _views(context: Context) -> dict[str, View]:
    declared, snapshot = context.declared, context.snapshot
    models = snapshot.models if snapshot else {}
    by_endpoint = {endpoint.id: override for override, endpoint in live_overrides(context)} if snapshot else {}
    found: dict[str, View] = {}
    for name in sorted({*models, *declared.activations_by_model, *declared.limits_by_model}):
        model = models.get(name)
        activation = next(iter(declared.activations_by_model.get(name, ())), None)
        limit = next(iter(declared.limits_by_model.get(name, ())), None)
        endpoints = snapshot.endpoints_by_model.get(name, ()) if snapshot else ()
        overrides = _overrides(endpoints, by_endpoint)
        values = {
            "model": name,
            ACTIVATION: _activation(model, activation),
            LIMIT: _limit(model, limit),
            OVERRIDES: [value for value, _ in overrides],
            OBSERVED: _observed(model, endpoints) if model else {},
        }
        hidden = {
            ACTIVATION: model is not None and activation is None and model.state is UNOBSERVABLE,
            LIMIT: model is not None and limit is None and model.limit is UNOBSERVABLE,
            OVERRIDES: snapshot is None,
        }
        unseen = frozenset(key for key, is_hidden in hidden.items() if is_hidden)
        found[name] = View(
            {key: value for key, value in values.items() if key not in unseen},
            activation,
            limit,
            tuple(resource for _, resource in overrides),
            unseen,
        )
    return found
