"""The shapes by which a schema is judged to say something in vain are those of what it is really run over."""

from typing import Any

import extremes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.finding import Location
from reconciler.kinds import Resource, normal_form, normalised, registry
from reconciler.rules import model_view
from reconciler.state import Snapshot
from tests.builders import declared
from tests.rules.helpers import context
from tests.rules.test_any_input import RESOURCES, SNAPSHOTS


@pytest.mark.parametrize("kind", registry())
def test_every_normalised_resource_has_the_shape_of_its_kind(kind: str) -> None:
    shape = Draft202012Validator(normal_form.schema(kind))
    for document in extremes.documents(kind):
        meta, spec = document["metadata"], registry()[kind].spec.model_validate(document["spec"])
        labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
        resource = Resource(kind, meta["name"], spec, Location("x"), labels=labels, annotations=annotations)
        assert [error.message for error in shape.iter_errors(normalised(resource))] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RESOURCES, max_size=6), st.none() | SNAPSHOTS)
def test_every_view_of_a_model_has_the_shape_of_a_view(resources: list[Any], seen: Snapshot | None) -> None:
    shape = Draft202012Validator(model_view.schema())
    for view in model_view.views(context(declared(*resources), seen)).values():
        whole = {
            **dict.fromkeys(view.unseen & {"activation", "limit"}),
            **view.values,
        }  # what cannot be seen is left out
        assert [error.message for error in shape.iter_errors(whole)] == []
