"""The published words for why a condition, a finding or a failure is as it is.

They are the `reason` of every status condition (DESIGN: status conditions) and never change once released.
A rule's reason, a platform error's reason and an outcome's reason are all one of these. No logic here.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why, in one CamelCase word; the value is what users read in `kubectl get` and `-o json`."""

    # The good and the not-yet.
    PENDING = "Pending"
    ACCEPTED = "Accepted"
    PROGRAMMED = "Programmed"
    READY = "Ready"
    ATTESTED = "Attested"
    EXPIRED = "Expired"
    NOT_ATTEMPTED = "NotAttempted"
    WRITE_UNCONFIRMED = "WriteUnconfirmed"
    RECONCILING = "Reconciling"
    # The declaration cannot be carried out.
    RULE_VIOLATION = "RuleViolation"
    CONFLICTED = "Conflicted"
    TARGET_NOT_FOUND = "TargetNotFound"
    # It can, but something else has to come first.
    COOLING_DOWN = "CoolingDown"
    TICKET_REQUIRED = "TicketRequired"
    MANUAL_ACTION_REQUIRED = "ManualActionRequired"
    CONSENT_REQUIRED = "ConsentRequired"
    GUARD_REFUSED = "GuardRefused"
    DELETION_BLOCKED = "DeletionBlocked"
    PAUSED = "Paused"
    DRIFTED = "Drifted"
    # The platform or the way to it.
    PLATFORM_UNAVAILABLE = "PlatformUnavailable"
    THROTTLED = "Throttled"
    CREDENTIALS_INVALID = "CredentialsInvalid"
    CREDENTIALS_VALID = "CredentialsValid"
    PERMISSION_DENIED = "PermissionDenied"
    PLATFORM_REFUSED = "PlatformRefused"
