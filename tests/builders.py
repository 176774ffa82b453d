"""Builders that show only what matters in a test: everything else is a plain, valid default.

declared(activation("m"), limit("m", 2_000_000))            what the files say
snapshot(model("m", limit=2_000_000), endpoint("ep-1", "m")) what the platform says
history(record(limit("m"), applied={"tokens": 1}))           what we remember
question(declared(...), snapshot(...))                       what the planner is asked
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic.alias_generators import to_camel

from reconciler.finding import Finding, Location, Severity
from reconciler.identity import Identity
from reconciler.kinds import Resource, registry
from reconciler.kinds.declared import DeclarationSet, Declared, Held
from reconciler.plan import Question
from reconciler.reasons import Reason
from reconciler.state import (
    NATIVE,
    ActivationState,
    Capability,
    Endpoint,
    History,
    Limit,
    Model,
    Operation,
    Rate,
    Record,
    Snapshot,
    Support,
    Switches,
    Target,
)

NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
M: Final = "doubao-seed-1-6"
EP: Final = "ep-1"
_META: Final = ("namespace", "labels", "annotations", "generation", "created", "deleting", "origin")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def resource(kind: str, name: str, **given: Any) -> Resource[Any]:
    """A resource of `kind`; keywords are spec fields in snake_case, or metadata (labels, annotations, generation ...)."""
    meta = {key: given.pop(key) for key in _META if key in given}
    spec = registry()[kind].spec.model_validate({to_camel(key.rstrip("_")): value for key, value in given.items()})
    meta.setdefault("origin", Location(f"policies/{name}.yaml", 1, 1))
    return Resource(kind, name, spec, **meta)


def _in_account(given: dict[str, Any]) -> dict[str, Any]:
    if "account" in given:
        given["account_ref"] = {"name": given.pop("account")}
    return given


def account(name: str = "default", **spec: Any) -> Resource[Any]:
    return resource("PlatformAccount", name, **spec)


def activation(of: str = M, *, name: str | None = None, **spec: Any) -> Resource[Any]:
    return resource("ModelActivation", name or of, model=of, **_in_account(spec))


def limit(of: str = M, tokens: int | str = 2_000_000, *, name: str | None = None, **spec: Any) -> Resource[Any]:
    return resource("InferenceLimit", name or of, model=of, tokens=tokens, **_in_account(spec))


def override(of: str = EP, *, name: str | None = None, **spec: Any) -> Resource[Any]:
    """An override of the endpoint with the id `of`, or by name with `endpoint={"name": ...}`; rpm 600 unless told."""
    if "rpm" not in spec and "tpm" not in spec:
        spec["rpm"] = 600
    spec.setdefault("endpoint", {"id": of})
    return resource("EndpointRateOverride", name or of, **_in_account(spec))


def constraint(name: str = "rule", schema: Mapping[str, Any] | None = None, **spec: Any) -> Resource[Any]:
    return resource("PolicyConstraint", name, schema=schema or {}, **{"message": "is not allowed", **spec})


def declared(*resources: Resource[Any], held: tuple[Held, ...] = (), complete: bool = True) -> Declared:
    return Declared(resources, held=held, complete=complete)


def model(name: str = M, **fields: Any) -> Model:
    """A live model, activated unless told; `limit` may be a number of tokens, `rate_limit` a pair (rpm, tpm)."""
    fields.setdefault("state", ActivationState.ACTIVATED)
    fields.setdefault("domain", "LLM")
    if isinstance(fields.get("limit"), int):
        fields["limit"] = Limit(fields["limit"])
    if isinstance(fields.get("rate_limit"), tuple):
        fields["rate_limit"] = Rate(*fields["rate_limit"])
    return Model(name=name, **fields)


def endpoint(id_: str = EP, of: str = M, **fields: Any) -> Endpoint:
    """A live endpoint that inherits its model's rate unless told; `override` may be a pair (rpm, tpm)."""
    if isinstance(fields.get("override"), tuple):
        fields["override"] = Rate(*fields["override"])
    return Endpoint(id=id_, **{"name": id_, "model": of, **fields})


def snapshot(*seen: Model | Endpoint | Switches, observed_at: datetime = NOW, identity: str = "1") -> Snapshot:
    """Models, endpoints and switches as one sweep saw them; an endpoint's model is added where it is not given."""
    models = {thing.name: thing for thing in seen if isinstance(thing, Model)}
    endpoints = {thing.id: thing for thing in seen if isinstance(thing, Endpoint)}
    for each in endpoints.values():
        models.setdefault(each.model, model(each.model))
    switches = next((thing for thing in seen if isinstance(thing, Switches)), Switches())
    return Snapshot(
        observed_at=observed_at, identity=Identity(platform="embedded", account=identity), models=models, endpoints=endpoints, switches=switches
    )  # fmt: skip


def target(of: Resource[Any]) -> Target:
    """The item that a resource claims on a platform that has it; an override must name its endpoint by id."""
    name = of.account if of.kind == "PlatformAccount" else getattr(of.spec, "model", None) or of.spec.endpoint.id
    return Target(of.kind, name)


def record(of: Resource[Any], **fields: Any) -> Record:
    """What is remembered of the item that `of` declares: owned by it, from its file, with its deletion policy."""
    policy = getattr(of.spec, "deletion_policy", None)
    known = {"owner": of.address, "source": of.origin.file, "deletion_policy": policy.value if policy else "Retain"}
    return Record(target=target(of), **{**known, **fields})


def history(*records: Record, exists: bool = True) -> History:
    return History({each.target: each for each in records}, exists=exists)


def error(of: Resource[Any], rule: str = "constraint", reason: Reason | None = Reason.RULE_VIOLATION) -> Finding:
    """An error finding about `of`."""
    return Finding(
        rule, Severity.ERROR, f"{of.name} breaks {rule}", location=of.origin, resource=of.address, reason=reason
    )


def capabilities(*manual: Operation, unsupported: tuple[Operation, ...] = ()) -> dict[Operation, Support]:
    """Every operation native but those given as manual (with a page) or unsupported."""
    by_hand = Support(Capability.MANUAL, "https://console.example/openManagement", "no published action")
    return {
        operation: by_hand
        if operation in manual
        else Support(Capability.UNSUPPORTED, note="there is no such thing here")
        if operation in unsupported
        else NATIVE
        for operation in Operation
    }


# What an account on Ark without private actions can do (A10).
ARK: Final = capabilities(
    Operation.SET_LIMIT,
    Operation.REMOVE_LIMIT,
    Operation.READ_LIMIT,
    Operation.DEACTIVATE,
    Operation.DROP_SUB_SERVICE,
    Operation.CLEAR_OVERRIDE,
    Operation.SET_FREE_TOKENS_ONLY,
    Operation.READ_FREE_TOKENS_ONLY,
)


def moved(of: Resource[Any], **spec: Any) -> Resource[Any]:
    """The same resource with other spec values (snake_case)."""
    return replace(of, spec=of.spec.model_copy(update=spec))


def question(everything: Declared, seen: Snapshot | None, past: History | None = None, **given: Any) -> Question:
    """What the planner is asked of account `default` (or `account=`); all operations native and nothing remembered unless told."""
    given.setdefault("declaration_set", DeclarationSet(under=given.pop("under", ())))
    of = given.pop("account", None) or everything.accounts.get("default") or account()
    given.setdefault("capabilities", capabilities())
    return Question(
        account=of, declared=everything, snapshot=seen, **{"now": NOW, "history": past or History(), **given}
    )
