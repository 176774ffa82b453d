"""Every answer with which the embedded platform refuses, in one table. No I/O.

A code without the prefix `Embedded.` is Ark's own, as the fact sheet has it. Where Ark's code for a situation is not
publicly known, the code starts with `Embedded.` so that nobody takes it for Ark's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from reconciler.errors import Conflict, ModelPolicyError, Permanent, PlatformError, Transient
from reconciler.reasons import Reason


class Code(StrEnum):
    """What a refusal is called on the wire."""

    # Ark's own.
    NOT_FOUND = "InvalidEndpointOrModel.NotFound"
    ENDPOINT_CLOSED = "InvalidEndpoint.ClosedEndpoint"
    ENDPOINT_STATUS = "OperationDenied.EndpointStatus"
    NOT_OPEN = "ModelNotOpen"
    QUOTA_EXCEEDED = "QuotaExceeded"
    LIMIT_EXCEEDED = "SetLimitExceeded"
    ENDPOINT_RPM = "RateLimitExceeded.EndpointRPMExceeded"
    ENDPOINT_TPM = "RateLimitExceeded.EndpointTPMExceeded"
    MODEL_RPM = "ModelAccountRpmRateLimitExceeded"
    MODEL_TPM = "ModelAccountTpmRateLimitExceeded"
    SERVICE_NOT_OPEN = "OperationDenied.ServiceNotOpen"
    SUB_SERVICES = "InvalidParameter.SubServices"
    DENIED = "OperationDenied"
    # The embedded platform's own, where Ark's is not known.
    INVALID_VALUE = "Embedded.InvalidValue"
    AMBIGUOUS_NAME = "Embedded.AmbiguousEndpointName"
    BATCH_ONLY = "Embedded.BatchOnlyEndpoint"
    INVITE_ONLY = "Embedded.InviteOnly"
    FREE_TOKENS_ONLY_ON = "Embedded.FreeTokensOnlyIsOn"
    FREE_TOKENS_ONLY_USED_UP = "Embedded.FreeTokensOnlyNotEligible"
    LIMIT_INTERVAL = "Embedded.LimitInterval"
    LIMIT_PREFIX_CACHE = "Embedded.LimitExcludesPrefixCache"
    LIMIT_MODALITY = "Embedded.LimitUnsupportedModality"
    LIMIT_BILLING = "Embedded.LimitNeedsPayByToken"
    LIMIT_CAPACITY = "Embedded.LimitBlockedByCapacity"
    LIMIT_IS_SET = "Embedded.LimitIsSet"

    @property
    def is_arks(self) -> bool:
        """Whether Ark is known to answer with this code."""
        return not self.value.startswith("Embedded.")


class Nature(Enum):
    """What a caller of the control plane may do about it."""

    PERMANENT = "permanent"
    CONFLICT = "conflict"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The HTTP status of a code, and what it becomes for a controller."""

    http_status: int
    nature: Nature = Nature.PERMANENT
    reason: Reason = Reason.PLATFORM_REFUSED


_WRONG_STATE: Final = Meaning(409, Nature.CONFLICT, Reason.PLATFORM_REFUSED)
_TOO_FAST: Final = Meaning(429, Nature.TRANSIENT, Reason.THROTTLED)
_PAUSED: Final = Meaning(429, Nature.PERMANENT, Reason.PAUSED)

MEANINGS: Final[Mapping[Code, Meaning]] = MappingProxyType(
    {
        Code.NOT_FOUND: Meaning(404, Nature.PERMANENT, Reason.TARGET_NOT_FOUND),
        Code.ENDPOINT_CLOSED: Meaning(400),
        Code.ENDPOINT_STATUS: Meaning(400, Nature.CONFLICT),
        Code.NOT_OPEN: Meaning(404),
        Code.QUOTA_EXCEEDED: _PAUSED,
        Code.LIMIT_EXCEEDED: _PAUSED,
        Code.ENDPOINT_RPM: _TOO_FAST,
        Code.ENDPOINT_TPM: _TOO_FAST,
        Code.MODEL_RPM: _TOO_FAST,
        Code.MODEL_TPM: _TOO_FAST,
        Code.SERVICE_NOT_OPEN: Meaning(403, Nature.CONFLICT),
        Code.SUB_SERVICES: Meaning(400),
        Code.DENIED: Meaning(403, Nature.PERMANENT, Reason.PERMISSION_DENIED),
        Code.INVALID_VALUE: Meaning(400),
        Code.AMBIGUOUS_NAME: Meaning(404, Nature.PERMANENT, Reason.TARGET_NOT_FOUND),
        Code.BATCH_ONLY: Meaning(400),
        Code.INVITE_ONLY: Meaning(403, Nature.PERMANENT, Reason.TICKET_REQUIRED),
        Code.FREE_TOKENS_ONLY_ON: _WRONG_STATE,
        Code.FREE_TOKENS_ONLY_USED_UP: Meaning(403),
        Code.LIMIT_INTERVAL: Meaning(409, Nature.TRANSIENT, Reason.COOLING_DOWN),
        Code.LIMIT_PREFIX_CACHE: _WRONG_STATE,
        Code.LIMIT_MODALITY: Meaning(400),
        Code.LIMIT_BILLING: Meaning(400),
        Code.LIMIT_CAPACITY: _WRONG_STATE,
        Code.LIMIT_IS_SET: _WRONG_STATE,
    }
)


class Refusal(ModelPolicyError):
    """The embedded platform said no, and nothing was spent or changed. `retry_after_s` says when it would say yes."""

    def __init__(self, code: Code, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def http_status(self) -> int:
        """The status the refusal has over HTTP."""
        return MEANINGS[self.code].http_status

    def as_platform_error(self) -> PlatformError:
        """The refusal in the words that every platform shares."""
        meaning, message, code = MEANINGS[self.code], str(self), self.code.value
        if meaning.nature is Nature.TRANSIENT:
            return Transient(message, code=code, reason=meaning.reason, retry_after_s=self.retry_after_s)
        kind = Conflict if meaning.nature is Nature.CONFLICT else Permanent
        return kind(message, code=code, reason=meaning.reason)
