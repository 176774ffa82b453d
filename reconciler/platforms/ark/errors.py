"""Ark's errors become ours, once, here. Pure: what a reply said comes in, an exception to raise comes out.

Codes are A4 and A5; what is not in the table is judged by its HTTP status. Message text decides nothing, with one exception:
NotVerifiedAccount and BalanceNotEnough are known as words of an OperationDenied, but not which field holds them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.errors import Conflict, Permanent, PlatformError, Transient, Unsupported
from reconciler.platforms.ark.pages import ACTIVATIONS, TICKET
from reconciler.reasons import Reason

NO_ACTION: Final = frozenset(("InvalidActionOrVersion", "ServiceNotFound"))
_CREDENTIALS: Final = {
    "InvalidAccessKey": "check the access key",
    "SignatureDoesNotMatch": "check the secret key",
    "InvalidTimestamp": "set this machine's clock",
    "InvalidAuthorization": "check the access key",
    "InvalidCredential": "check the access key, the region and this machine's clock",
    "InvalidSecretToken": "the session token is wrong or has expired; get a new one",
    "MissingRequestInfo": "check the access key",
}
_UNAVAILABLE: Final = frozenset(
    ("InternalError", "InternalServiceError", "InternalServiceTimeout", "ServiceUnavailableTemp")
)
_DENIED: Final = frozenset(("AccessDenied", "OperationDenied.PermissionDenied"))
_CAUSES: Final = {
    "NotVerifiedAccount": "the account's owner has not been verified; complete the real-name verification in the console",
    "BalanceNotEnough": "the balance is below the reserve that activation asks for; top up the account",
}
# Codes of the served embedded platform where Ark's own is not publicly known.
_SERVED: Final[Mapping[str, Reason]] = {
    "Embedded.LimitInterval": Reason.COOLING_DOWN,
    "Embedded.InviteOnly": Reason.TICKET_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back instead of a result: `status` 0 where nothing came back at all."""

    status: int
    code: str = ""
    message: str = ""
    retry_after: str = ""
    request_id: str = ""


def retry_after_s(text: str) -> float | None:
    """The seconds of a Retry-After header; None where it is absent or a date."""
    return float(text) if re.fullmatch(r"[0-9]{1,6}", text.strip()) else None


def translate(action: str, reply: Reply, pages: str) -> PlatformError:
    """The exception that `reply` to `action` is; `pages` is where the account's console pages begin."""
    code, family = reply.code, reply.code.partition(".")[0]
    said = _sentence(action, reply)
    if reply.status == 429 or code == "FlowLimitExceeded":
        wait = retry_after_s(reply.retry_after)
        return Transient(said, code=code, reason=Reason.THROTTLED, retry_after_s=wait)
    if code in _CREDENTIALS or reply.status == 401:
        advice = _CREDENTIALS.get(code, "check the access key")
        return Permanent(f"{said}; {advice}", code=code, reason=Reason.CREDENTIALS_INVALID)
    if code in NO_ACTION:
        how_to = f"do it in the console: {pages}/{ACTIVATIONS}"
        return Unsupported(f"{said}; this deployment of Ark has no action {action}", how_to=how_to, code=code)
    if code in _SERVED:
        return _served(said, reply)
    if family == "OperationDenied":
        return _denied(said, reply)
    if code in _DENIED or reply.status == 403:
        return Permanent(f"{said}; grant ark:{action}", code=code, reason=Reason.PERMISSION_DENIED)
    # A 404 without a code is a gateway's, and says nothing of any item of Ark's.
    if family in ("NotFound", "ResourceNotFound") or code.endswith(".NotFound") or (code and reply.status == 404):
        return Permanent(said, code=code, reason=Reason.TARGET_NOT_FOUND)
    if reply.status == 409:
        return Conflict(said, code=code, reason=Reason.PLATFORM_REFUSED)
    if code in _UNAVAILABLE or reply.status >= 500 or reply.status in (0, 408) or not code:
        return Transient(said, code=code, retry_after_s=retry_after_s(reply.retry_after))
    return Permanent(said, code=code, reason=Reason.PLATFORM_REFUSED)


def _served(said: str, reply: Reply) -> PlatformError:
    reason = _SERVED[reply.code]
    if reason is Reason.COOLING_DOWN:
        return Transient(said, code=reply.code, reason=reason, retry_after_s=retry_after_s(reply.retry_after))
    return Permanent(f"{said}; open a ticket: {TICKET}", code=reply.code, reason=reason)


def _denied(said: str, reply: Reply) -> PlatformError:
    words = set(re.findall(r"[A-Za-z]+", f"{reply.code} {reply.message}"))
    for cause, advice in _CAUSES.items():
        if cause in words:
            return Permanent(f"{said}; {advice}", code=reply.code, reason=Reason.PLATFORM_REFUSED)
    if reply.code in _DENIED:
        return Permanent(said, code=reply.code, reason=Reason.PERMISSION_DENIED)
    if reply.code in ("OperationDenied.EndpointStatus", "OperationDenied.ServiceNotOpen"):
        return Conflict(said, code=reply.code, reason=Reason.PLATFORM_REFUSED)
    return Permanent(said, code=reply.code, reason=Reason.PLATFORM_REFUSED)


def _sentence(action: str, reply: Reply) -> str:
    where = f"HTTP {reply.status}" if reply.status else "no answer"
    parts = [f"{action}: {reply.code or where}"]
    if reply.message:
        parts.append(f": {reply.message.strip().rstrip('.')}")
    if reply.request_id:
        parts.append(f" (request {reply.request_id})")
    return "".join(parts)
