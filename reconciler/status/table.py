"""The table of situations: what a reason says of Accepted, Programmed and Ready, what else is shown, and when to look again.

Data and its lookup only; which row a resource is in is decided in `situations`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from reconciler.reasons import Reason
from reconciler.status.values import ConditionType, Truth

MOST_BACK_OFF: Final = timedelta(minutes=15)
_TEN_MINUTES: Final = timedelta(minutes=10)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Said:
    """What one condition says."""

    truth: Truth
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One row, filled in. `keep`: the types whose previous conditions stay as they were, where there are any."""

    accepted: Said
    programmed: Said
    ready: Said | None = None  # None: follows from the other two
    also: tuple[tuple[ConditionType, Said], ...] = ()
    next_look: datetime | None = None
    failed_looks: int = 0
    keep: frozenset[ConditionType] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """What a reason makes of Programmed, which other conditions are then True, and when it is worth looking again
    (None: only when something else changes). `doubles` True: the wait doubles with each look, up to 15 minutes."""

    truth: Truth
    also: tuple[ConditionType, ...]
    wait: timedelta | None = None
    doubles: bool = False


_ONE_SECOND: Final = timedelta(seconds=1)
_MOVES: Final = (ConditionType.RECONCILING,)
_STUCK: Final = (ConditionType.STALLED,)

# Accepted is True in all of these. Where several hold, the first decides: what needs a person comes before what time mends.
PROGRAMMED: Final[Mapping[Reason, Row]] = MappingProxyType(
    {
        Reason.CREDENTIALS_INVALID: Row(Truth.FALSE, _STUCK, _TEN_MINUTES),
        Reason.PERMISSION_DENIED: Row(Truth.FALSE, _STUCK, _TEN_MINUTES),
        Reason.CONSENT_REQUIRED: Row(Truth.FALSE, _STUCK),
        Reason.GUARD_REFUSED: Row(Truth.FALSE, _STUCK),
        Reason.TICKET_REQUIRED: Row(Truth.FALSE, _STUCK, _HOUR),
        Reason.DELETION_BLOCKED: Row(Truth.FALSE, _STUCK, _ONE_SECOND, doubles=True),
        Reason.PLATFORM_REFUSED: Row(Truth.FALSE, _STUCK, _TEN_MINUTES),
        Reason.MANUAL_ACTION_REQUIRED: Row(Truth.FALSE, _STUCK, timedelta(minutes=15)),
        Reason.COOLING_DOWN: Row(Truth.FALSE, _MOVES),
        Reason.SETTLING: Row(Truth.FALSE, _MOVES),
        Reason.THROTTLED: Row(Truth.UNKNOWN, _MOVES, _ONE_SECOND, doubles=True),
        Reason.PLATFORM_UNAVAILABLE: Row(Truth.UNKNOWN, _MOVES, _ONE_SECOND, doubles=True),
        Reason.WRITE_UNCONFIRMED: Row(Truth.UNKNOWN, _MOVES, timedelta(seconds=2), doubles=True),
        Reason.DRIFTED: Row(Truth.FALSE, (ConditionType.DRIFTED, ConditionType.RECONCILING)),
        Reason.NOT_ATTEMPTED: Row(Truth.FALSE, _MOVES),
        Reason.PENDING: Row(Truth.FALSE, _MOVES),
    }
)

# These make Accepted False and leave Programmed Unknown.
NOT_ACCEPTED: Final[Mapping[Reason, Row]] = MappingProxyType(
    {
        Reason.ACCOUNT_CHANGED: Row(Truth.UNKNOWN, _STUCK),
        Reason.CONFLICTED: Row(Truth.UNKNOWN, _STUCK),
        Reason.RULE_VIOLATION: Row(Truth.UNKNOWN, _STUCK),
        Reason.TARGET_NOT_FOUND: Row(Truth.UNKNOWN, _MOVES, timedelta(minutes=5)),
    }
)
_RANK: Final = {reason: rank for rank, reason in enumerate((*NOT_ACCEPTED, *PROGRAMMED))}

ACCEPTED: Final = Said(Truth.TRUE, Reason.ACCEPTED, "the declaration may be carried out")
FIRST_SEEN: Final = Situation(
    accepted=Said(Truth.UNKNOWN, Reason.PENDING, "not looked at yet"),
    programmed=Said(Truth.UNKNOWN, Reason.PENDING, "not looked at yet"),
    also=((ConditionType.RECONCILING, Said(Truth.TRUE, Reason.PENDING, "not looked at yet")),),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a resource is not as declared; `until` is a known time to look again, which wins over the table's wait."""

    reason: Reason
    message: str
    until: datetime | None = None

    @property
    def rank(self) -> int:
        return _RANK.get(self.reason, len(_RANK))


def situation(trouble: Trouble, now: datetime, failed_looks: int = 0) -> Situation:
    """The row of a trouble; a reason without a row of its own is a refusal of the platform."""
    reason = trouble.reason if trouble.reason in _RANK else Reason.PLATFORM_REFUSED
    row = NOT_ACCEPTED.get(reason) or PROGRAMMED[reason]
    looks = failed_looks + 1 if row.doubles else 0
    said = Said(row.truth, reason, trouble.message)
    also = tuple((type_, Said(Truth.TRUE, reason, trouble.message)) for type_ in row.also)
    next_look = _next_look(row, trouble.until, now, looks)
    if reason in NOT_ACCEPTED:
        return Situation(
            accepted=Said(Truth.FALSE, reason, trouble.message),
            programmed=Said(Truth.UNKNOWN, Reason.NOT_ATTEMPTED, trouble.message),
            also=also,
            next_look=next_look,
        )
    return Situation(accepted=ACCEPTED, programmed=said, also=also, next_look=next_look, failed_looks=looks)


def _next_look(row: Row, until: datetime | None, now: datetime, looks: int) -> datetime | None:
    known = until if until is not None and until > now else None
    if row.wait is None:
        return known
    if not row.doubles:
        return known or now + row.wait
    # The exponent is bounded so that a long outage never overflows; 2**10 seconds are past the most already.
    wait = min(row.wait * (1 << min(looks - 1, 10)), MOST_BACK_OFF)
    back_off = now + wait
    return max(known, back_off) if known else back_off
