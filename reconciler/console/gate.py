"""Who may look: on loopback whoever names it by a loopback name; with a token only who brings it. Keeps no secret in reach.

The token comes once, in the address or as a Bearer; from then on a cookie stands for it, which tells nothing about it.
A page on loopback answers to no other host name, so that no web site can have a browser ask for it (DNS rebinding).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from reconciler.serving.hosts import is_loopback

COOKIE: Final = "modelpolicy-console"


class Answer(Enum):
    """LOOK: here it is. ENTER: the token was right; give the cookie and go on without the token in the address."""

    LOOK = "look"
    ENTER = "enter"
    TOKEN_NEEDED = "token-needed"
    WRONG_HOST = "wrong-host"


@dataclass(frozen=True, slots=True)
class Gate:
    """`token` None: no token is asked for, which is for loopback only."""

    token: str | None = None

    @property
    def pass_(self) -> str:
        """The cookie's value: made from the token, not the token."""
        return hmac.digest((self.token or "").encode(), b"modelpolicy console cookie", hashlib.sha256).hex()

    def __repr__(self) -> str:
        return f"Gate(token={'given' if self.token else None})"

    def asks(self, headers: Mapping[str, str], cookies: Mapping[str, str], token: str) -> Answer:
        """What becomes of a request; `token` is the one in its address, "" where there is none."""
        if self.token is None:
            return Answer.LOOK if is_loopback(headers.get("host", "")) else Answer.WRONG_HOST
        if token:
            return Answer.ENTER if _same(token, self.token) else Answer.TOKEN_NEEDED
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer, self.token):
            return Answer.LOOK
        return Answer.LOOK if _same(cookies.get(COOKIE, ""), self.pass_) else Answer.TOKEN_NEEDED


def _same(one: str, other: str) -> bool:
    """In a time that does not tell how much of it was right."""
    return hmac.compare_digest(one.encode(), other.encode())
