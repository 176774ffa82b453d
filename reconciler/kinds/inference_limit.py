"""InferenceLimit: the one-off total of tokens after which the platform pauses a model (推理限额)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final

from pydantic import Field

from reconciler.durations import roughly
from reconciler.kinds import Kind, Resource, renews
from reconciler.kinds.common import DeletionPolicy, Flag, ModelName, PolicySpec, Spec, Tokens, fixed
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Fields,
    Limit,
    Model,
    Operation,
    Record,
    Seen,
    Snapshot,
    Target,
    Value,
    Write,
)
from reconciler.usage import Hours

TOKENS: Final = "tokens"
SET_INTERVAL: Final = timedelta(hours=2)  # 账号下每个模型的推理限额设置需间隔至少 2 小时 (S21)
RECENT: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)
_FAR_HOURS: Final = 24 * 366 * 10  # beyond ten years nothing is foreseen


class InferenceLimitSpec(PolicySpec):
    """A one-off total of online tokens of one model, counted from when it takes effect; when it is reached the platform
    pauses the model (S16, S17). Not a monthly budget: set it again to start over, at most once in two hours (S21)."""

    model: ModelName = Field(json_schema_extra=fixed("the model"))
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


def next_set_at(limit: Seen[Limit], record: Record | None) -> datetime | None:
    """When the platform accepts the next set: two hours after the latest setting or removal known, and not before what it
    said itself when it refused one; None where nothing is known.

    A removal counts although the platform's page leaves it open, so that removing and setting never dodges the interval.
    """
    known: list[datetime | None] = [limit.effective_at] if isinstance(limit, Limit) else []
    if record is not None:
        known += [record.set_at, record.removed_at, record.attestation.at if record.attestation else None]
    ends = [moment + SET_INTERVAL for moment in known if moment is not None]
    if record is not None and record.refused_until is not None:
        ends.append(record.refused_until)
    return max(ends, default=None)


def recent_hourly_use(model: Model, now: datetime) -> int:
    """Online tokens an hour over the last day, counted from the first use in it; 0 where none was or none can be seen. Time of
    which a late meter may not have told yet does not count, so that the rate is rather too high than too low."""
    recent = recent_hours(model, now)
    if not recent:
        return 0
    until = min(now, model.reading.complete_until) if model.reading else now
    length = max(until - min(hour for hour, _ in recent), HOUR)
    return int(sum(tokens for _, tokens in recent) / (length / HOUR))


def recent_hours(model: Model, now: datetime) -> Hours:
    """The hours with use of the last day; () also where use cannot be seen."""
    hours = () if model.hourly_use is UNOBSERVABLE else model.hourly_use
    return tuple((hour, tokens) for hour, tokens in hours if now - RECENT < hour <= now and tokens)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long `left` tokens last at `rate` tokens an hour, which is the recent use. Whatever speaks of when a limit is reached
    says what this says."""

    left: int
    rate: int

    @property
    def lasts(self) -> timedelta | None:
        """None where it is too far away to be foreseen."""
        hours = self.left / self.rate
        return timedelta(hours=hours) if hours < _FAR_HOURS else None

    def __str__(self) -> str:
        return roughly(self.lasts) if self.lasts is not None else "years"


def forecast(model: Model, left: int | None, now: datetime) -> Forecast | None:
    """The forecast for so many tokens of the model; None where how many are left is not known, or nothing uses it."""
    rate = recent_hourly_use(model, now)
    return Forecast(max(0, left), rate) if rate and left is not None else None


def reached_at(model: Model, now: datetime) -> datetime | None:
    """When the live limit is reached if the recent use goes on; None where there is no limit, no use, or either is not seen."""
    limit = model.limit
    left = limit.tokens - limit.used if isinstance(limit, Limit) and limit.used is not None else None
    foreseen = forecast(model, left, now)
    return now + foreseen.lasts if foreseen is not None and foreseen.lasts is not None else None


def is_set_again(spec: InferenceLimitSpec, limit: Seen[Limit], record: Record | None) -> bool:
    """Whether carrying out the declaration sets a limit, which restarts its counting; False where the live one is unobservable."""
    if limit is UNOBSERVABLE:
        return False
    again = record is not None and renews(spec.renewal, record)
    return limit is None or limit.tokens != spec.tokens or again


