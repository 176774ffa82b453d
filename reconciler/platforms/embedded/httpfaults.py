"""Faults over the wire: orders as JSON. What they are is in `faults`. No I/O here.

Beside those that any platform knows, the served one has: stuck-page (every page is the first one), error-in-200 (an Error
within HTTP 200), no-metadata (a reply without ResponseMetadata) and denied (a 403 AccessDenied). throttle is a 429 with Retry-After, unavailable a 503.
"""

from typing import Any

from reconciler.platforms.embedded import wire
from reconciler.platforms.embedded.faults import Fault, FaultKind


def parse(body: dict[str, Any]) -> Fault:
    """A fault from its JSON; raises WireError where it is none."""
    kind = wire.one_of(body, "kind", tuple(FaultKind))
    seconds = body.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
        raise wire.WireError("InvalidParameter.seconds", "The parameter seconds must be a number from 0 to 3600.", 400)
    times = wire.integer(body, "times", least=1, most=1_000_000) or 1
    return Fault(FaultKind(kind), wire.text(body, "action"), times, float(seconds))
