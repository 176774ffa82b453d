"""The shape of each kind's status, for the CRDs and for `explain`. What fills it is `status`'s business."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from reconciler.kinds.common import MAX_RATE, MAX_TOKENS, Moment

Text = Annotated[str, Field(max_length=1024)]
Name = Annotated[str, Field(max_length=256)]
Record = Annotated[str, Field(max_length=16384)]
Count = Annotated[int, Field(ge=-MAX_TOKENS, le=MAX_TOKENS)]
PerMinute = Annotated[int, Field(ge=0, le=MAX_RATE)]


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Condition(_Shape):
    """One aspect of how the resource stands, by the conventions of the Kubernetes API."""

    type: Annotated[str, Field(max_length=316, pattern=r"^[A-Za-z]+$")] = Field(
        description="Accepted, Programmed (CredentialsValid on an account), Ready; Reconciling, Stalled, Drifted, Paused."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]+$")] = Field(
        description="Why, in one word that programs may rely on."
    )
    message: Annotated[str, Field(max_length=32768)] = Field(description="Why, for people.")
    last_transition_time: Moment = Field(description="When `status` last changed.")
    observed_generation: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = Field(
        default=None, description="The generation of the spec that was judged."
    )


class Rate(_Shape):
    """Requests and tokens a minute."""

    rpm: PerMinute | None = Field(default=None, description="Requests a minute.")
    tpm: PerMinute | None = Field(default=None, description="Tokens a minute.")


class FreeTokens(_Shape):
    """The model's free quota as the platform displays it; it lags by up to an hour."""

    total: Count | None = Field(default=None, description="Free tokens given.")
    consumed: Count | None = Field(default=None, description="Free tokens used.")
    remaining: Count | None = Field(default=None, description="Free tokens left; may be negative.")
    observed_at: Moment | None = Field(default=None, description="When the platform last refreshed the figure.")


class Price(_Shape):
    """One charge of the model; read-only."""

    item: Name = Field(description="What is charged for.")
    amount: Name | None = Field(default=None, description="A decimal number; absent where nobody knows it.")
    unit: Name = Field(description="The currency and what it buys.")


class Pause(_Shape):
    """The platform itself stopped serving the model."""

    reason: Name = Field(description="LimitReached, FreeTokensOnly or FreeQuotaExhausted.")
    since: Moment | None = Field(default=None, description="Since when.")


class LimitBaseline(_Shape):
    """What the limit was before we first wrote it."""

    tokens: Count | None = Field(default=None, description="Tokens; absent: there was no limit.")


class Status(_Shape):
    """How the resource stands. Written by the controller."""

    observed_generation: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = Field(
        default=None, description="The generation of the spec that was last judged."
    )
    conditions: Annotated[list[Condition], Field(max_length=16)] | None = Field(
        default=None, description="Accepted, Programmed and Ready are always there; the others only while True."
    )


class Remembered(_Shape):
    """What the operator remembers of one item, so that a new one forgets nothing."""

    kind: Name = Field(description="The policy kind that governs the item.")
    name: Name = Field(description="The item: a model, an endpoint id or an account.")
    record: Record = Field(description="JSON: what the item was before us, what we last made it, and when.")


class Intended(Remembered):
    """A change that was begun and is not yet known to have happened."""

    run: Name = Field(description="The pass that began it.")
    sequence: Count = Field(description="Its place in the pass.")
    at: Moment = Field(description="When it was begun.")
    before: Record = Field(description="JSON: what the item was then.")


class Governed(Status):
    """How the resource stands. Written by the controller."""

    next_attempt_time: Moment | None = Field(
        default=None, description="When the next attempt is due; none comes before."
    )
    managed: Annotated[list[Remembered], Field(max_length=16)] | None = Field(
        default=None, description="What is remembered of the items that this resource manages."
    )


class ModelActivationStatus(Governed):
    """How the activation stands, with what the platform shows of the model."""

    state: Literal["NotActivated", "Activated", "InviteOnly"] | None = Field(
        default=None, description="The activation state on the platform."
    )
    free_tokens: FreeTokens | None = Field(default=None, description="The free quota.")
    prices: Annotated[list[Price], Field(max_length=64)] | None = Field(
        default=None, description="Prices of inference, LoRA fine-tuning and full fine-tuning."
    )
    model_rate_limit: Rate | None = Field(
        default=None, description="The model-level limit that all endpoints share; raised by ticket only."
    )
    sub_services: Annotated[list[Name], Field(max_length=16)] | None = Field(
        default=None, description="Sub-services that are on."
    )
    docs_url: Text | None = Field(default=None, description="How to call the model.")
    paused: Pause | None = Field(default=None, description="Present while the platform has paused the model.")


class InferenceLimitStatus(Governed):
    """How the limit stands."""

    tokens: Count | None = Field(default=None, description="The limit on the platform.")
    used: Count | None = Field(default=None, description="Tokens counted since `effectiveAt`.")
    effective_at: Moment | None = Field(default=None, description="Since when tokens are counted.")
    observed_at: Moment | None = Field(default=None, description="When the count was read.")
    paused: Pause | None = Field(default=None, description="Present while the platform has paused the model.")
    baseline: LimitBaseline | None = Field(default=None, description="What the limit was before we first wrote it.")


class EndpointRateOverrideStatus(Governed):
    """How the override stands."""

    endpoint_id: Name | None = Field(default=None, description="The endpoint that was found.")
    model: Name | None = Field(default=None, description="The endpoint's base model.")
    effective: Rate | None = Field(default=None, description="The rate that holds: the override within the model's.")
    model_rate_limit: Rate | None = Field(default=None, description="The model-level limit that all endpoints share.")
    baseline: Rate | None = Field(default=None, description="What the override was before we first wrote it.")
    expiring: bool | None = Field(default=None, description="Present while the override ends within 24 hours.")


class PlatformAccountStatus(Governed):
    """How the account stands, and what can be done on it."""

    operations: Annotated[dict[Name, Literal["native", "manual", "unsupported"]], Field(max_length=32)] | None = Field(
        default=None,
        description="How each operation is done: native by an API action, manual by a person on a page, or unsupported.",
    )
    pending: Annotated[list[Intended], Field(max_length=4096)] | None = Field(
        default=None, description="Changes under way; what a killed operator left here is looked into by the next."
    )


class PolicyConstraintStatus(Status):
    """How the constraint stands."""

    matched: Count | None = Field(default=None, description="How many resources or models it matched.")
    refused: Count | None = Field(default=None, description="How many of them did not meet it.")


STATUSES: Final[Mapping[str, type[Status]]] = MappingProxyType(
    {
        "EndpointRateOverride": EndpointRateOverrideStatus,
        "InferenceLimit": InferenceLimitStatus,
        "ModelActivation": ModelActivationStatus,
        "PlatformAccount": PlatformAccountStatus,
        "PolicyConstraint": PolicyConstraintStatus,
    }
)
