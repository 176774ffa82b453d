"""What a PolicyConstraint is run over: the one place that reads its `match`. No rule lives here."""

from typing import Any

from reconciler.kinds import Resource
from reconciler.kinds.declared import matches_name
from reconciler.kinds.policy_constraint import PolicyConstraintSpec
from reconciler.rules import Context
from reconciler.rules.model_view import View

Constraint = Resource[PolicyConstraintSpec]


def reaches(constraint: Constraint, resource: Resource[Any]) -> bool:
    """A namespaced constraint governs what is in its namespace or on an account of its namespace; in files, everything."""
    return constraint.namespace is None or constraint.namespace in (
        resource.namespace,
        resource.account.partition("/")[0],
    )


def selects(constraint: Constraint, resource: Resource[Any], model: str | None) -> bool:
    """Whether a constraint of scope Resource matches a resource of that model."""
    patterns = constraint.spec.match.models
    of_model = patterns is None or (model is not None and matches_name(model, patterns))
    return of_model and might_select(constraint, resource)


def might_select(constraint: Constraint, resource: Resource[Any]) -> bool:
    """The same of a resource whose model is not known: whether it matches if the model does."""
    match = constraint.spec.match
    return (match.kinds is None or resource.kind in match.kinds) and labelled(constraint, resource)


def labelled(constraint: Constraint, resource: Resource[Any]) -> bool:
    """Whether the resource carries the labels that the constraint asks for."""
    return all(resource.labels.get(key) == value for key, value in constraint.spec.match.labels.items())


def includes(constraint: Constraint, view: View) -> bool:
    """Whether a constraint of scope Model matches a model."""
    match, mine = constraint.spec.match, [one for one in view.resources if reaches(constraint, one)]
    if constraint.namespace is not None and not mine:
        return False
    named = matches_name(view.values["model"], match.models)
    return named and (not match.labels or any(labelled(constraint, one) for one in mine))


def model_of(resource: Resource[Any], context: Context) -> str | None:
    """The model of a resource; an override's only where the platform was seen."""
    if resource.kind != "EndpointRateOverride":
        return getattr(resource.spec, "model", None)
    snapshot, ref = context.snapshot, resource.spec.endpoint
    if snapshot is None:
        return None
    ids = (ref.id,) if ref.id is not None else snapshot.endpoint_ids_by_name.get(ref.name, ())
    endpoint = snapshot.endpoints.get(ids[0]) if len(ids) == 1 else None
    return endpoint.model if endpoint else None
