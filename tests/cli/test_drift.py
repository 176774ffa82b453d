"""`modelpolicy drift`: which side moved, field by field, since when; silent on what cannot be seen."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from reconciler.cli.exits import Exit
from reconciler.plan.drift import Moved, drifts
from reconciler.report.output_schemas import output_schemas
from reconciler.state import UNOBSERVABLE, Fields, Limit
from tests import builders as b
from tests.cli.conftest import Call, embedded

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
POLICIES = f"""{HEAD}kind: ModelActivation
metadata: {{name: doubao-seed-1-6}}
spec: {{model: doubao-seed-1-6}}
---
{HEAD}kind: InferenceLimit
metadata: {{name: doubao-seed-1-6}}
spec: {{model: doubao-seed-1-6, tokens: 2M}}
"""


@pytest.mark.parametrize(
    ("declared", "applied", "live", "moved"),
    [
        (2, 2, 1, Moved.PLATFORM),
        (2, 1, 1, Moved.CONFIG),
        (2, 1, 3, Moved.BOTH),
        (2, None, None, Moved.CONFIG),
        (2, 2, None, Moved.PLATFORM),
        (2, UNOBSERVABLE, 1, Moved.UNKNOWN),
    ],
)
def test_the_side_that_left_what_was_applied_is_the_one_that_moved(
    declared: int, applied: int | None, live: int | None, moved: Moved
) -> None:
    limit = b.limit(tokens=declared)
    remembered: Fields | None = None if applied is UNOBSERVABLE else {"tokens": applied}
    history = b.history(b.record(limit, applied=remembered, equal_at=b.NOW))
    seen = b.snapshot(b.model(limit=Limit(live) if live else None))
    [one] = drifts(b.declared(limit), seen, history, b.NOW)
    assert one.moved is one.fields[0].moved is moved
    assert (one.fields[0].declared, one.fields[0].applied, one.fields[0].live) == (declared, applied, live)
    assert one.equal_at == b.NOW


def test_what_is_as_declared_or_cannot_be_seen_or_found_does_not_drift() -> None:
    limit = b.limit(tokens=2)
    history = b.history(b.record(limit, applied={"tokens": 9}))
    equal, unseen = b.snapshot(b.model(limit=Limit(2))), b.snapshot(b.model(limit=UNOBSERVABLE))
    for seen in (equal, unseen, replace(equal, models={})):
        assert drifts(b.declared(limit), seen, history, b.NOW) == ()


@pytest.fixture
def applied(call: Call, tmp_path: Path) -> Path:
    """A converged working directory."""
    embedded(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/seed.yaml").write_text(POLICIES)
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    return tmp_path


def test_a_converged_platform_has_no_drift(call: Call, applied: Path) -> None:
    said = call("drift", "policies")
    assert said.exit_code == Exit.OK, said.output
    assert "No drift." in said.stdout


def test_an_edited_declaration_is_drift_of_the_declaration(call: Call, applied: Path) -> None:
    (applied / "policies/seed.yaml").write_text(POLICIES.replace("2M", "3M"))
    said = call("drift", "policies")
    assert said.exit_code == Exit.CHANGES
    assert "the declaration changed since it was applied" in said.stdout
    assert "last seen equal" in said.stdout
    row = next(line for line in said.stdout.splitlines() if line.strip().startswith("tokens"))
    assert row.split() == ["tokens", "3,000,000", "2,000,000", "2,000,000", "config"]


def test_a_platform_that_was_changed_elsewhere_is_drift_of_the_platform(call: Call, applied: Path) -> None:
    (applied / "elsewhere.yaml").write_text(POLICIES.replace("spec: {model: doubao-seed-1-6}", "spec: "
                                            "{model: doubao-seed-1-6, subServices: [fast-infer]}"))  # fmt: skip
    (applied / "policies/seed.yaml").write_text((applied / "elsewhere.yaml").read_text())
    call("apply", "policies", "--yes")
    (applied / "seed.yaml").write_text("models:\n  - {name: doubao-seed-1-6, subServices: []}\n")
    assert call("platform", "seed", "seed.yaml").exit_code == Exit.OK
    said = call("drift", "policies", "-o", "json")
    assert said.exit_code == Exit.CHANGES, said.output
    document = json.loads(said.stdout)
    jsonschema.Draft202012Validator(output_schemas()["drift"]).validate(document)
    [item] = document["drifts"]
    assert (item["address"], item["moved"]) == ("ModelActivation/doubao-seed-1-6", "platform")
    assert item["fields"] == [
        {"path": "subServices", "declared": ["fast-infer"], "applied": ["fast-infer"], "live": [], "moved": "platform"}
    ]


def test_unmanaged_items_count_only_where_they_are_asked_for(call: Call, applied: Path) -> None:
    (applied / "seed.yaml").write_text("models:\n  - {name: kimi-k2, state: Activated}\n")
    assert call("platform", "seed", "seed.yaml").exit_code == Exit.OK
    assert call("drift", "policies").exit_code == Exit.OK
    said = call("drift", "policies", "--unmanaged")
    assert said.exit_code == Exit.CHANGES
    assert "ModelActivation/kimi-k2" in said.stdout
