"""A PolicyConstraint matches nothing that is declared, so it guards nothing today.

Why: it may wait for what is still to come; or a label, a kind or a model in its `match` is misspelt, and then it never will. In
scope Model it is run over live models too, so there it is told once the platform was seen.
What to do: nothing where it waits. Else correct the part of `match` that the message names.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.policy_constraint import Scope as Over
from reconciler.rules import Context, Rule
from reconciler.rules.common import listed
from reconciler.rules.matching import Constraint, includes, labelled, might_select, model_of, reaches, selects
from reconciler.rules.model_view import views


def _check(context: Context) -> Iterator[Finding]:
    """Judged in each account over everything, since what matches may be another account's; equal findings are one."""
    constraints = context.declared.constraints
    whole = context.everything
    if not constraints or whole.held or not whole.complete:
        return  # what could not be read may be what it matches
    governed = [one for one in whole.resources if one.kind != "PolicyConstraint"]
    for constraint in constraints:
        mine = [one for one in governed if reaches(constraint, one)]
        if constraint.spec.scope is Over.MODEL:
            yield from _of_models(constraint, mine, context)
        elif not any(_might_match(constraint, one, context) for one in mine):
            yield _told(constraint, *_why(constraint, mine, context))


def _might_match(constraint: Constraint, resource: Resource[Any], context: Context) -> bool:
    """Whether it matches, or may once it is known which model an endpoint is of."""
    model = model_of(resource, context)
    if model is None and resource.kind == "EndpointRateOverride" and constraint.spec.match.models != ():
        return might_select(constraint, resource)
    return selects(constraint, resource, model)


def _of_models(constraint: Constraint, mine: Sequence[Resource[Any]], context: Context) -> Iterator[Finding]:
    """Over models: labels stand on what is declared; which models there are is known once the one account was seen."""
    if constraint.spec.match.labels and not any(labelled(constraint, one) for one in mine):
        yield _told(constraint, *_of_labels(constraint, mine))
    elif context.snapshot is not None and len(context.everything.accounts) == 1:
        known = views(context)
        if not any(includes(constraint, one) for one in known.values()):
            yield _told(constraint, *_of_names(constraint, known))


def _why(constraint: Constraint, mine: Sequence[Resource[Any]], context: Context) -> tuple[str, str, str]:
    """Which part of `match` nothing meets: its name, what is so, and what may be meant."""
    match = constraint.spec.match
    if match.kinds is not None and not any(one.kind in match.kinds for one in mine):
        kinds = " and no ".join(kind.value for kind in match.kinds) or "kind, for the list is empty,"
        return "kinds", f"no {kinds} is declared", ""
    if match.labels and not any(labelled(constraint, one) for one in mine):
        return _of_labels(constraint, mine)
    others = [one for one in mine if might_select(constraint, one)]
    names = {name for one in others if (name := model_of(one, context)) is not None}
    if others and match.models is not None:
        return _of_names(constraint, names)
    return "", "nothing meets all parts of match at once" if mine else "nothing is declared", ""


def _of_labels(constraint: Constraint, mine: Iterable[Resource[Any]]) -> tuple[str, str, str]:
    wanted = constraint.spec.match.labels
    known: dict[str, set[str]] = {}
    for one in mine:
        for key, value in one.labels.items():
            known.setdefault(key, set()).add(value)
    for key, value in wanted.items():
        if key not in known:
            return f"labels.{key}", f"nothing has a label {key!r}", _near(key, known)
        if value not in known[key]:
            return f"labels.{key}", f"nothing has the label {key}: {value!r}", _near(value, known[key])
    return "labels", "nothing has all of these labels", ""


def _of_names(constraint: Constraint, known: Iterable[str]) -> tuple[str, str, str]:
    patterns, names = constraint.spec.match.models or (), sorted(known)
    if not patterns:
        return "models", "the list is empty" if constraint.spec.match.models is not None else "there is no model", ""
    if not names:
        return "models", "what the other parts match has no model", ""
    return "models", f"no model is called {listed(patterns)}", _near(patterns[0], names)


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word[:128], sorted(known), n=1)
    return f"Did you mean {found[0]}?" if found else ""


def _told(constraint: Constraint, part: str, why: str, hint: str) -> Finding:
    place = constraint.at("spec", "match", *part.split(".", 1)) if part else constraint.origin
    where = f" (match.{part})" if part else ""
    return RULE.finding(f"{constraint.address} matches nothing: {why}{where}", constraint, place, hint=hint)


RULE = Rule(id="constraint-no-match", severity=Severity.INFO, check=_check)
