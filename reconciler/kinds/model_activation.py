"""ModelActivation: whether a model is activated on an account, and with which sub-services."""

from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from reconciler.kinds import Kind, Resource
from reconciler.kinds.common import DeletionPolicy, ModelName, PolicySpec, RatePerMinute, Spec, Strict, fixed
from reconciler.state import UNOBSERVABLE, Fields, Operation, Snapshot, Target, Value, Write

STATE: Final = "state"
SUB_SERVICES: Final = "subServices"


class DesiredState(StrEnum):
    """What a declaration may ask for; InviteOnly is the platform's alone (S8)."""

    ACTIVATED = "Activated"
    NOT_ACTIVATED = "NotActivated"


class SubService(StrEnum):
    """Charge items beside the base service that are switched on one by one."""

    CONTEXT_CACHE = "context-cache"  # prefix cache; excludes an inference limit (S23)
    FAST_INFER = "fast-infer"  # low-latency inference


class RequiredRate(Strict):
    """The model-level rate this workload needs. It is read-only on the platform: raising it takes a support ticket (S31)."""

    rpm: RatePerMinute | None = Field(default=None, description="Requests per minute the model must allow.")
    tpm: RatePerMinute | None = Field(default=None, description="Tokens per minute the model must allow.")


class ModelActivationSpec(PolicySpec):
    """Whether a model is activated on the account. Activating is a consent to pay: free tokens are used up first, then
    every token is billed. The account must say `allowActivation: true` before one is written."""

    model: ModelName = Field(json_schema_extra=fixed("the model"))
    state: DesiredState = Field(
        default=DesiredState.ACTIVATED, description="Activated or NotActivated. Invite-only models need a ticket first."
    )
    sub_services: Annotated[tuple[SubService, ...], Field(max_length=8)] | None = Field(
        default=None,
        description="Sub-services that are on: context-cache (prefix cache), fast-infer. Absent: not managed; "
        "an empty list: none. context-cache excludes an InferenceLimit on the same model.",
    )
    requires: RequiredRate | None = Field(
        default=None,
        description="Asserted against the read-only model-level rate limit; below it, Ready turns False with "
        "TicketRequired. Never blocks the activation.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description="What happens to the activation when this declaration goes: Retain leaves it, Revert restores what "
        "it was before.",
    )


class _ModelActivation(Kind[ModelActivationSpec]):
    name: ClassVar[str] = "ModelActivation"
    plural: ClassVar[str] = "modelactivations"
    short_names: ClassVar[tuple[str, ...]] = ("mact",)
    spec: ClassVar[type[Spec]] = ModelActivationSpec
    columns: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Target", ".spec.model"),
        ("Desired", ".spec.state"),
        ("Observed", ".status.state"),
    )
    selectable: ClassVar[tuple[str, ...]] = ("spec.accountRef.name", "spec.model", "spec.state")
    default: ClassVar[Fields] = MappingProxyType({STATE: DesiredState.NOT_ACTIVATED.value, SUB_SERVICES: ()})
    # An activation that was there before us, or that we cannot tell: switching it off may be an outage.
    revert_unknown: ClassVar[bool] = False

    def target(self, resource: Resource[Any], snapshot: Snapshot) -> Target | None:
        return Target(self.name, resource.spec.model) if resource.spec.model in snapshot.models else None

    def desired(self, resource: Resource[Any], now: datetime) -> Fields:  # noqa: ARG002  # same at any time
        spec: ModelActivationSpec = resource.spec
        fields: dict[str, Any] = {STATE: spec.state.value}
        if spec.sub_services is not None:
            fields[SUB_SERVICES] = tuple(sorted({service.value for service in spec.sub_services}))
        return fields

    def live(self, snapshot: Snapshot, target: Target) -> Fields:
        model = snapshot.models[target.name]
        services = model.sub_services
        return {
            STATE: model.state if model.state is UNOBSERVABLE else model.state.value,
            SUB_SERVICES: services if services is UNOBSERVABLE else tuple(sorted(services)),
        }

    def lowers(self, snapshot: Snapshot, target: Target, path: str, before: Value, after: Value) -> bool:
        """An activation only ever allows more."""
        if path == STATE:
            return after == DesiredState.NOT_ACTIVATED.value
        return super().lowers(snapshot, target, path, before, after)

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:
        writes: list[Write] = []
        activated = DesiredState.ACTIVATED.value
        state = wanted.get(STATE, live[STATE])
        if state != live[STATE] and state == activated:
            writes.append(Write(Operation.ACTIVATE, target))
        before, after = live[SUB_SERVICES], wanted.get(SUB_SERVICES, live[SUB_SERVICES])
        if before is UNOBSERVABLE:
            before = ()  # adding what is on already does no harm; what cannot be seen is not dropped
        if isinstance(before, tuple) and isinstance(after, tuple) and state == activated:
            for operation, services in (
                (Operation.DROP_SUB_SERVICE, set(before) - set(after)),
                (Operation.ADD_SUB_SERVICE, set(after) - set(before)),
            ):
                writes += [Write(operation, target, {"subService": service}) for service in sorted(services)]
        if state == DesiredState.NOT_ACTIVATED.value and live[STATE] in (activated, UNOBSERVABLE):
            writes.append(Write(Operation.DEACTIVATE, target))  # an invite-only model is not activated already
        return tuple(writes)


KIND: Final = _ModelActivation()
