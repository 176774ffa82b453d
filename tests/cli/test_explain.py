"""`modelpolicy explain` and `modelpolicy schema`: the reference in the terminal, from the origins themselves."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reconciler
from reconciler import guards, platforms, rules, schema
from reconciler.cli import explain, topics
from reconciler.cli.exits import Exit
from reconciler.kinds import registry
from reconciler.load import CHECKS
from reconciler.reasons import MEANING, Reason
from reconciler.state import PauseReason
from reconciler.status import ConditionType
from tests.cli.conftest import Call

EVERYTHING = [
    *registry(),
    *rules.registry(),
    *guards.GUARDS,
    *CHECKS,
    *(reason.value for reason in Reason),
    *(type_.value for type_ in ConditionType),
    *(str(code.value) for code in Exit),
    *(reason.value for reason in PauseReason),
    *platforms.facts(),
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


def test_without_a_topic_everything_is_listed_by_group(call: Call) -> None:
    said = " ".join(call("explain").stdout.split())
    for name in (*registry(), *rules.registry(), *guards.GUARDS, *CHECKS):
        assert name in said
    assert [said.index(title) for title in topics.groups()] == sorted(said.index(title) for title in topics.groups())
    assert "S1 to S32, D1 to D18" in said


def test_every_id_that_a_finding_may_bear_is_explained(call: Call) -> None:
    """Whoever reads an id in an output asks for it: each one in the code has a text."""
    told = {
        node.args[0].value
        for path in Path(reconciler.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Finding"
        and node.args and isinstance(node.args[0], ast.Constant)
    }  # fmt: skip
    assert {"unreadable", "annotation"} <= told
    assert told - {*rules.registry(), *CHECKS} == set()


def test_a_fact_says_what_it_is_where_it_is_known_from_and_what_stands_on_it(call: Call) -> None:
    said = " ".join(call("explain", "s21").stdout.split())
    assert "two hours apart" in said.lower()
    assert "每个模型的推理限额设置需间隔至少 2 小时" in said
    assert "limit-change-interval, InferenceLimit" in said


@pytest.mark.parametrize("name", [*registry(), *rules.registry(), *guards.GUARDS])
def test_a_number_of_a_fact_stands_beside_what_it_says(call: Call, name: str) -> None:
    said = call("explain", name).stdout
    assert not re.search(r"\([SDA]\d", said)
    for number in re.findall(r"^  ([SDA]\d+)  ", said, re.MULTILINE):
        assert platforms.facts()[number].says.split()[0] in said


def test_what_kubectl_and_editors_show_names_no_number_that_cannot_be_looked_up_there() -> None:
    assert not re.search(r"\([SDA]\d", "".join(schema.crds().values()) + json.dumps(schema.bundle()))


def test_exit_codes_are_explained_one_by_one_and_together(call: Call) -> None:
    every = " ".join(call("explain", "exit-codes").stdout.split())
    for code in Exit:
        one = " ".join(call("explain", str(code.value)).stdout.split()).partition("exit code ")[2]
        assert one
        assert one in every


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
        ("zzzzzz", "nothing called 'zzzzzz'; `modelpolicy explain` lists what there is."),
        ("interval", "did you mean limit-change-interval?"),
        ("rpm", "did you mean EndpointRateOverride.rpm?"),
        ("S211", "did you mean S21"),
        ("InferenceLimit.zzzzzz", "its fields are accountRef"),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_the_nearest_or_the_list(call: Call, wrong: str, near: str) -> None:
    said = call("explain", wrong)
    assert said.exit_code == Exit.USAGE
    assert near in " ".join(said.stderr.split())


@given(st.text(max_size=300))
def test_a_miss_is_told_in_three_lines_whatever_was_asked_for(name: str) -> None:
    said = explain._unknown(name)
    assert len(said) < 300


def test_a_topic_of_only_blanks_is_none_and_no_crash(call: Call) -> None:
    assert call("explain", "   ").exit_code == Exit.USAGE


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
