"""A constraint with a keyword that JSON Schema does not have: an error to who declares it, a warning to a loop that had it before."""

import json
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

SET = """apiVersion: modelpolicy.dev/v1alpha1
kind: PolicyConstraint
metadata: {name: typo}
spec:
  match: {kinds: [ModelActivation]}
  schema: {properties: {spec: {properties: {model: {maxlength: 5}}}}}
  message: short names
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: demo}
spec: {model: doubao-seed-2-0-pro}
"""


@pytest.fixture
def policies(call: Call, tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "set.yaml").write_text(SET)
    (tmp_path / "seed.yaml").write_text("models: [{name: doubao-seed-2-0-pro}]\n")
    assert call("platform", "seed", "seed.yaml").exit_code == Exit.OK
    return folder


@pytest.mark.parametrize("words", [("validate", "policies"), ("plan", "policies"), ("apply", "policies", "--yes")])
def test_who_declares_it_is_told_at_its_line_and_nothing_is_written(
    call: Call, policies: Path, words: tuple[str, ...]
) -> None:
    said = call(*words, "-o", "json")
    assert said.exit_code == Exit.INVALID
    told = json.loads(said.stdout)
    found = [*told["findings"], *(one for account in told.get("accounts", ()) for one in account.get("findings", ()))]
    (error,) = (one for one in found if one["severity"] == "error")
    assert (error["location"]["file"], error["location"]["line"]) == ("policies/set.yaml", 6)
    assert "`maxlength` is no keyword" in error["message"]
    assert error["hint"] == "Did you mean maxLength?"
    assert "kind: ModelActivation" not in call("import").stdout


def test_a_loop_goes_on_and_warns(call: Call, policies: Path) -> None:
    said = call("watch", "policies", "--once")
    assert said.exit_code == Exit.OK
    assert "kind: ModelActivation" in call("import").stdout
    assert "`maxlength` is no keyword" in call("status", "policies").stdout
