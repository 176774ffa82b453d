"""A resource names a model that the platform does not have.

Why: activations and limits belong to the model (FoundationModelName, without a version date); under another name there is
nothing to activate or to limit. doubao-seed-1-6-251015 is a version of doubao-seed-1-6, and price pages write doubao-seed-1.6.
Where the platform's list of models is not whole, a model that it does not name may still be there: that is a warning.
What to do: write the name as the platform lists it; `modelpolicy status` shows them all.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import not_known, seen
from reconciler.state import Listing, Model

_DATED = re.compile(r"^(?P<model>.+?)-(?:[a-z]+-)?(?P<date>[0-9]{6}|[0-9]{8})$")
_SEARCHES = 20  # a search by likeness costs as much as there are models; the first few unknown names get one


def _hint(name: str, models: Mapping[str, Model], *, search: bool) -> str:
    dated = _DATED.fullmatch(name)
    plain = name.replace(".", "-")
    for candidate in (dated["model"] if dated else "", plain, plain.lower()):
        if candidate in models:
            why = f": {dated['date']} is a version date, and policies belong to the model" if dated else ""
            return f"Write {candidate!r}{why}."
    close = difflib.get_close_matches(name, models, 1) if search else []
    if close:
        return f"Did you mean {close[0]!r}?"
    return "`modelpolicy status` lists the models of the account."


def _check(context: Context) -> Iterator[Finding]:
    models, unproven = seen(context).models, seen(context).absence_unproven(Listing.MODELS)
    hints: dict[str, str] = {}
    resources: tuple[Resource[Any], ...] = (*context.declared.activations, *context.declared.limits)
    for resource in resources:
        name = resource.spec.model
        if name in models:
            continue
        if name not in hints:
            hints[name] = _hint(name, models, search=len(hints) < _SEARCHES)
        place = resource.at("spec", "model")
        if unproven:
            said = f"whether account {context.account.name} has a model {name!r} is not known"
            yield not_known(RULE.finding(said, resource, place), unproven)
        else:
            said = f"there is no model {name!r} on account {context.account.name}"
            yield RULE.finding(said, resource, place, hint=hints[name])


RULE = Rule(
    id="unknown-model", severity=Severity.ERROR, reason=Reason.TARGET_NOT_FOUND, check=_check, needs_platform=True
)
