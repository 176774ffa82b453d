"""Examines an account of Ark by reading calls alone: reachability, credentials, clock and the permission for each action.

It must not write, and it stops at the first failure that every further call would repeat.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from reconciler.errors import PlatformError, Unsupported
from reconciler.platforms import Probe
from reconciler.platforms.ark import usage
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.platform import ArkPlatform
from reconciler.reasons import Reason

_PAGE: Final = {"PageNumber": 1, "PageSize": 1}
_READS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ListModelActivations": _PAGE,
    "ListModelChargeItems": _PAGE,
    "ListModelRateLimit": {"FoundationModelNames": []},
    "ListFoundationModels": _PAGE,
    "ListEndpoints": _PAGE,
}
_HOPELESS: Final = (Reason.CREDENTIALS_INVALID, Reason.PLATFORM_UNAVAILABLE, Reason.THROTTLED)
TELLABLE_S: Final = 3.0  # the API says whole seconds, some servers a while ago
WELL_SET_S: Final = 60.0


def probes(platform: ArkPlatform) -> Iterator[Probe]:
    """What works and what does not, in the order in which it is needed."""
    settings, client = platform.settings, platform.client
    platform.whose.ask()
    try:
        client.read("ListEndpoints", {**_PAGE, "ProjectName": settings.project})
    except PlatformError as error:
        if error.reason in _HOPELESS:
            wrong_keys = error.reason is Reason.CREDENTIALS_INVALID
            if wrong_keys:
                yield Probe("reachability", "the API answers")
            yield Probe("credentials" if wrong_keys else "reachability", str(error), good=False)
            return
    yield Probe("reachability", "the API answers")
    yield Probe("credentials", "the signature is accepted")
    yield _clock(client)
    yield _account(platform)
    for action, request in _READS.items():
        yield _permission(client, action, request)
    yield _permission(client, usage.ACTION, usage.today(datetime.now(UTC), settings.project))


def _account(platform: ArkPlatform) -> Probe:
    """Whose account it is. That nobody says so is no failure: the key then stands for it, until it is exchanged."""
    meant, identity = platform.settings.account_id, platform.whose.wait()
    if not identity.account:
        return Probe(
            "account", f"its id could not be read: {platform.whose.why_not or 'no answer yet'}", good=meant is None
        )
    if meant not in (None, identity.account):
        return Probe("account", f"the key is of account {identity.account}, and accountId says {meant}", good=False)
    return Probe("account", f"{identity.account} in {identity.scope}")


def _permission(client: Client, action: str, request: Mapping[str, Any]) -> Probe:
    try:
        client.read(action, request)
    except Unsupported as error:
        return Probe(action, f"{error}; what it would show is not to be seen")
    except PlatformError as error:
        return Probe(action, str(error), good=False)
    return Probe(action, "may be called")


def _clock(client: Client) -> Probe:
    """Signatures carry the time: 15 minutes off, and none is accepted."""
    said = client.date()
    try:
        skew = (datetime.now(UTC) - parsedate_to_datetime(said)).total_seconds()
    except (TypeError, ValueError):
        return Probe("clock", "the API does not say its time; its signature check passed")
    if abs(skew) <= TELLABLE_S:
        return Probe("clock", "in step with the API's")
    good = abs(skew) <= WELL_SET_S
    advice = "" if good else "; set this machine's clock, for signatures are refused from 15 minutes on"
    return Probe("clock", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the API's{advice}", good=good)
