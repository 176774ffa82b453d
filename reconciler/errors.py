"""What may go wrong in the world, as types: the type decides whether a thing is tried again.

A user's mistake is never raised: it is a `finding.Finding`. Platforms translate their vendor's errors into these once,
at their own seam, with `raise ... from exc`.

    ModelPolicyError
    ├── PlatformError             carries the platform's own code and our Reason
    │   ├── Transient             try again: not before `retry_after_s`, else by back-off
    │   ├── Permanent             do not try again until a person, a spec or a credential changes
    │   ├── Conflict              the item is not what the plan was made on: observe and plan again
    │   └── Unsupported           the platform has no such operation; `how_to` says how a person does it
    ├── NotWritable               a file cannot be written
    │   ├── WrongPlace            its name leads to what may not be written to: name another
    │   └── Overtaken             it is no longer what was read
    └── LedgerError               the durable record cannot be read or written
        ├── NoLedgerAddress       what was given is no place of a ledger: the caller's mistake
        ├── LockHeld              another holder has the lease; names it
        └── PlanSpent             the saved plan was carried out before; a plan works once
"""

from reconciler.reasons import Reason


class ModelPolicyError(Exception):
    """Base of every exception this package raises on purpose; `str()` is a sentence for the user, free of secrets."""


class PlatformError(ModelPolicyError):
    """A platform did not do what was asked.

    `code` is the platform's own error code ("" where it gave none), `reason` the condition reason it becomes.
    """

    def __init__(self, message: str, *, code: str = "", reason: Reason) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Transient(PlatformError):
    """The same call may succeed later; `retry_after_s` is the platform's own wish in seconds, None where it gave none."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: Reason = Reason.PLATFORM_UNAVAILABLE,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.retry_after_s = retry_after_s


class Permanent(PlatformError):
    """The same call will fail the same way until something else changes."""

    def __init__(self, message: str, *, code: str = "", reason: Reason = Reason.PLATFORM_REFUSED) -> None:
        super().__init__(message, code=code, reason=reason)


class Conflict(PlatformError):
    """The item changed under us; what was planned no longer holds."""

    def __init__(self, message: str, *, code: str = "", reason: Reason = Reason.DRIFTED) -> None:
        super().__init__(message, code=code, reason=reason)


class Unsupported(PlatformError):
    """The platform has no action for this; `how_to` names the page and the exact values for a person."""

    def __init__(
        self, message: str, *, how_to: str, code: str = "", reason: Reason = Reason.MANUAL_ACTION_REQUIRED
    ) -> None:
        super().__init__(message, code=code, reason=reason)
        self.how_to = how_to


class NotWritable(ModelPolicyError):
    """A file cannot be written; `str()` names it and says why."""


class WrongPlace(NotWritable):
    """What was named is nothing that may be written to, so another name has to be chosen."""


class Overtaken(NotWritable):
    """The file is no longer what was read, so it is left as it is."""


class LedgerError(ModelPolicyError):
    """The ledger is unreadable, from a newer version, or not writable."""


class NoLedgerAddress(LedgerError):
    """What was given as the ledger's address cannot be one; the message repeats nothing that may be a secret."""


class LockHeld(LedgerError):
    """Another process holds the account's lease; `holder` is "user@host pid N, operation, since TIME"."""

    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class PlanSpent(LedgerError):
    """A saved plan was carried out before; the message names the run."""
