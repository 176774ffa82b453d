"""The served platform's keys: read from a file only its owner may read, or made and written there.

Keys never appear in a repr, a message or a log; `shown` is for the one time they are told.
"""

import contextlib
import hashlib
import hmac
import json
import secrets
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from reconciler import writer
from reconciler.errors import NotWritable, Permanent
from reconciler.reasons import Reason

NAMES: Final = ("access_key", "secret_key", "api_key")


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key pair for the control plane and an API key for the data plane."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    api_key: str = field(repr=False)

    @property
    def shown(self) -> dict[str, str]:
        """The keys in clear, to be told once."""
        return {name: getattr(self, name) for name in NAMES}

    def admits(self, bearer: str, resource_ids: frozenset[str], now: datetime) -> bool:
        """Whether `bearer` is the API key, or one that GetApiKey made for one of the resources and has not expired."""
        if hmac.compare_digest(bearer.encode(), self.api_key.encode()):
            return True
        body, dot, seal = bearer.rpartition(".")
        if not dot or not hmac.compare_digest(seal.encode(), self._seal(body).encode()):
            return False
        expiry, _, ids = body.partition("~")
        return int(expiry) >= now.timestamp() and bool(resource_ids & set(ids.split("~")))

    def temporary(self, resource_ids: tuple[str, ...], expires_at: int) -> str:
        """An API key for these resources until `expires_at` (seconds)."""
        body = "~".join((str(expires_at), *resource_ids))
        return f"{body}.{self._seal(body)}"

    def _seal(self, body: str) -> str:
        return hmac.new(self.api_key.encode(), body.encode(), hashlib.sha256).hexdigest()


def make() -> Keys:
    """New random keys."""
    return Keys(
        access_key="AKLT" + secrets.token_hex(16), secret_key=secrets.token_urlsafe(32), api_key=secrets.token_hex(20)
    )


def load_or_make(path: Path) -> tuple[Keys, bool]:
    """The keys in `path`, made and written there (mode 0600) when it is absent; True where they were made."""
    try:
        return read(path), False
    except FileNotFoundError:
        keys = make()
    try:
        writer.make_folder(path.parent)
        made = writer.create(path, f"{json.dumps(keys.shown, indent=2)}\n".encode(), private=True)
    except NotWritable as exc:
        raise Permanent(f"The keys file {exc}.", reason=Reason.CREDENTIALS_INVALID) from exc
    return (keys, True) if made else (read(path), False)  # another process may have been first


def read(path: Path) -> Keys:
    """The keys in `path`; raises FileNotFoundError, or Permanent where the file is not one or others may read it."""
    try:
        content = path.read_text(encoding="utf-8")
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as exc:
        raise _bad(path, "cannot be read") from exc
    if mode & 0o077:
        raise _bad(path, f"may be read by others (mode {mode:04o}); run: chmod 600 {path}")
    found: object = None
    with contextlib.suppress(ValueError):
        found = json.loads(content)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) and found[name] for name in NAMES):
        raise _bad(path, "is not a JSON object with access_key, secret_key and api_key")
    return Keys(*(found[name] for name in NAMES))


def _bad(path: Path, what: str) -> Permanent:
    return Permanent(f"The keys file {path} {what}.", reason=Reason.CREDENTIALS_INVALID)
