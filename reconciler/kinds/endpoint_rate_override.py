"""EndpointRateOverride: the requests and tokens a minute of one inference endpoint (接入点限流)."""

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.kinds import Kind, Resource
from reconciler.kinds.common import DeletionPolicy, Moment, PolicySpec, RatePerMinute, Spec, Strict, fixed
from reconciler.state import UNOBSERVABLE, Endpoint, Fields, Listing, Operation, Rate, Snapshot, Target, Value, Write

RPM: Final = "rpm"
TPM: Final = "tpm"


class EndpointRef(Strict):
    """An inference endpoint, by id or by name: exactly one of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["id"]}, {"required": ["name"]}],
            "x-kubernetes-validations": [
                {"rule": "has(self.id) != has(self.name)", "message": "needs exactly one of id and name"},
                *fixed("the endpoint")["x-kubernetes-validations"],
            ],
        }
    )

    id: str | None = Field(
        default=None, min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="The endpoint's id, e.g. ep-20260101120000-abcde.",
    )  # fmt: skip
    name: str | None = Field(
        default=None, min_length=1, max_length=256,
        description="The endpoint's name. A name that two endpoints share is TargetNotFound: use the id.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.id is None) == (self.name is None):
            raise PydanticCustomError("endpoint_ref", "needs exactly one of id and name")
        return self


class EndpointRateOverrideSpec(PolicySpec):
    """How fast one endpoint may run, below the model-level limit that all endpoints of the model share (S28, S30). What is
    left out stays as it is on the platform."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["rpm"]}, {"required": ["tpm"]}],
            "x-kubernetes-validations": [
                {"rule": "has(self.rpm) || has(self.tpm)", "message": "needs rpm, tpm or both"}
            ],
        }
    )

    endpoint: EndpointRef = Field(description="Which endpoint, by id or by name.")
    rpm: RatePerMinute | None = Field(default=None, description="Requests per minute, from 1; absent: not managed.")
    tpm: RatePerMinute | None = Field(default=None, description="Tokens per minute, from 1; absent: not managed.")
    expires_at: Moment | None = Field(
        default=None,
        description="When the override ends, with a time zone (2026-12-01T00:00:00Z); the endpoint then inherits the "
        "model's rate again.",
    )  # fmt: skip
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.REVERT,
        description="What happens to the override when this declaration goes: Revert restores what it was before, "
        "Retain leaves it.",
    )

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if self.rpm is None and self.tpm is None:
            raise PydanticCustomError("override_empty", "needs rpm, tpm or both")
        return self


def shares_pool(endpoint: Endpoint) -> bool:
    """Whether the endpoint draws on its model's shared rate; batch-only traffic and model units do not (S29)."""
    return endpoint.batch_only is not True and not isinstance(endpoint.model_units, str)


def subscribed(endpoints: Iterable[Endpoint]) -> Rate:
    """What the live overrides of a model's endpoints add up to in the pool; a half is None where none sets it."""
    rates = [one.override for one in endpoints if isinstance(one.override, Rate) and shares_pool(one)]
    rpm, tpm = [one.rpm for one in rates if one.rpm], [one.tpm for one in rates if one.tpm]
    return Rate(sum(rpm) or None, sum(tpm) or None)


class _EndpointRateOverride(Kind[EndpointRateOverrideSpec]):
    name: ClassVar[str] = "EndpointRateOverride"
    plural: ClassVar[str] = "endpointrateoverrides"
    short_names: ClassVar[tuple[str, ...]] = ("ero",)
    spec: ClassVar[type[Spec]] = EndpointRateOverrideSpec
    columns: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Target", ".status.endpointId"),
        ("Desired", ".spec.rpm"),
        ("Observed", ".status.effective.rpm"),
        ("Desired-TPM", ".spec.tpm"),
        ("Observed-TPM", ".status.effective.tpm"),
    )
    selectable: ClassVar[tuple[str, ...]] = ("spec.accountRef.name", "spec.endpoint.id", "spec.endpoint.name")
    default: ClassVar[Fields] = MappingProxyType({RPM: None, TPM: None})
    listing: ClassVar[Listing] = Listing.ENDPOINTS
    account_wide: ClassVar[bool] = False

    def target(self, resource: Resource[Any], snapshot: Snapshot) -> Target | None:
        ref: EndpointRef = resource.spec.endpoint
        if ref.id is not None:
            return Target(self.name, ref.id) if ref.id in snapshot.endpoints else None
        ids = snapshot.endpoint_ids_by_name.get(ref.name or "", ())
        # Where the list is not whole, an endpoint that it does not name may bear the same name: none is picked then.
        return Target(self.name, ids[0]) if len(ids) == 1 and not snapshot.absence_unproven(self.listing) else None

    def desired(self, resource: Resource[Any], now: datetime) -> Fields:
        spec: EndpointRateOverrideSpec = resource.spec
        declared = {path: value for path, value in ((RPM, spec.rpm), (TPM, spec.tpm)) if value is not None}
        if self.expired(
            resource, now
        ):  # what was declared is inherited again, whatever it was before; the rest is not ours
            return dict.fromkeys(declared)
        return declared

    def live(self, snapshot: Snapshot, target: Target) -> Fields:
        override = snapshot.endpoints[target.name].override
        if override is UNOBSERVABLE:
            return {RPM: UNOBSERVABLE, TPM: UNOBSERVABLE}
        return {RPM: override.rpm, TPM: override.tpm} if override else self.default

    def lowers(self, snapshot: Snapshot, target: Target, path: str, before: Value, after: Value) -> bool:
        """Where it inherits, the endpoint has its model's rate."""
        if before is None and isinstance(after, int):
            model = snapshot.models.get(snapshot.endpoints[target.name].model)
            rate = model.rate_limit if model else None
            pool = getattr(rate, path, None) if isinstance(rate, Rate) else None
            return pool is None or after < pool
        return super().lowers(snapshot, target, path, before, after)

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:
        """One call with both halves: what is not wanted keeps its value. Taking a half away is a clear, which names what stays."""
        after = {**live, **wanted}
        if after == dict(live) or UNOBSERVABLE in after.values():
            return ()  # a half that cannot be seen could not travel along unchanged
        clears = any(after[half] is None and live[half] is not None for half in (RPM, TPM))
        return (Write(Operation.CLEAR_OVERRIDE if clears else Operation.SET_OVERRIDE, target, after),)

    def exists(self, snapshot: Snapshot, target: Target) -> bool:
        return target.name in snapshot.endpoints

    def model(self, snapshot: Snapshot, target: Target) -> str:
        return snapshot.endpoints[target.name].model

    def title(self, snapshot: Snapshot, target: Target) -> str:
        return snapshot.endpoints[target.name].name

    def expired(self, resource: Resource[Any], now: datetime) -> bool:
        expires_at: datetime | None = resource.spec.expires_at
        return expires_at is not None and expires_at <= now


KIND: Final = _EndpointRateOverride()
