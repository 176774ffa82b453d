"""InferenceLimit: the one-off total of tokens after which the platform pauses a model (推理限额)."""

from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import Field

from reconciler.kinds import Kind, Resource
from reconciler.kinds.common import DeletionPolicy, Flag, ModelName, PolicySpec, Spec, Tokens
from reconciler.state import UNOBSERVABLE, Fields, Operation, Snapshot, Target, Write

TOKENS: Final = "tokens"


class InferenceLimitSpec(PolicySpec):
    """A one-off total of online tokens of one model, counted from when it takes effect; when it is reached the platform
    pauses the model (S16, S17). Not a monthly budget: set it again to start over, at most once in two hours (S21)."""

    model: ModelName
    tokens: Tokens = Field(
        description='Total tokens, from 1: an integer, or a decimal quantity such as "500k", "2M" or "1.5G". '
        "No limit is said by leaving the document out, never by 0 or -1."
    )
    free_quota_only: Flag = Field(
        default=False,
        description="True: the limit is meant to keep the model within its free quota, so it is checked to stay below "
        "the displayed remaining free tokens, which lag by up to an hour.",
    )
    renewal: str | None = Field(
        default=None,
        max_length=64,
        description="Any string, e.g. 2026-12. Changing it sets the limit again although tokens are equal; counting "
        "then restarts at 0.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description="What happens to the limit when this declaration goes: Retain leaves it (no lost fuse by accident), "
        "Revert restores what it was before.",
    )


class _InferenceLimit(Kind[InferenceLimitSpec]):
    name: ClassVar[str] = "InferenceLimit"
    plural: ClassVar[str] = "inferencelimits"
    short_names: ClassVar[tuple[str, ...]] = ("ilim",)
    spec: ClassVar[type[Spec]] = InferenceLimitSpec
    default: ClassVar[Fields] = MappingProxyType({TOKENS: None})

    def target(self, resource: Resource[Any], snapshot: Snapshot) -> Target | None:
        return Target(self.name, resource.spec.model) if resource.spec.model in snapshot.models else None

    def desired(self, resource: Resource[Any], now: datetime) -> Fields:  # noqa: ARG002  # same at any time
        return {TOKENS: resource.spec.tokens}

    def live(self, snapshot: Snapshot, target: Target) -> Fields:
        limit = snapshot.models[target.name].limit
        return {TOKENS: UNOBSERVABLE if limit is UNOBSERVABLE else limit.tokens if limit else None}

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:  # noqa: ARG002
        """A set even where tokens are equal: the planner asks for it only when a renewal wants counting to restart."""
        if TOKENS not in wanted:
            return ()
        if wanted[TOKENS] is None:
            return (Write(Operation.REMOVE_LIMIT, target),)
        return (Write(Operation.SET_LIMIT, target, {TOKENS: wanted[TOKENS]}),)


KIND: Final = _InferenceLimit()
