"""Documents with several extreme values at once are planned, carried out, told in every output and read again, whatever they say."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import extremes
from builders import declared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Stage

from reconciler import isolation
from reconciler.finding import Location
from reconciler.kinds import Resource, registry
from reconciler.report import Report, as_github, as_html, as_json, as_junit, as_markdown, as_sarif, as_text

KINDS = ("ModelActivation", "InferenceLimit", "EndpointRateOverride", "PolicyConstraint")


@cache
def parts(kind: str) -> list[tuple[str, str, Any]]:
    """Each extreme value that one field of the kind takes: metadata or spec, the field, the value."""
    plain = extremes.base(kind, 0)
    return [
        (part, field, value)
        for document in extremes.documents(kind)
        for part in ("metadata", "spec")
        for field, value in document[part].items()
        if field not in ("name", "model", "match") and value != plain[part].get(field)
    ]


@st.composite
def documents(draw: Any) -> list[Resource[Any]]:
    """A few documents, each about a model and an endpoint of its own, with up to four fields at an extreme."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(KINDS))
        document = extremes.base(kind, number)
        for part, field, value in draw(st.lists(st.sampled_from(parts(kind)), max_size=4)):
            if field != "endpoint":
                document[part][field] = value
        if extremes.is_accepted(document):
            meta, spec = document["metadata"], registry()[kind].spec.model_validate(document["spec"])
            labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
            place = Location("policies/x.json", number + 1, 1)
            made.append(Resource(kind, meta["name"], spec, place, labels=labels, annotations=annotations))
    return made


def outputs(report: Report) -> list[str]:
    found = (report.findings, 3, report.failures)
    return [
        as_text.plan(report), as_text.applied(report), as_text.status(report), as_text.findings(*found),
        as_json.plan(report), as_json.applied(report), as_json.status(report), as_json.findings(*found),
        as_html.plan(report), as_markdown.plan(report), as_github.findings(*found), as_sarif.findings(*found),
        as_junit.findings(*found),
    ]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_no_combination_of_accepted_values_upsets_a_pass_or_an_output(resources: list[Resource[Any]]) -> None:
    with TemporaryDirectory() as home:
        stage = Stage(Path(home))
        try:
            stage.models("home", *(f"m-{number}" for number in range(5)))
            stage.endpoints(*(f"ep-{number}" for number in range(5)), of="home")
            for report in (stage.apply(declared(*resources), keep_going=True), stage.look(stage.asked(*resources))):
                assert [found.message for found in report.findings if found.rule == isolation.RULE] == []
                assert all(isinstance(text, str) for text in outputs(report))
                json.loads(as_json.status(report))
        finally:
            stage.close()
