"""A PolicyConstraint, the organisation's own rule as JSON Schema (2020-12), is not met; the message is the constraint's own.

Why: its severity says what follows: an error stops the resource's changes. In scope Model an error is a warning while the
platform was not seen, because what is live might meet it. A constraint whose schema cannot be used, or that has a keyword which
JSON Schema does not have, is an error of its own: it would guard less than it seems to. In a loop and in a cluster, where the
constraint was accepted before, an unknown keyword is a warning and the rest of the schema holds.
What to do: change the value at the place named, or the constraint. In a schema, `$ref` reaches within the schema only (nothing
is ever fetched), patterns are RE2 (matched in linear time: no look-around, no back-references), keywords of your own begin with
x-, and the work is bounded: 10,000 values and 64 levels a schema, and 1,000 steps for each match on average (100,000 to start
with), where a keyword is one step and more where it compares, matches or tells much.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource, normalised
from reconciler.kinds.policy_constraint import Scope as Over
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.matching import Constraint, includes, model_of, reaches, selects
from reconciler.rules.model_view import ACTIVATION, LIMIT, OBSERVED, OVERRIDES, View, views

if TYPE_CHECKING:
    from reconciler.rules.json_schema.bounded import Fault, Schema, Unfit
    from reconciler.rules.json_schema.keywords import Path

MAX_UNKNOWN: Final = 10  # keywords of one constraint that are told
_Place = tuple[Resource[Any] | None, Location]


@dataclass(frozen=True, slots=True)
class _Subject:
    """One value that a constraint is run over; `place` finds the resource and location of a path in it."""

    values: Mapping[str, Any]
    place: "Callable[[Path], _Place]"
    name: str
    unseen: frozenset[str] = frozenset()
    observed: bool = True


def _check(context: Context) -> Iterator[Finding]:
    constraints = context.declared.constraints
    if not constraints:
        return
    from reconciler.rules.json_schema.bounded import Unfit, compiled  # most sets have no constraint

    governed = [one for one in context.declared.resources if one.kind != "PolicyConstraint"]
    values = {id(one): normalised(one) for one in governed}
    by_model = views(context) if any(one.spec.scope is Over.MODEL for one in constraints) else {}
    for constraint in constraints:
        schema = compiled(constraint.spec.schema_)
        if isinstance(schema, Unfit):
            yield _unusable(constraint, schema)
            continue
        unknown = [*_unknown(constraint, is_stored=context.everything.stored)]
        yield from unknown
        if any(found.severity is Severity.ERROR for found in unknown):
            continue
        if constraint.spec.scope is Over.MODEL:
            subjects = (_of_model(constraint, one, context) for one in by_model.values() if includes(constraint, one))
            yield from _judged(constraint, schema, subjects)
        else:
            matched = (
                one for one in governed
                if reaches(constraint, one) and selects(constraint, one, model_of(one, context))
            )  # fmt: skip
            yield from _judged(constraint, schema, (_of_resource(one, values[id(one)]) for one in matched))


def _unusable(constraint: Constraint, schema: "Unfit") -> Finding:
    return RULE.finding(
        f"the schema of {constraint.address} {schema.message}; what it matches is left as it is",
        constraint,
        constraint.at("spec", "schema", *schema.path),
        hint=schema.hint or "Correct the schema; `modelpolicy explain constraint` says what may stand in one.",
    )


def _unknown(constraint: Constraint, *, is_stored: bool) -> Iterator[Finding]:
    """The keywords that JSON Schema does not have."""
    from reconciler.rules.json_schema import remarks
    from reconciler.rules.json_schema.documents import fields_of

    end = "the rest of it holds" if is_stored else "what it matches is left as it is"
    fields = fields_of(constraint.spec)
    for remark in islice(remarks.unknown(constraint.spec.schema_, fields), MAX_UNKNOWN):
        place = constraint.at("spec", "schema", *remark.path)
        message = f"in the schema of {constraint.address} {remark.message}; {end}"
        found = RULE.finding(message, constraint, place, hint=remark.hint)
        yield replace(found, severity=Severity.WARNING, reason=None) if is_stored else found


def _of_resource(resource: Resource[Any], values: Mapping[str, Any]) -> _Subject:
    return _Subject(values, lambda path: (resource, resource.at(*path)), resource.address)


def _of_model(constraint: Constraint, view: View, context: Context) -> _Subject:
    def place(path: "Path") -> _Place:
        head, rest = path[:1], path[1:]
        named: Resource[Any] | None = None
        if head == (ACTIVATION,):
            named = view.activation
        elif head == (LIMIT,):
            named = view.limit
        elif head == (OVERRIDES,) and rest and isinstance(rest[0], int):
            named, rest = view.overrides[rest[0]], rest[1:]
        if named is not None:
            return named, named.at("spec", *rest)
        first = next(iter(view.resources), None)
        # A model that nobody declares: the constraint can be shown, but the fault is not the constraint's own.
        return (first, first.at("spec", "model")) if first else (None, constraint.origin)

    return _Subject(view.values, place, view.values["model"], view.unseen, context.snapshot is not None)


def _judged(constraint: Constraint, schema: "Schema", subjects: Iterable[_Subject]) -> Iterator[Finding]:
    from reconciler.rules.json_schema.bounded import MOST_TOLD
    from reconciler.rules.json_schema.evaluation import Budget

    budget = Budget()
    severity = constraint.spec.severity
    for subject in subjects:
        faults = schema.faults(subject.values, budget)
        if faults is None:
            message = f"{constraint.address} takes too much work to judge {subject.name}, so it counts as not met"
            yield _finding(constraint, message, subject.place(()), severity)
            continue
        for fault in islice((one for one in faults if not _about_unseen(one, subject)), MOST_TOLD):
            unsure = not subject.observed and severity is Severity.ERROR
            message = f"{constraint.spec.message} ({_detail(fault, subject)})"
            message += "; judged without the platform" if unsure else ""
            yield _finding(constraint, message, subject.place(fault.path), Severity.WARNING if unsure else severity)


def _detail(fault: "Fault", subject: _Subject) -> str:
    where = ".".join(str(step) for step in fault.path)
    return f"{subject.name}: {where}: {fault.message}" if where else f"{subject.name}: {fault.message}"


def _finding(constraint: Constraint, message: str, place: _Place, severity: Severity) -> Finding:
    resource, location = place
    return Finding(
        rule=RULE.id,
        severity=severity,
        message=message,
        hint=_hint(constraint),
        location=location,
        resource=resource.address if resource else None,
        reason=RULE.reason if severity is Severity.ERROR else None,
    )


def _hint(constraint: Constraint) -> str:
    return f"{constraint.cited} asks for it."


def told_by(finding: Finding, constraint: Constraint) -> bool:
    """Whether the finding says that this constraint is not met."""
    return finding.rule == RULE.id and finding.hint == _hint(constraint)


def _about_unseen(fault: "Fault", subject: _Subject) -> bool:
    """Whether the fault speaks of what could not be seen, which breaks nothing."""
    if fault.path[:1] == (OBSERVED,):
        # Every key of what was observed is there, null where absent; a missing one could not be seen.
        return not subject.observed or fault.keyword == "required"
    return not fault.path and bool(fault.missing) and fault.missing <= subject.unseen


RULE = Rule(id="constraint", severity=Severity.ERROR, reason=Reason.RULE_VIOLATION, check=_check)
