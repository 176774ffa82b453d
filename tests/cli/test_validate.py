"""`modelpolicy validate`: every finding at once, in each format, exit 3 on an error, never a traceback."""

import json
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

GOOD = """apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: doubao-seed-1-6}
spec: {model: doubao-seed-1-6}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: doubao-seed-1-6}
spec:
  model: doubao-seed-1-6
  tokens: 2M
"""
BAD = GOOD.replace("tokens: 2M", 'tokens: "2000000"')


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "seed.yaml").write_text(GOOD)
    return folder


def test_a_good_set_is_fine(call: Call, policies: Path) -> None:
    said = call("validate", "policies")
    assert said.exit_code == Exit.OK, said.output
    assert "2 resources checked" in said.stdout


def test_a_bad_value_is_shown_with_its_line_and_a_caret_and_exits_3(call: Call, policies: Path) -> None:
    (policies / "seed.yaml").write_text(BAD)
    said = call("validate", "policies")
    assert said.exit_code == Exit.INVALID
    assert "error[wrong-type]" in said.stdout or "error[invalid-value]" in said.stdout
    assert "--> policies/seed.yaml:11:11" in said.stdout
    assert '11 |   tokens: "2000000"' in said.stdout
    assert "^" in said.stdout
    assert said.stderr == ""


def test_the_working_directory_is_the_default(call: Call, policies: Path) -> None:
    assert "2 resources checked" in call("validate").stdout


def test_standard_input_is_read_as_a_dash(call: Call) -> None:
    said = call("validate", "-", stdin=BAD)
    assert said.exit_code == Exit.INVALID
    assert "<stdin>:11" in said.stdout


def test_what_is_not_there_is_a_finding(call: Call) -> None:
    said = call("validate", "nowhere", "-o", "json")
    assert said.exit_code == Exit.INVALID
    [finding] = json.loads(said.stdout)["findings"]
    assert finding["rule"] == "unreadable"


@pytest.mark.parametrize("name", ["text", "json", "github", "sarif", "junit"])
def test_every_format_names_the_rule_and_the_file(call: Call, policies: Path, name: str) -> None:
    (policies / "seed.yaml").write_text(BAD)
    said = call("validate", "policies", "-o", name)
    assert said.exit_code == Exit.INVALID
    assert "policies/seed.yaml" in said.stdout
    assert "quoted" in said.stdout


def test_json_is_one_document_with_the_published_keys(call: Call, policies: Path) -> None:
    document = json.loads(call("validate", "policies", "-o", "json").stdout)
    assert list(document) == ["format_version", "resources", "findings", "errors"]
    assert document["resources"] == 2


def test_several_formats_go_to_files_and_one_to_stdout(call: Call, policies: Path, tmp_path: Path) -> None:
    said = call("validate", "policies", "-o", "text", "-o", "json=out/../findings.json", "-o", "junit=j.xml")
    assert said.exit_code == Exit.USAGE  # out/ does not exist
    assert (said.stdout, said.stderr.count("\n")) == ("", 1)
    said = call("validate", "policies", "-o", "text", "-o", "json=findings.json", "-o", "junit=j.xml")
    assert said.exit_code == Exit.OK
    assert "2 resources checked" in said.stdout
    assert json.loads((tmp_path / "findings.json").read_text())["resources"] == 2
    assert "policies/seed.yaml" in (tmp_path / "j.xml").read_text()


@pytest.mark.parametrize(
    "content",
    [b"\x00", b"\xff\xfe", b"\t- a", b"a: [", b"- 1", b"{" * 500, b"&a [*a]", b"kind: Nope", b"a: " + b"9" * 5000],
    ids=["nul", "utf-8", "tab", "open", "list", "deep", "loop", "kind", "huge-integer"],
)
def test_bad_input_of_any_kind_is_findings_or_silence_never_a_traceback(
    call: Call, policies: Path, content: bytes
) -> None:
    (policies / "bad.yaml").write_bytes(content)
    said = call("validate", "policies", "-o", "json")
    assert said.exit_code in (Exit.OK, Exit.INVALID), said.output
    assert json.loads(said.stdout)["errors"] == []
    assert said.stderr == ""


def test_colour_only_where_it_is_asked_for_or_there_is_a_terminal(call: Call, policies: Path) -> None:
    assert "\x1b[" not in call("validate").stdout
    assert "\x1b[" in call("validate", "--color", "always").stdout
    assert "\x1b[" in call("validate", env={"MODELPOLICY_COLOR": "always", "NO_COLOR": "1"}).stdout
    assert "\x1b[" not in call("validate", "--color", "never").stdout


def test_a_clock_offset_that_is_no_number_is_a_usage_error(call: Call, policies: Path) -> None:
    said = call("validate", env={"MODELPOLICY_CLOCK_OFFSET": "soon"})
    assert said.exit_code == Exit.USAGE
    assert "MODELPOLICY_CLOCK_OFFSET='soon' is not a number of seconds" in said.stderr
