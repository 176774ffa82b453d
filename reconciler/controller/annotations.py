"""What people tell a running operator by annotations. Pure.

    modelpolicy.dev/requested-at   any new value: sweep and reconcile now
    modelpolicy.dev/allow          on a PlatformAccount: "GUARD[=KIND/NAMESPACE/NAME][, ...]: REASON"
    modelpolicy.dev/attested       "GENERATION: WHO": a person did by hand what that generation of the spec declares
    modelpolicy.dev/paused, modelpolicy.dev/protect, modelpolicy.dev/ticket          as in files; the planner reads them

An `allow` on anything but the PlatformAccount is not honoured: who may write a policy may not wave its guards through.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from reconciler.finding import Finding, Severity
from reconciler.guards import GUARDS, Allow
from reconciler.kinds import Resource
from reconciler.kinds.annotations import ALLOW, ATTESTED, REQUESTED
from reconciler.kinds.declared import Declared

_WORD: Final = re.compile(r"\s*[0-9]{1,18}\s*:\s*\S.*")


def requested(declared: Declared) -> str:
    """Equal as long as nobody asked to reconcile now."""
    asked = (
        f"{each.address}={each.annotations[REQUESTED]}" for each in declared.resources if REQUESTED in each.annotations
    )
    return "\n".join(asked)


def allows(account: Resource[Any]) -> tuple[Allow, ...]:
    """The guards that the account's annotation waves through; none without a reason, and none in files."""
    if account.namespace is None:
        return ()
    guards, _, reason = account.annotations.get(ALLOW, "").partition(":")
    if not reason.strip():
        return ()
    named = (part.strip().partition("=") for part in guards.split(","))
    return tuple(Allow(guard, address or None, reason.strip()) for guard, _, address in named if guard in GUARDS)


def findings(declared: Declared) -> Iterator[Finding]:
    """What is wrong with the annotations of a cluster's resources."""
    for resource in declared.resources:
        word = resource.annotations.get(ATTESTED)
        if word is not None and not _WORD.fullmatch(word):
            now = (
                f"now {resource.generation}: WHO"
                if resource.generation is not None
                else "as metadata.generation tells it"
            )
            message = f"{ATTESTED} is written GENERATION: WHO ({now}), so it is not honoured"
            yield _warning(resource, message, "Say who did it, and of which generation of the spec.")
        text = resource.annotations.get(ALLOW)
        if text is None:
            continue
        if resource.kind != "PlatformAccount":
            yield _warning(resource, f"{ALLOW} is honoured on a PlatformAccount only", "Set it on the account.")
            continue
        guards, _, reason = text.partition(":")
        unknown = [part for part in guards.split(",") if part.strip().partition("=")[0] not in GUARDS]
        if unknown or not reason.strip():
            why = f"names no guard ({unknown[0].strip()[:80]!r})" if unknown else "gives no reason"
            hint = f"Write GUARD[=KIND/NAMESPACE/NAME]: REASON; the guards are {', '.join(GUARDS)}."
            yield _warning(resource, f"{ALLOW} {why}, so it is not honoured", hint)


def _warning(resource: Resource[Any], message: str, hint: str) -> Finding:
    return Finding("annotation", Severity.WARNING, message, hint, resource.origin, resource.address)
