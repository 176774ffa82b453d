"""A PolicyConstraint, the organisation's own rule as JSON Schema (2020-12), is not met; the message is the constraint's own.

Why: its severity says what follows: an error stops the resource's changes. In scope Model an error is a warning while the
platform was not seen, because what is live might meet it. A constraint whose schema cannot be used is an error of its own.
What to do: change the value at the place named, or the constraint. In a schema, `$ref` reaches within the schema only (nothing
is ever fetched), patterns are RE2 (matched in linear time: no look-around, no back-references), and the work is bounded: 10,000
values and 64 levels a schema, and 1,000 keywords looked at for each match on average (100,000 to start with).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource, normalised
from reconciler.kinds.declared import matches_name
from reconciler.kinds.policy_constraint import PolicyConstraintSpec
from reconciler.kinds.policy_constraint import Scope as Over
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.json_schema.bounded import MOST_TOLD, Fault, Schema, Unfit, compiled
from reconciler.rules.json_schema.evaluation import Budget
from reconciler.rules.json_schema.keywords import Path
from reconciler.rules.model_view import ACTIVATION, LIMIT, OBSERVED, OVERRIDES, View, views

Constraint = Resource[PolicyConstraintSpec]
_Place = tuple[Resource[Any] | None, Location]


def _reaches(constraint: Constraint, resource: Resource[Any]) -> bool:
    """A namespaced constraint governs what is in its namespace or on an account of its namespace; in files, everything."""
    return constraint.namespace is None or constraint.namespace in (
        resource.namespace,
        resource.account.partition("/")[0],
    )


def _selects(constraint: Constraint, resource: Resource[Any], model: str | None) -> bool:
    match = constraint.spec.match
    of_kind = match.kinds is None or resource.kind in match.kinds
    of_model = match.models is None or (model is not None and matches_name(model, match.models))
    return of_kind and of_model and _labelled(constraint, resource)


def _labelled(constraint: Constraint, resource: Resource[Any]) -> bool:
    return all(resource.labels.get(key) == value for key, value in constraint.spec.match.labels.items())


@dataclass(frozen=True, slots=True)
class _Subject:
    """One value that a constraint is run over; `place` finds the resource and location of a path in it."""

    values: Mapping[str, Any]
    place: Callable[[Path], _Place]
    name: str
    unseen: frozenset[str] = frozenset()
    observed: bool = True


def _check(context: Context) -> Iterator[Finding]:
    constraints = context.declared.constraints
    if not constraints:
        return
    governed = [one for one in context.declared.resources if one.kind != "PolicyConstraint"]
    values = {id(one): normalised(one) for one in governed}
    by_model = views(context) if any(one.spec.scope is Over.MODEL for one in constraints) else {}
    for constraint in constraints:
        schema = compiled(constraint.spec.schema_)
        if isinstance(schema, Unfit):
            yield RULE.finding(
                f"the schema of {constraint.address} {schema.message}; what it matches is left as it is",
                constraint,
                constraint.at("spec", "schema", *schema.path),
                hint="Correct the schema; `modelpolicy explain constraint` says what may stand in one.",
            )
        elif constraint.spec.scope is Over.MODEL:
            subjects = (_of_model(constraint, one, context) for one in by_model.values() if _in_scope(constraint, one))
            yield from _judged(constraint, schema, subjects)
        else:
            matched = (
                one for one in governed
                if _reaches(constraint, one) and _selects(constraint, one, _model_of(one, context))
            )  # fmt: skip
            yield from _judged(constraint, schema, (_of_resource(one, values[id(one)]) for one in matched))


def _model_of(resource: Resource[Any], context: Context) -> str | None:
    """The model of a resource; an override's only where the platform was seen."""
    if resource.kind != "EndpointRateOverride":
        return getattr(resource.spec, "model", None)
    snapshot, ref = context.snapshot, resource.spec.endpoint
    if snapshot is None:
        return None
    ids = (ref.id,) if ref.id is not None else snapshot.endpoint_ids_by_name.get(ref.name, ())
    endpoint = snapshot.endpoints.get(ids[0]) if len(ids) == 1 else None
    return endpoint.model if endpoint else None


def _in_scope(constraint: Constraint, view: View) -> bool:
    match, mine = constraint.spec.match, [one for one in view.resources if _reaches(constraint, one)]
    if constraint.namespace is not None and not mine:
        return False
    named = matches_name(view.values["model"], match.models)
    return named and (not match.labels or any(_labelled(constraint, one) for one in mine))


def _of_resource(resource: Resource[Any], values: Mapping[str, Any]) -> _Subject:
    return _Subject(values, lambda path: (resource, resource.at(*path)), resource.address)


def _of_model(constraint: Constraint, view: View, context: Context) -> _Subject:
    def place(path: Path) -> _Place:
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


def _judged(constraint: Constraint, schema: Schema, subjects: Iterable[_Subject]) -> Iterator[Finding]:
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


def _detail(fault: Fault, subject: _Subject) -> str:
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


def _about_unseen(fault: Fault, subject: _Subject) -> bool:
    """Whether the fault speaks of what could not be seen, which breaks nothing."""
    if fault.path[:1] == (OBSERVED,):
        # Every key of what was observed is there, null where absent; a missing one could not be seen.
        return not subject.observed or fault.keyword == "required"
    return not fault.path and bool(fault.missing) and fault.missing <= subject.unseen


RULE = Rule(id="constraint", severity=Severity.ERROR, reason=Reason.RULE_VIOLATION, check=_check)
