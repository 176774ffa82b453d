"""Whose account of Ark a key belongs to: what is known without asking, and the account's id once somebody said it.

The id comes from STS, asked once for a connection and only where the account uses the platform's own host: a rehearsal's key, or
a gateway's, is nobody else's to see. Elsewhere the meter tells it (column AccountID). That it cannot be read fails nothing.
"""

import hashlib
import threading
import time
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from reconciler.errors import PlatformError
from reconciler.identity import Identity
from reconciler.kinds.platform_account import Ark
from reconciler.platforms.ark.client import Client

WAIT_S: Final = 2.0  # how long the end of a sweep waits for an answer that is still on its way
AGAIN_S: Final = 600.0  # a loop asks once more where it could not be read
_OWN: Final = "https://open.volcengineapi.com"  # serves STS as well, and is the SDK's own where no endpoint is said


def asks_sts(settings: Ark) -> bool:
    """Whether the account is reached by the platform's own host."""
    return (settings.endpoint or _OWN).rstrip("/").lower() == _OWN


def unread(settings: Ark, access_key: str) -> Identity:
    """What is known without asking: where the account answers, which part of it is meant, and a digest of the key's id."""
    digest = hashlib.sha256(access_key.encode()).hexdigest()[:16]
    at = urlsplit((settings.endpoint or _OWN).lower()).netloc
    return Identity(platform="ark", scope=f"{settings.region}/{settings.project}", at=at, key=digest)


class Whose:
    """The identity of one account. Safe to use from several threads at once."""

    def __init__(self, client: Client, settings: Ark, access_key: str) -> None:
        self._client = client
        self._may_ask = asks_sts(settings)
        self._identity = unread(settings, access_key)
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_s = float("-inf")
        self.why_not = "" if self._may_ask else "the account does not use the platform's own host, so STS is not asked"

    @property
    def identity(self) -> Identity:
        """As far as it is known by now."""
        with self._lock:
            return self._identity

    def ask(self) -> None:
        """Begin to ask for the id where it is not known, in the background; returns at once."""
        with self._lock:
            due = time.monotonic() - self._asked_s >= AGAIN_S
            if self._identity.account or not self._may_ask or not due:
                return
            self._asked_s = time.monotonic()
            self._asking = threading.Thread(target=self._ask, name="ark-account-id", daemon=True)
            self._asking.start()

    def wait(self) -> Identity:
        """The identity after a short wait for what was asked."""
        asking = self._asking
        if asking is not None:
            asking.join(WAIT_S)
        return self.identity

    def told(self, account: str) -> None:
        """Whose account it is, as somebody who knows said; "" says nothing, and what is known already stays."""
        with self._lock:
            self._identity = replace(self._identity, account=self._identity.account or account)

    def _ask(self) -> None:
        try:
            account = self._client.account_id()
        except PlatformError as error:
            self.why_not = str(error)
            return
        if account:
            self.told(account)
        else:
            self.why_not = "STS did not say an account's id"