def tokens_left(spec: InferenceLimitSpec, model: Model, record: Record | None) -> int | None:
    """How many tokens the declared limit leaves at most once it is carried out: all of them where it is set again; None: unknown."""
    limit = model.limit
    if limit is UNOBSERVABLE:
        return _unseen_left(spec, model, record)
    if limit is None or is_set_again(spec, limit, record):
        return spec.tokens
    return None if limit.used is None else max(0, spec.tokens - limit.used)


def _unseen_left(spec: InferenceLimitSpec, model: Model, record: Record | None) -> int | None:
    """The same of a limit that the platform does not show: all of it while it is still to be set; afterwards less what was used
    since, as far as the meter's hours reach back."""
    since = _set_at(spec, record)
    if since is None:
        return spec.tokens
    if model.hourly_use is UNOBSERVABLE:
        return None
    return max(0, spec.tokens - sum(tokens for hour, tokens in model.hourly_use if hour >= since))


def _set_at(spec: InferenceLimitSpec, record: Record | None) -> datetime | None:
    """When the declared limit was set, by what a person said or by what the platform took; None where it was not."""
    if record is None or renews(spec.renewal, record):
        return None
    said = record.attestation
    if said is not None and said.fields.get(TOKENS) == spec.tokens:
        return said.at
    return record.set_at if record.applied is not None and record.applied.get(TOKENS) == spec.tokens else None


class _InferenceLimit(Kind[InferenceLimitSpec]):
    name: ClassVar[str] = "InferenceLimit"
    plural: ClassVar[str] = "inferencelimits"
    short_names: ClassVar[tuple[str, ...]] = ("ilim",)
    spec: ClassVar[type[Spec]] = InferenceLimitSpec
    columns: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Target", ".spec.model"),
        ("Desired", ".spec.tokens"),
        ("Observed", ".status.tokens"),
    )
    selectable: ClassVar[tuple[str, ...]] = ("spec.accountRef.name", "spec.model")
    default: ClassVar[Fields] = MappingProxyType({TOKENS: None})

    def target(self, resource: Resource[Any], snapshot: Snapshot) -> Target | None:
        return Target(self.name, resource.spec.model) if resource.spec.model in snapshot.models else None

    def desired(self, resource: Resource[Any], now: datetime) -> Fields:  # noqa: ARG002  # same at any time
        return {TOKENS: resource.spec.tokens}

    def live(self, snapshot: Snapshot, target: Target) -> Fields:
        limit = snapshot.models[target.name].limit
        return {TOKENS: UNOBSERVABLE if limit is UNOBSERVABLE else limit.tokens if limit else None}

    def lowers(self, snapshot: Snapshot, target: Target, path: str, before: Value, after: Value) -> bool:
        """A first limit of a model that nobody can use yet takes nothing away."""
        unused = snapshot.models[target.name].state is ActivationState.NOT_ACTIVATED
        return super().lowers(snapshot, target, path, before, after) and not (before is None and unused)

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:  # noqa: ARG002
        """A set even where tokens are equal: the planner asks for it only when a renewal wants counting to restart."""
        if TOKENS not in wanted:
            return ()
        if wanted[TOKENS] is None:
            return (Write(Operation.REMOVE_LIMIT, target),)
        return (Write(Operation.SET_LIMIT, target, {TOKENS: wanted[TOKENS]}),)

    def renewal(self, resource: Resource[Any]) -> str | None:
        renewal: str | None = resource.spec.renewal
        return renewal

    def stamp(self, snapshot: Snapshot, target: Target) -> Fields:
        """A limit that was set again to the number it had counts from another moment on."""
        limit = snapshot.models[target.name].limit
        began = limit.effective_at if isinstance(limit, Limit) else None
        return {"effectiveAt": began.isoformat() if began else None}

    def earliest(self, snapshot: Snapshot, record: Record, wanted: Fields) -> datetime | None:
        """Only a set waits: a removal is always accepted."""
        if wanted.get(TOKENS) is None:
            return None
        return next_set_at(snapshot.models[record.target.name].limit, record)


KIND: Final = _InferenceLimit()
