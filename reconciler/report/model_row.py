"""One model as status and the console show it: what is true of it, all that the report says about it, how it stands. Pure.

Joins; decides nothing about policies.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from reconciler.finding import Finding
from reconciler.kinds import Resource
from reconciler.kinds.endpoint_rate_override import subscribed
from reconciler.kinds.inference_limit import reached_at, recent_hourly_use
from reconciler.kinds.model_activation import DesiredState
from reconciler.plan import Change
from reconciler.reasons import Reason
from reconciler.state import Endpoint, FreeTokens, Limit, Model, PauseReason, Rate
from reconciler.status import ConditionType, ResourceStatus, Truth

NEAR: Final = 0.8  # from this share on a bar is said to be nearly full
SOON_HOURS: Final = 24


class Tone(StrEnum):
    """How a thing is meant to be taken; also a colour, never only a colour."""

    GOOD = "good"
    QUIET = "quiet"
    WAITS = "waits"
    CARE = "care"
    BAD = "bad"


WEIGHT: Final = {Tone.QUIET: 0, Tone.GOOD: 1, Tone.WAITS: 2, Tone.CARE: 3, Tone.BAD: 4}
_WAITING: Final = frozenset(
    {Reason.PENDING, Reason.COOLING_DOWN, Reason.SETTLING, Reason.RECONCILING, Reason.WRITE_UNCONFIRMED}
)
_FOR_A_PERSON: Final = frozenset(
    {Reason.MANUAL_ACTION_REQUIRED, Reason.TICKET_REQUIRED, Reason.CONSENT_REQUIRED, Reason.PAUSED, Reason.DRIFTED}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model, or a resource, stands in one word: a Reason's value, or "AsDeclared", "Unmanaged", "LimitReached" ..."""

    word: str
    tone: Tone
    message: str = ""


def standing_of(status: ResourceStatus) -> Standing:
    """How one resource stands, by its Ready condition."""
    ready = status.condition(ConditionType.READY)
    if ready is None:
        return Standing("Unmanaged", Tone.QUIET)
    if ready.status is Truth.TRUE:
        return Standing(ready.reason.value, Tone.GOOD)
    tone = Tone.WAITS if ready.reason in _WAITING else Tone.CARE if ready.reason in _FOR_A_PERSON else Tone.BAD
    told = next((one for one in status.conditions if one.reason is ready.reason and one.message), ready)
    return Standing(ready.reason.value, tone, told.message)


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of a whole is used. `used` may be more than `total`, or less than nothing."""

    used: int
    total: int

    @property
    def share(self) -> float:
        return self.used / self.total if self.total else 1.0

    @property
    def percent(self) -> int:
        return int(100 * self.share)

    @property
    def width(self) -> str:
        """Of a bar that is 100 wide."""
        return f"{100 * min(1.0, max(0.0, self.share)):.2f}"

    @property
    def tone(self) -> Tone:
        return Tone.BAD if self.share >= 1 else Tone.CARE if self.share >= NEAR else Tone.GOOD


@dataclass(frozen=True)  # no slots: what is costly is made when it is asked for
class Row:
    """One model: what is true of it, and everything that the report says about it."""

    model: Model
    endpoints: tuple[Endpoint, ...]
    resources: tuple[Resource[Any], ...]
    statuses: tuple[ResourceStatus, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    now: datetime
    in_use: bool

    @property
    def name(self) -> str:
        return self.model.name

    @cached_property
    def free(self) -> Meter | None:
        """What is gone of the free quota; None where there is none or nobody knows."""
        free = self.model.free_tokens
        return (
            Meter(free.total - free.remaining, free.total) if isinstance(free, FreeTokens) and free.total > 0 else None
        )

    @cached_property
    def limit(self) -> Meter | None:
        """What is used of the limit."""
        limit = self.model.limit
        return Meter(limit.used, limit.tokens) if isinstance(limit, Limit) and limit.used is not None else None

    @cached_property
    def hourly(self) -> int:
        """Tokens an hour over the last day."""
        return recent_hourly_use(self.model, self.now)

    @cached_property
    def reached_at(self) -> datetime | None:
        """When the limit is reached at that rate; None where it is not foreseen, or already is."""
        if self.model.pause is not None or (self.limit and self.limit.share >= 1):
            return None
        return reached_at(self.model, self.now)

    @property
    def soon(self) -> bool:
        """Whether the limit is reached within a day."""
        return self.reached_at is not None and (self.reached_at - self.now).total_seconds() < SOON_HOURS * 3600

    @cached_property
    def subscribed(self) -> Rate:
        """What the endpoints' overrides add up to."""
        return subscribed(self.endpoints)

    def pool(self, half: str) -> Meter | None:
        """The overrides' sum of the model's rate that its endpoints share."""
        rate = self.model.rate_limit
        whole: int | None = getattr(rate, half) if isinstance(rate, Rate) else None
        taken: int | None = getattr(self.subscribed, half)
        return Meter(taken or 0, whole) if whole else None

    @cached_property
    def paused(self) -> Standing | None:
        """That the platform serves the model no more, None where it does. A model that is not activated and that nothing wants
        to serve has merely used up what it was given: no trouble."""
        pause = self.model.pause
        if pause is None:
            return None
        unwanted = pause.reason is PauseReason.FREE_QUOTA_EXHAUSTED and not any(map(_wants_service, self.resources))
        return Standing(pause.reason.value, Tone.QUIET if unwanted else Tone.BAD)

    @cached_property
    def standing(self) -> Standing:
        """The one word for the row: what stops it first, then what waits, then that all is well."""
        if self.paused is not None and self.paused.tone is Tone.BAD:
            return self.paused
        judged = [found for status in self.statuses if (found := standing_of(status)).tone is not Tone.GOOD]
        if judged:
            return max(judged, key=lambda one: WEIGHT[one.tone])
        return Standing("AsDeclared", Tone.GOOD) if self.statuses else Standing("Unmanaged", Tone.QUIET)

    def standing_of(self, status: ResourceStatus) -> Standing:
        """How one of its resources stands: that a limit is as declared is not well while the model is stopped."""
        own = standing_of(status)
        stopped = self.paused is not None and self.paused.tone is Tone.BAD
        return self.paused if self.paused is not None and stopped and own.tone is Tone.GOOD else own

    @cached_property
    def labels(self) -> frozenset[tuple[str, str]]:
        """The labels of what is declared about it."""
        return frozenset(label for resource in self.resources for label in resource.labels.items())

    @property
    def link(self) -> str:
        """The model's documentation, "" where what the platform gave is no web address."""
        url = self.model.docs_url
        return url if url.startswith(("https://", "http://")) else ""


def _wants_service(resource: Resource[Any]) -> bool:
    """Whether a declaration means the model to be called."""
    return getattr(resource.spec, "state", None) is not DesiredState.NOT_ACTIVATED
