"""What a status is made of: conditions in the metav1 shape and the kind's own fields. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.reasons import Reason
from reconciler.state import Target


class ConditionType(StrEnum):
    """Accepted, Programmed and Ready are always present; the others only while True.

    A PlatformAccount has CredentialsValid in place of Programmed; a PolicyConstraint has Accepted and Ready.
    """

    ACCEPTED = "Accepted"
    PROGRAMMED = "Programmed"
    READY = "Ready"
    CREDENTIALS_VALID = "CredentialsValid"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    DRIFTED = "Drifted"
    PAUSED = "Paused"


class Truth(StrEnum):
    """A condition's status."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1.Condition. `last_transition_time` moves only when `status` flips."""

    type: ConditionType
    status: Truth
    reason: Reason
    message: str
    last_transition_time: datetime
    observed_generation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceStatus:
    """How one declared resource stands. `details` holds the kind's own status fields in their JSON shape (camelCase)."""

    address: str
    kind: str
    target: Target | None = None
    conditions: tuple[Condition, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    observed_generation: int | None = None
    uid: str = ""  # of the resource, where it has one: another by the same name has another status
    next_attempt: datetime | None = None
    failed_looks: int = 0  # how often in a row the platform could not be read; True to Unknown takes two

    def condition(self, type_: ConditionType) -> Condition | None:
        """The condition of that type, or None where it is not present."""
        return next((condition for condition in self.conditions if condition.type is type_), None)
