"""`modelpolicy explain` and `modelpolicy schema`: the reference in the terminal, from the origins themselves."""

import json
from pathlib import Path

import pytest

from reconciler import guards, rules, schema
from reconciler.cli.exits import Exit
from reconciler.kinds import registry
from reconciler.load import CHECKS
from reconciler.reasons import MEANING, Reason
from tests.cli.conftest import Call

EVERYTHING = [
    *registry(),
    *rules.registry(),
    *guards.GUARDS,
    *CHECKS,
    *(reason.value for reason in Reason),
    *(f"{kind}.{one.path}" for kind in registry() for one in schema.fields(kind)),
]


@pytest.mark.parametrize("name", EVERYTHING)
def test_everything_that_has_a_name_is_explained_under_it(call: Call, name: str) -> None:
    said = call("explain", name)
    assert said.exit_code == Exit.OK, said.output
    assert name in said.stdout
    assert len(said.stdout.splitlines()) >= 2


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANING) == set(Reason)


def test_without_a_name_everything_is_listed(call: Call) -> None:
    said = " ".join(call("explain").stdout.split())
    for name in (*registry(), *rules.registry(), *guards.GUARDS, *CHECKS):
        assert name in said


def test_a_kind_is_known_by_its_short_name_and_in_any_case(call: Call) -> None:
    by_name = call("explain", "InferenceLimit").stdout
    assert call("explain", "ilim").stdout == call("explain", "inferencelimits").stdout == by_name
    assert "tokens" in by_name


def test_a_field_says_its_type_choices_and_default(call: Call) -> None:
    said = call("explain", "ModelActivation.state").stdout
    assert "One of: Activated, NotActivated." in said
    assert "default: Activated" in said
    assert "Required." in call("explain", "InferenceLimit.spec.tokens").stdout


def test_a_rule_quotes_the_platforms_own_page(call: Call) -> None:
    said = call("explain", "limit-change-interval").stdout
    assert "S21" in said
    assert "2" in said
    assert "becomes CoolingDown" in said


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("InferenceLimits.tokns", "did you mean InferenceLimit.tokens?"),
        ("inferencelimt", "did you mean InferenceLimit?"),
        ("limit-needs-activaton", "did you mean limit-needs-activation?"),
        ("CoolinDown", "did you mean CoolingDown?"),
        ("zzzzzz", "kinds: EndpointRateOverride, InferenceLimit"),
        ("InferenceLimit.zzzzzz", "its fields are accountRef"),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_the_nearest_or_the_list(call: Call, wrong: str, near: str) -> None:
    said = call("explain", wrong)
    assert said.exit_code == Exit.USAGE
    assert near in " ".join(said.stderr.split())


def test_schema_prints_one_json_schema_for_every_kind(call: Call) -> None:
    said = json.loads(call("schema").stdout)
    assert said == schema.bundle()


def test_schema_writes_crds_into_a_directory_that_it_makes(call: Call, tmp_path: Path) -> None:
    said = call("schema", "--crds", "--out", "made/crds")
    assert (said.exit_code, said.stdout) == (Exit.OK, "")
    written = {path.name: path.read_text() for path in (tmp_path / "made/crds").iterdir()}
    assert written == dict(schema.crds())


def test_schema_prints_crds_as_one_stream(call: Call) -> None:
    assert call("schema", "--crds").stdout.count("kind: CustomResourceDefinition") == len(registry())


def test_schema_publishes_the_shapes_of_our_own_json(call: Call, tmp_path: Path) -> None:
    assert "plan" in json.loads(call("schema", "--outputs").stdout)
    call("schema", "--outputs", "--out", "made")
    assert (tmp_path / "made/output-plan.schema.json").exists()
    assert call("schema", "--outputs", "--crds").exit_code == Exit.USAGE
