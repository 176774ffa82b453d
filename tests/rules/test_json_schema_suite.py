"""The official JSON-Schema-Test-Suite for 2020-12: every verdict is the standard's, and what is refused is refused for a reason.

A refused schema is an error of its constraint and holds what it matches: it is never silently wrong.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.rules.json_schema.bounded import Unfit, compiled
from reconciler.rules.json_schema.evaluation import Budget
from tests.rules import official

pytestmark = pytest.mark.timeout(180)  # the first time it is fetched

REMOTE = "a reference out of the schema is not followed: nothing is fetched in a pass"
IDENTITY = "$id within a schema is a base for references that lead out of it"
DYNAMIC = "$dynamicRef is for schemas that extend each other, and a constraint is one schema"
DIALECT = "a metaschema of one's own is not fetched"
RE2 = "RE2 matches in linear time, and has neither \\p{Letter} nor \\c"
BITS = "an integer of more than 63 bits is refused, so that no comparison is costly"
# By what the refusal says.
REFUSED = {
    "only references within the schema": REMOTE,
    "uses $id,": IDENTITY,
    "uses $dynamicRef,": DYNAMIC,
    "only 2020-12 is understood": DIALECT,
    "which cannot be used: invalid": RE2,
    "an integer of more than 63 bits": BITS,
}
ASCII = "\\s and \\S are those of RE2: the white space of ASCII"
NO_KEYWORD = "`dependencies` is no keyword of 2020-12; a constraint that has it is an error, which says what to write"
# Files and groups whose verdicts are not the suite's. None of these is one that every implementation must pass.
OTHERWISE = {
    ("optional/ecmascript-regex.json", "ECMA 262 \\s matches whitespace"): ASCII,
    ("optional/ecmascript-regex.json", "ECMA 262 \\S matches everything but whitespace"): ASCII,
    ("optional/dependencies-compatibility.json", "single dependency"): NO_KEYWORD,
    ("optional/dependencies-compatibility.json", "multiple dependents required"): NO_KEYWORD,
    ("optional/dependencies-compatibility.json", "dependencies with escaped characters"): NO_KEYWORD,
    ("optional/dependencies-compatibility.json", "single schema dependency"): NO_KEYWORD,
    ("optional/dependencies-compatibility.json", "boolean subschemas"): NO_KEYWORD,
    ("optional/dependencies-compatibility.json", "schema dependencies with escaped characters"): NO_KEYWORD,
}


class Group(NamedTuple):
    file: str
    description: str
    schema: Any
    tests: list[dict[str, Any]]


@pytest.fixture(scope="module")
def tests() -> Path:
    return official.folder()


def groups(tests: Path) -> Iterator[Group]:
    """All but those of formats, which are notes here."""
    for file in sorted(tests.rglob("*.json")):
        name = file.relative_to(tests).as_posix()
        if not name.startswith("optional/format/"):
            for group in json.loads(file.read_text(encoding="utf-8")):
                yield Group(name, group["description"], group["schema"], group["tests"])


def made(schema: Any) -> Any:
    """The schema made ready; a constraint's is a mapping, so true and false stand in one."""
    return compiled(schema if isinstance(schema, dict) else {"allOf": [schema]})


def test_every_verdict_is_the_suites_but_for_those_that_are_listed(tests: Path) -> None:
    asked, otherwise = 0, set()
    for group in groups(tests):
        schema = made(group.schema)
        if isinstance(schema, Unfit):
            continue
        for test in group.tests:
            found = schema.faults(test["data"], Budget())
            assert found is not None, (group.description, "takes too much work")
            asked += 1
            if ([*found] == []) is not test["valid"]:
                otherwise.add((group.file, group.description))
    assert asked > 1000
    known = {(group.file, group.description) for group in groups(tests)}
    assert otherwise == OTHERWISE.keys() & known


def test_every_schema_that_is_refused_is_refused_for_a_reason_that_is_listed(tests: Path) -> None:
    unlisted, met = [], set()
    for group in groups(tests):
        schema = made(group.schema)
        if isinstance(schema, Unfit):
            reasons = [reason for words, reason in REFUSED.items() if words in schema.message]
            met |= {*reasons}
            if not reasons:
                unlisted.append((group.file, group.description, schema.message))
    assert unlisted == []
    assert met >= {REMOTE, IDENTITY, DYNAMIC, RE2, BITS}


def test_nothing_that_every_implementation_must_pass_is_judged_otherwise() -> None:
    assert all(file.startswith("optional/") for file, _ in OTHERWISE)
