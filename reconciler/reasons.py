"""The published words for why a condition, a finding or a failure is as it is.

They are the `reason` of every status condition and never change once released.
A rule's reason, a platform error's reason and an outcome's reason are all one of these. No logic here.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


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
    ACCOUNT_CHANGED = "AccountChanged"
    # It can, but something else has to come first.
    COOLING_DOWN = "CoolingDown"
    SETTLING = "Settling"
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


# What each reason tells a reader of a condition, and what to do about it: the text of `explain REASON`.
MEANING: Final = MappingProxyType(
    {
        Reason.PENDING: "Seen, and not judged yet. The first pass will say more.",
        Reason.ACCEPTED: "The declaration may be carried out: rules, references and constraints have nothing against it.",
        Reason.PROGRAMMED: "The platform is as declared, proved by reading it back.",
        Reason.READY: "Accepted and programmed: nothing is left to do.",
        Reason.ATTESTED: "A person said with `modelpolicy attest` that they did what the platform has no action for and cannot "
        "show; nothing has contradicted it.",
        Reason.EXPIRED: "The override is past its expiresAt and the endpoint inherits the model's rate again. Move expiresAt, or "
        "remove the declaration.",
        Reason.NOT_ATTEMPTED: "Nothing was tried, because the declaration is not accepted.",
        Reason.WRITE_UNCONFIRMED: "It was written and not yet read back equal; it is looked at again in seconds.",
        Reason.RECONCILING: "It is being worked on without anybody's help.",
        Reason.RULE_VIOLATION: "A rule of the platform or a PolicyConstraint is broken; the message names it. Nothing is written "
        "until the declaration, the rule or what the platform shows changes.",
        Reason.CONFLICTED: "Two declarations claim one item. Neither is carried out (in a cluster the older one is) until one "
        "goes.",
        Reason.TARGET_NOT_FOUND: "The account, its secret, the model or the endpoint does not exist, or an endpoint's name is not "
        "unique.",
        Reason.ACCOUNT_CHANGED: "The account's name stands for another account of the platform than the ledger remembers. Nothing is "
        "written, until the account points back or `modelpolicy ledger rebind` says that the change is meant.",
        Reason.COOLING_DOWN: "Two settings of a model's inference limit must be two hours apart. It is set at nextAttemptTime, and "
        "not tried before.",
        Reason.SETTLING: "It lowers, stops or takes back something, and was declared so only moments ago. It is carried out at "
        "nextAttemptTime if it is declared so until then: half a save, or a file that is away for a moment, is no decision.",
        Reason.TICKET_REQUIRED: "Only the platform's people can do it, after a support ticket: an invite-only model, or a higher "
        "model-level rate.",
        Reason.MANUAL_ACTION_REQUIRED: "The platform has no published action for it. A person does it on the page and with the "
        "values in the message; `modelpolicy attest` then records it where it cannot be read.",
        Reason.CONSENT_REQUIRED: "Activating a model is a consent to pay, and the account does not say allowActivation: true.",
        Reason.GUARD_REFUSED: "A guard judged the plan to be a likely mistake. Change the declarations, or say "
        "--allow GUARD --reason TEXT.",
        Reason.DELETION_BLOCKED: "The declaration goes away, and its item cannot be reverted yet.",
        Reason.PAUSED: "The annotation modelpolicy.dev/paused asks for nothing to be done.",
        Reason.DRIFTED: "The platform is not as declared: someone changed it elsewhere, or the resource is only observed.",
        Reason.PLATFORM_UNAVAILABLE: "The platform did not answer, or answered with an error of its own; it is asked again.",
        Reason.THROTTLED: "The platform asks for fewer calls; it is asked again when it said.",
        Reason.CREDENTIALS_INVALID: "The platform does not accept the account's key.",
        Reason.CREDENTIALS_VALID: "The platform accepts the account's key.",
        Reason.PERMISSION_DENIED: "The key is valid and may not do this; give it the permission the message names.",
        Reason.PLATFORM_REFUSED: "The platform refused for a reason of its own; the message carries its code.",
    }
)
