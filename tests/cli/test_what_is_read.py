"""A file that some reader would read differently is refused by every verb, from a file as from standard input, and nothing is written."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\nkind: InferenceLimit\nmetadata: {name: a}\n"
CASES = {
    "U+2028 that hides a consent to pay": (
        "{apiVersion: modelpolicy.dev/v1alpha1, kind: ModelActivation, metadata: {name: a}, # x\u2028 spec: {model: doubao-seed-2-0-mini, state: Activated} }\n",
        "U+2028",
    ),
    "U+0085 in a comment": (HEAD + "spec: {model: doubao-seed-2-0-pro, # was 50M\x85 tokens: 900M,\n  }\n", "U+0085"),
    "a key that begins with ?": (HEAD + "spec: {model: doubao-seed-2-0-pro, ?tokens: 900M}\n", "?tokens"),
    "a leading zero": (HEAD + "spec: {model: doubao-seed-2-0-pro, tokens: 0500000}\n", "0500000"),
    "a merge key": (HEAD + "spec: {<<: {tokens: 5M}, model: doubao-seed-2-0-pro}\n", "merge key"),
    "a full-width colon": (HEAD + "spec:\n  model: doubao-seed-2-0-pro\n  tokens： 50M\n", "tokens： 50M"),
    "an amount of another country": (HEAD + "spec:\n  model: doubao-seed-2-0-pro\n  tokens: 5000万\n", "50M (50,000,000)"),
}  # fmt: skip


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "policies").mkdir()
    content, said = CASES[request.param]
    (tmp_path / "policies" / "a.yaml").write_text(content, encoding="utf-8")
    return content, said


def told(output: str) -> str:
    return " ".join(output.split())


@pytest.mark.parametrize("verb", [("validate",), ("plan",), ("apply", "--yes"), ("drift",)])
@pytest.mark.parametrize("source", ["policies", "-"])
def test_every_verb_refuses_it_by_name(call: Call, case: tuple[str, str], verb: tuple[str, ...], source: str) -> None:
    assert call("platform", "seed").exit_code == 0
    before = Path(".modelpolicy/platform.db").read_bytes()
    content, said = case
    result = call(verb[0], source, *verb[1:], stdin=content if source == "-" else "")
    assert result.exit_code == 3, result.output
    assert said in told(result.output)
    assert "\u2028" not in result.output
    assert "\x85" not in result.output
    assert Path(".modelpolicy/platform.db").read_bytes() == before


def test_fmt_and_import_leave_it_as_it_is(call: Call, case: tuple[str, str]) -> None:
    assert call("platform", "seed").exit_code == 0
    file = Path("policies/a.yaml")
    content, _ = case
    assert call("fmt", "policies").exit_code in (0, 3)
    assert file.read_text(encoding="utf-8") == content
    call("import", "policies", "--out", "policies")
    assert file.read_text(encoding="utf-8") == content
    assert "Traceback" not in call("status", "policies").output


def test_what_yaml_1_2_allows_is_read_by_every_verb(call: Call, tmp_path: Path) -> None:
    assert call("platform", "seed").exit_code == 0
    (tmp_path / "policies").mkdir()
    text = HEAD + "spec:\n  model: doubao-seed-2-0-pro\n  tokens: 50M\t# fuse\n...\n# Ended.\n...\n"
    (tmp_path / "policies" / "a.yaml").write_text(text + "---\n" + text.replace("InferenceLimit", "ModelActivation").replace("tokens: 50M", "state: Activated"))  # fmt: skip
    assert call("validate", "policies").exit_code == 0
    assert "50,000,000" in call("plan", "policies").output
    assert call("fmt", "--check", "policies").exit_code == 0
    assert [each.name for each in Path("policies").iterdir()] == ["a.yaml"]
