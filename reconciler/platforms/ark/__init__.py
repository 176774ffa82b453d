"""Volcengine Ark (火山方舟) by its vendor's SDK, and where its credentials come from. Opens it; the rest of the room does it.

client.py    the seam: signed calls, paging; the only import of the SDK      errors.py   replies -> our exceptions
platform.py  sweeps and writes, by models.py, endpoints.py, account.py       mapping.py  replies -> models, endpoints
paging.py    pages -> a list, and whether it is whole                        doctor.py   what works, by reading alone
gate.py      how fast is read; parallel.py: calls beside each other          details.py  what is kept from run to run
actions.py   private actions, what is native and what a person does          facts.py    what is known of it, by number
pages.py     the console's and the vendor's pages
"""

import json
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.errors import Permanent
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, Platform, Probe
from reconciler.reasons import Reason

ACCESS_KEY: Final = "VOLCENGINE_ACCESS_KEY"
SECRET_KEY: Final = "VOLCENGINE_SECRET_KEY"
SESSION_TOKEN: Final = "VOLCENGINE_SESSION_TOKEN"
CLOCK_OFFSET: Final = "MODELPOLICY_CLOCK_OFFSET"


def connect(spec: PlatformAccountSpec, connection: Connection) -> Platform:
    """Open the account; no call is made yet. Raises Permanent where the SDK or the credentials are missing."""
    try:
        from reconciler.platforms.ark.account import Whose
        from reconciler.platforms.ark.client import Client, is_loopback
        from reconciler.platforms.ark.details import Details, cache_file
        from reconciler.platforms.ark.platform import ArkPlatform, Tools
    except ModuleNotFoundError as exc:
        raise Permanent(
            f"The ark platform needs the package volcenginesdk-ark ({exc.name} is missing); run: "
            "pip install 'modelpolicy[ark]'",
            reason=Reason.PLATFORM_UNAVAILABLE,
        ) from exc
    if os.environ.get(CLOCK_OFFSET, "").strip(" 0.+-") and not is_loopback(spec.ark.endpoint):
        raise Permanent(
            f"{CLOCK_OFFSET} shifts the clock, which a real account must not see; unset it, or use an account on loopback",
            reason=Reason.PLATFORM_REFUSED,
        )
    credentials = connection.credentials or find_credentials(spec)
    client = Client(spec.ark, credentials, time.sleep, spec.reads)
    whose = Whose(client, spec.ark, credentials.access_key)
    details = Details(cache_file(whose.identity.place), connection.clock)
    return ArkPlatform(spec.ark, Tools(client, connection.clock, time.sleep, whose, details))


def probes(platform: Platform) -> Iterable[Probe]:
    """What works on an account that `connect` opened; see `platforms.examine`."""
    from reconciler.platforms.ark import doctor
    from reconciler.platforms.ark.platform import ArkPlatform

    assert isinstance(platform, ArkPlatform)  # it came from `connect`
    return doctor.probes(platform)


def find_credentials(spec: PlatformAccountSpec) -> Credentials:
    """The access key from the file that the account names, else from the SDK's environment variables."""
    wanted = spec.ark.credentials
    if wanted is not None and wanted.file is not None:
        return _from_file(Path(wanted.file))
    access_key, secret_key = os.environ.get(ACCESS_KEY, ""), os.environ.get(SECRET_KEY, "")
    if not access_key or not secret_key:
        raise Permanent(
            f"There is no access key for this account; set {ACCESS_KEY} and {SECRET_KEY}, or name a file in "
            "spec.ark.credentials.file",
            reason=Reason.CREDENTIALS_INVALID,
        )
    return Credentials(access_key, secret_key, os.environ.get(SESSION_TOKEN) or None)


def _from_file(path: Path) -> Credentials:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise _unusable(path, "does not exist") from exc
    except (OSError, ValueError):
        # `from None`: a JSON error carries the file's content with it.
        raise _unusable(path, "is not a readable JSON file") from None
    if mode & 0o077:
        raise _unusable(path, f"may be read by others (mode {mode:04o}); run: chmod 600 {path}")
    keys = [found.get(name) if isinstance(found, dict) else None for name in ("access_key", "secret_key")]
    token = found.get("session_token") if isinstance(found, dict) else None
    access_key, secret_key = keys
    if not isinstance(access_key, str) or not isinstance(secret_key, str) or not access_key or not secret_key:
        raise _unusable(path, "needs access_key and secret_key, as text")
    return Credentials(access_key, secret_key, token if isinstance(token, str) and token else None)


def _unusable(path: Path, what: str) -> Permanent:
    return Permanent(f"The credentials file {path} {what}.", reason=Reason.CREDENTIALS_INVALID)
