"""What a status is made of: conditions in the metav1 shape and the kind's own fields. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

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


# What each type tells a reader: the text of `explain TYPE`.
TYPES: Final[Mapping[ConditionType, str]] = MappingProxyType(
    {
        ConditionType.ACCEPTED: "Whether the declaration may be carried out: rules, references and constraints have nothing "
        "against it.",
        ConditionType.PROGRAMMED: "Whether the platform was seen to be as declared, by reading it back.",
        ConditionType.READY: "The sum of the others: True where it is accepted and programmed and nothing is left to do. It says "
        "that the policy is carried out, not that the model answers: a model that reached its limit is paused although Ready.",
        ConditionType.CREDENTIALS_VALID: "On a PlatformAccount: whether the platform accepts the account's key.",
        ConditionType.RECONCILING: "True while it is on its way without anybody's help: it waits, or is tried again.",
        ConditionType.STALLED: "True while it waits for a person: time alone changes nothing.",
        ConditionType.DRIFTED: "True while the platform is not as it was last seen equal: someone changed it elsewhere.",
        ConditionType.PAUSED: "True while the annotation modelpolicy.dev/paused asks for it to be left alone.",
    }
)


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
