"""Which account a run works on: one that somebody declared or made, and never one that writing would invent."""

import json
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import PLATFORM, Call

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
POLICY = f"{HEAD}kind: ModelActivation\nmetadata: {{name: glm-4-7}}\nspec: {{model: glm-4-7}}\n"
ACCOUNT = f"{HEAD}kind: PlatformAccount\nmetadata: {{name: default}}\nspec: {{platform: embedded, embedded: {{path: mine.db}}}}\n"


@pytest.fixture
def policies(call: Call, tmp_path: Path) -> Path:
    """Policies without an account, where nobody made an embedded platform."""
    (tmp_path / "policies/teams").mkdir(parents=True)
    (tmp_path / "policies/teams/glm.yaml").write_text(POLICY)
    return tmp_path / "policies"


@pytest.mark.parametrize(
    "verb",
    [
        ("plan",), ("apply", "--yes"), ("apply", "--yes", "--prune"), ("status",), ("drift",), ("validate", "--online"),
        ("attest", "ModelActivation/glm-4-7"), ("doctor",), ("import", "--out", "policies"), ("watch", "--once"),
    ],
)  # fmt: skip
def test_no_verb_invents_an_account_that_nobody_declared_or_made(
    call: Call, policies: Path, verb: tuple[str, ...]
) -> None:
    said = call(*verb, "policies/teams")
    assert said.exit_code == (Exit.UNEXPECTED if verb[0] == "watch" else Exit.INVALID), said.output
    assert "no PlatformAccount is declared" in " ".join(said.output.split())
    assert not (policies.parent / PLATFORM).exists()
    assert verb[0] == "watch" or not (policies.parent / ".modelpolicy/ledger.db").exists()


def test_without_an_account_json_is_a_document_that_says_so(call: Call, policies: Path) -> None:
    said = call("plan", "policies", "-o", "json")
    assert said.exit_code == Exit.INVALID
    (error,) = json.loads(said.stdout)["errors"]
    assert "modelpolicy platform seed" in error["message"]


def test_validate_offline_needs_no_account(call: Call, policies: Path) -> None:
    assert call("validate", "policies").exit_code == Exit.OK


def test_what_the_error_proposes_works(call: Call, policies: Path) -> None:
    assert call("explain", "PlatformAccount").exit_code == Exit.OK
    made = call("platform", "seed")
    assert made.exit_code == Exit.OK, made.output
    assert call("apply", "policies", "--yes").exit_code == Exit.OK


def test_a_declared_account_is_made_by_applying_to_it(call: Call, policies: Path) -> None:
    (policies / "account.yaml").write_text(ACCOUNT)
    assert call("plan", "policies").exit_code == Exit.OK
    assert not Path("mine.db").exists()
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    assert Path("mine.db").exists()


@pytest.mark.parametrize("verb", [("plan",), ("apply", "--yes")])
def test_the_first_line_names_the_account_and_its_platform(call: Call, policies: Path, verb: tuple[str, ...]) -> None:
    (policies / "account.yaml").write_text(ACCOUNT.replace("name: default", "name: prod"))
    (policies / "teams/glm.yaml").write_text(POLICY.replace("spec: {", "spec: {accountRef: {name: prod}, "))
    said = call(*verb, "policies")
    assert said.exit_code == Exit.OK, said.output
    assert said.stdout.splitlines()[0].startswith("Account prod on embedded")


@pytest.mark.parametrize("target", ["InferenceLimit/nope", "InferenceLimit", "ModelActivation/glm-47"])
@pytest.mark.parametrize("verb", [("plan",), ("apply", "--yes"), ("drift",), ("watch", "--once")])
def test_a_target_that_matches_nothing_is_a_usage_error_with_a_suggestion(
    call: Call, policies: Path, verb: tuple[str, ...], target: str
) -> None:
    assert call("platform", "seed").exit_code == Exit.OK
    said = call(*verb, "policies", "--target", target)
    assert said.exit_code == Exit.USAGE, said.output
    flat = " ".join(said.output.split())
    assert f"--target {target} matches nothing" in flat
    assert target != "ModelActivation/glm-47" or "did you mean ModelActivation/glm-4-7?" in flat


def test_declining_what_would_change_exits_2_and_declining_nothing_0(
    call: Call, policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.cli import terminal

    monkeypatch.setattr(terminal.Terminal, "interactive", True)
    assert call("platform", "seed").exit_code == Exit.OK
    assert call("apply", "policies", stdin="n\n").exit_code == Exit.CHANGES
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    assert call("apply", "policies", stdin="n\n").exit_code == Exit.OK


def test_drift_tells_what_it_could_not_compare(call: Call, policies: Path) -> None:
    assert call("platform", "seed").exit_code == Exit.OK
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    assert call("drift", "policies").exit_code == Exit.OK
    (policies / "odd.yaml").write_text(
        f"{HEAD}kind: EndpointRateOverride\nmetadata: {{name: odd}}\nspec: {{endpoint: {{id: ep-none}}, rpm: 5}}\n"
    )
    said = call("drift", "policies")
    assert said.exit_code == Exit.INVALID
    assert "unknown-endpoint" in said.output
    assert "1 error above kept something from being compared" in said.output
    (error,) = json.loads(call("drift", "policies", "-o", "json").stdout)["errors"]
    assert (error["code"], error["reason"]) == ("unknown-endpoint", "TargetNotFound")
    (policies / "odd.yaml").write_text(f"{HEAD}kind: ModelActivation\nmetadata: {{name: x}}\nspec: {{model: [1]}}\n")
    broken = call("drift", "policies")
    assert broken.exit_code == Exit.INVALID
    assert "policies/odd.yaml" in broken.output


def test_drift_does_not_exit_by_what_a_guard_or_a_rule_says(call: Call, policies: Path) -> None:
    assert call("platform", "seed").exit_code == Exit.OK
    (policies / "teams/limit.yaml").write_text(
        f"{HEAD}kind: InferenceLimit\nmetadata: {{name: a}}\nspec: {{model: kimi-k2, tokens: 5}}\n"
    )
    said = call("drift", "policies")
    assert said.exit_code == Exit.CHANGES, said.output
