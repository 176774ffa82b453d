"""The shapes of what a PolicyConstraint's schema is run over: normalised resources of the kinds it matches, or the view of a
model."""

from collections.abc import Mapping
from typing import Any

from reconciler.kinds import normal_form, registry
from reconciler.kinds.policy_constraint import PolicyConstraintSpec, Scope
from reconciler.rules import model_view
from reconciler.rules.json_schema import reach


def shapes_of(spec: PolicyConstraintSpec) -> tuple[Mapping[str, Any], ...]:
    """Every shape of what the schema is run over, as JSON Schema."""
    if spec.scope is Scope.MODEL:
        return (model_view.schema(),)
    governed = [kind for kind in registry() if kind != "PolicyConstraint"]
    kinds = governed if spec.match.kinds is None else [kind.value for kind in spec.match.kinds]
    return tuple(normal_form.schema(kind) for kind in kinds)


def fields_of(spec: PolicyConstraintSpec) -> frozenset[str]:
    """The names of all fields in there."""
    return reach.fields(shapes_of(spec))
