"""An override names an endpoint that the platform does not have, or a name that several endpoints bear.

Why: endpoint names are not unique on the platform; guessing among them could throttle the wrong workload. Creating endpoints
is not our job. Where the platform's list of endpoints is not whole, an endpoint that it does not name may still be there, and another
may bear the same name: that is a warning, and the override waits.
What to do: name the endpoint by its id (ep-...), or create it first.
"""

import difflib
from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.endpoint_rate_override import EndpointRef
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed, not_known, seen
from reconciler.state import Listing, Snapshot

_SEARCHES = 20  # a search by likeness costs as much as there are endpoints; the first few unknown names get one


def _near(ref: EndpointRef, snapshot: Snapshot) -> str:
    names = snapshot.endpoints if ref.id is not None else snapshot.endpoint_ids_by_name
    close = difflib.get_close_matches(ref.id or ref.name or "", names, 1)
    return f"Did you mean {close[0]!r}?" if close else ""


def _check(context: Context) -> Iterator[Finding]:
    snapshot = seen(context)
    unproven = snapshot.absence_unproven(Listing.ENDPOINTS)
    searched = 0
    for override in context.declared.overrides:
        ref = override.spec.endpoint
        ids = snapshot.endpoint_ids_by_name.get(ref.name or "", ()) if ref.id is None else ()
        if ref.id in snapshot.endpoints or (len(ids) == 1 and not unproven):
            continue
        called = f"with the id {ref.id!r}" if ref.id is not None else f"named {ref.name!r}"
        place = override.at("spec", "endpoint", "id" if ref.id is not None else "name")
        if unproven and len(ids) < 2:
            what = "the only endpoint" if ids else "an endpoint"
            said = f"whether account {context.account.name} has {what} {called} is not known"
            yield not_known(RULE.finding(said, override, place), unproven)
            continue
        if ids:
            message = f"{len(ids)} endpoints are {called}: {listed(ids)}; which one is meant cannot be told"
            hint = "Name the endpoint by its id."
        else:
            message = f"there is no endpoint {called} on account {context.account.name}"
            hint = _near(ref, snapshot) if searched < _SEARCHES else ""
            hint = hint or "`modelpolicy status` lists the endpoints of the account."
            searched += 1
        yield RULE.finding(message, override, place, hint=hint)


RULE = Rule(
    id="unknown-endpoint", severity=Severity.ERROR, reason=Reason.TARGET_NOT_FOUND, check=_check, needs_platform=True
)
