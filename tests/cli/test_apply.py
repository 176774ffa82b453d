"""`plan`, `apply` and `status` on the embedded platform: from files to a converged platform."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import terminal
from reconciler.cli.exits import Exit
from tests.cli.conftest import Call

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
POLICIES = f"""{HEAD}kind: ModelActivation
metadata: {{name: doubao-seed-1-6}}
spec: {{model: doubao-seed-1-6}}
---
{HEAD}kind: InferenceLimit
metadata: {{name: doubao-seed-1-6}}
spec: {{model: doubao-seed-1-6, tokens: 2M}}
---
{HEAD}kind: EndpointRateOverride
metadata: {{name: search-prod}}
spec: {{endpoint: {{name: search-prod}}, rpm: 1200}}
"""
SEED = "endpoints:\n  - {id: ep-1, name: search-prod, model: doubao-seed-1-6}\n"
ACCOUNT = """apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {{name: {name}}}
spec: {{platform: embedded, embedded: {{path: {name}.db}}}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {{name: {name}-model}}
spec: {{accountRef: {{name: {name}}}, model: doubao-seed-1-6}}
"""


@pytest.fixture
def seeded(call: Call, tmp_path: Path) -> Path:
    """A working directory with policies and a platform that has the endpoint they name."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/seed.yaml").write_text(POLICIES)
    (tmp_path / "seed.yaml").write_text(SEED)
    assert call("platform", "seed", "seed.yaml").exit_code == Exit.OK
    return tmp_path


def counts(call: Call, *arguments: str) -> dict[str, int]:
    summary: dict[str, int] = json.loads(call("plan", "policies", "-o", "json", *arguments).stdout)["summary"]
    return summary


def test_plan_shows_what_would_change_and_writes_nothing(call: Call, seeded: Path) -> None:
    before = {path: path.read_bytes() for path in seeded.rglob("*") if path.is_file()}
    said = call("plan", "policies")
    assert said.exit_code == Exit.OK, said.output
    assert "InferenceLimit/doubao-seed-1-6" in said.stdout
    assert "no limit -> 2,000,000" in said.stdout
    assert "Plan: 3 to create; 0 unchanged." in said.stdout
    assert {path: path.read_bytes() for path in seeded.rglob("*") if path.is_file()} == before


def test_plan_with_detailed_exitcode_exits_2_on_changes_and_0_without(call: Call, seeded: Path) -> None:
    assert call("plan", "policies", "--detailed-exitcode").exit_code == Exit.CHANGES
    assert call("apply", "policies", "--yes", "--detailed-exitcode").exit_code == Exit.CHANGES
    assert call("plan", "policies", "--detailed-exitcode").exit_code == Exit.OK
    assert call("apply", "policies", "--yes", "--detailed-exitcode").exit_code == Exit.OK


def test_apply_converges_and_a_second_apply_has_nothing_to_do(call: Call, seeded: Path) -> None:
    said = call("apply", "policies", "--yes")
    assert said.exit_code == Exit.OK, said.output
    assert "Applied 3 of 3 changes" in said.stdout
    assert "Plan: 3 to create" in said.stderr
    assert counts(call) == {"create": 0, "update": 0, "revert": 0, "unchanged": 3, "deferred": 0, "manual": 0}
    said = call("apply", "policies", "--yes")
    assert said.exit_code == Exit.OK
    assert "Nothing to do: 3 items are as declared." in said.stdout


def test_without_a_terminal_and_without_yes_apply_is_a_usage_error_and_writes_nothing(call: Call, seeded: Path) -> None:
    said = call("apply", "policies", "-o", "json")
    assert said.exit_code == Exit.USAGE
    assert "say --yes" in said.stderr
    assert json.loads(said.stdout)["errors"][0]["reason"] == "Usage"
    assert counts(call)["create"] == 3


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 3), ("", 3)])
def test_apply_asks_and_takes_only_yes_for_yes(
    call: Call, seeded: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    monkeypatch.setattr(terminal.Terminal, "interactive", True)
    said = call("apply", "policies", stdin=answer)
    assert "Apply 3 changes to default? [y/N]" in said.stderr
    assert said.exit_code == {"y\n": Exit.OK, "n\n": Exit.CHANGES, "": Exit.INTERRUPTED}[answer]
    assert counts(call)["create"] == left
    if answer == "n\n":
        assert "Declined: nothing was written." in said.stderr


def test_an_error_finding_stops_the_whole_set_unless_told_to_keep_going(call: Call, seeded: Path) -> None:
    bad = f"---\n{HEAD}kind: InferenceLimit\nmetadata: {{name: x}}\nspec: {{model: kimi-k2, tokens: 0}}\n"
    (seeded / "policies/bad.yaml").write_text(bad)
    said = call("apply", "policies", "--yes")
    assert said.exit_code == Exit.INVALID
    assert "Nothing was written." in said.stdout
    assert "policies/bad.yaml:5" in said.stderr
    assert counts(call)["create"] == 3
    assert call("apply", "policies", "--yes", "--keep-going").exit_code == Exit.INVALID
    assert counts(call)["create"] == 0


def test_target_narrows_the_run_to_one_kind(call: Call, seeded: Path) -> None:
    assert counts(call, "--target", "ModelActivation")["create"] == 1
    said = call("plan", "policies", "--target", "ModelActivaton/x")
    assert said.exit_code == Exit.USAGE
    assert "did you mean ModelActivation?" in said.stderr


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--allow", "mass-revert"], "--allow needs --reason TEXT"),
        (["--allow", "mass-rever", "--reason", "x"], "did you mean mass-revert?"),
        (["--account", "defalt"], "did you mean default?"),
    ],
)
def test_a_flag_that_means_nothing_is_a_usage_error(call: Call, seeded: Path, flags: list[str], sentence: str) -> None:
    said = call("apply", "policies", "--yes", *flags)
    assert said.exit_code == Exit.USAGE
    assert sentence in said.stderr


def test_several_accounts_each_under_its_name(call: Call, tmp_path: Path) -> None:
    for name in ("east", "west"):
        (tmp_path / f"{name}.yaml").write_text(ACCOUNT.format(name=name))
        (tmp_path / f"{name}.seed").write_text("models: []\n")
        assert call("platform", "seed", f"{name}.seed", "--db", f"{name}.db").exit_code == Exit.OK
    said = call("plan")
    assert said.stdout.index("Account east") < said.stdout.index("Account west")
    assert len(json.loads(call("plan", "-o", "json").stdout)["plans"]) == 2
    assert "Account east" not in call("plan", "--account", "west").stdout
    assert call("apply", "--yes").stdout.count("Applied 1 of 1 change") == 2


def test_status_shows_the_seven_groups_and_each_endpoint(call: Call, seeded: Path) -> None:
    call("apply", "policies", "--yes")
    call("platform", "use", "doubao-seed-1-6", "--tokens", "600000")
    said = call("status", "policies", "doubao-seed-1-6")
    assert said.exit_code == Exit.OK, said.output
    for group in ("free quota", "limit", "inference", "LoRA tuning", "full tuning", "model rate", "Activated"):
        assert group in said.stdout
    assert "600,000 of 2M used (30 %)" in said.stdout
    assert "search-prod (ep-1)" in said.stdout
    assert "kimi-k2" not in said.stdout
    assert "kimi-k2" in call("status", "policies", "--all").stdout
    assert json.loads(call("status", "policies", "-o", "json").stdout)["models"]


def test_validate_online_adds_the_rules_that_need_the_platform(call: Call, seeded: Path) -> None:
    (seeded / "policies/more.yaml").write_text(
        f"{HEAD}kind: ModelActivation\nmetadata: {{name: nope}}\nspec: {{model: no-such-model}}\n"
    )
    assert call("validate", "policies").exit_code == Exit.OK
    said = call("validate", "policies", "--online")
    assert said.exit_code == Exit.INVALID
    assert "error[unknown-model]" in said.stdout


def test_the_first_ctrl_c_finishes_what_is_in_flight_and_exits_130(seeded: Path) -> None:
    """The signal comes with the first outcome: what is written then is journaled and reported, the rest is not started."""
    script = (
        "import os, signal, sys\n"
        "from reconciler.cli import progress, root\n"
        "heard = progress.Progress.__call__\n"
        "def hear(self, outcome):\n"
        "    if not self.done: os.kill(os.getpid(), getattr(signal, sys.argv[-1]))\n"
        "    heard(self, outcome)\n"
        "progress.Progress.__call__ = hear\n"
        "root.ROOT.main(['apply', 'policies', '--yes', '-o', 'json'])\n"
    )
    for name, code in (("SIGINT", Exit.INTERRUPTED), ("SIGTERM", Exit.TERMINATED)):
        (seeded / ".modelpolicy/platform.db").unlink(missing_ok=True)
        (seeded / ".modelpolicy/ledger.db").unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        subprocess.run([sys.executable, "-m", "reconciler.cli", "platform", "seed", "seed.yaml"], check=True,
                       cwd=seeded, env=environment, capture_output=True)  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", script, name],
            cwd=seeded,
            env=environment,
            capture_output=True,
            text=True,
            timeout=40,
        )
        assert done.returncode == code, done.stderr
        assert json.loads(done.stdout)["interrupted"] is True
        assert "Stopping: what is in flight is finished first" in done.stderr


def test_an_account_that_another_run_holds_exits_6_and_names_the_holder(call: Call, seeded: Path) -> None:
    from reconciler.ledger import open_ledger

    ledger = open_ledger(".modelpolicy/ledger.db")
    with ledger.lock("default", "watch"):
        said = call("apply", "policies", "--yes", "-o", "json")
    ledger.close()
    assert said.exit_code == Exit.LOCKED
    assert "watch" in said.stderr
    assert json.loads(said.stdout)["errors"]


def test_the_account_that_is_locked_is_told_beside_those_that_are_not(call: Call, tmp_path: Path) -> None:
    from reconciler.ledger import open_ledger

    (tmp_path / "a.yaml").write_text(ACCOUNT.format(name="free") + "---\n" + ACCOUNT.format(name="held"))
    ledger = open_ledger(".modelpolicy/ledger.db")
    with ledger.lock("held", "watch"):
        said = call("apply", "a.yaml", "--yes", "-o", "json")
    ledger.close()
    assert said.exit_code == Exit.LOCKED
    free, held = json.loads(said.stdout)["accounts"]
    assert ([each["result"] for each in free["outcomes"]], free["errors"]) == (["applied"], [])
    assert (held["account"], held["outcomes"], [each["code"] for each in held["errors"]]) == ("held", [], ["Locked"])
    assert "watch" in held["errors"][0]["message"]


def test_a_ledger_that_is_not_one_is_one_clear_line(call: Call, seeded: Path) -> None:
    (seeded / "bad.db").write_text("not a database at all, really not" * 40)
    said = call("plan", "policies", "--ledger", "bad.db")
    assert (said.exit_code, said.stdout) == (Exit.UNEXPECTED, "")
    assert said.stderr.startswith("Error: ")
    assert "unexpected" not in said.stderr
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_allowed_guard_is_passed_and_the_reason_is_journaled(call: Call, seeded: Path) -> None:
    account = f"{HEAD}kind: PlatformAccount\nmetadata: {{name: default}}\nspec: {{allowActivation: false}}\n"
    (seeded / "policies/account.yaml").write_text(account)
    said = call("apply", "policies", "--yes")
    assert said.exit_code == Exit.REFUSED
    assert "REFUSED by guard consent" in said.stderr
    assert counts(call)["create"] == 3
    said = call("apply", "policies", "--yes", "--allow", "consent", "--reason", "agreed with finance")
    assert said.exit_code == Exit.OK, said.output
    assert counts(call)["create"] == 0


def test_switching_free_tokens_only_off_is_refused_until_it_is_allowed_with_a_reason(call: Call, seeded: Path) -> None:
    (seeded / "on.yaml").write_text("account: {freeTokensOnly: true}\n")
    assert call("platform", "seed", "on.yaml").exit_code == Exit.OK
    account = f"{HEAD}kind: PlatformAccount\nmetadata: {{name: default}}\nspec: {{freeTokensOnly: false}}\n"
    (seeded / "account.yaml").write_text(account)
    said = call("apply", "account.yaml", "--yes")
    assert said.exit_code == Exit.REFUSED
    assert "for ever" in said.output
    assert "--allow irreversible=PlatformAccount/default" in " ".join(said.output.split())
    said = call("apply", "account.yaml", "--yes", "--allow", "irreversible", "--reason", "the trial is over")
    assert said.exit_code == Exit.OK, said.output


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("tokens: 2M}", 'tokens: "2000000x"}'),
        ("rpm: 1200}", 'rpm: "1200"}'),
        ("model: doubao-seed-1-6, deletionPolicy", "deletionPolicy"),
    ],
)
def test_a_value_that_cannot_be_read_in_one_file_never_plans_a_revert_of_what_is_live(
    good: str, bad: str, call: Call, seeded: Path
) -> None:
    revert = POLICIES.replace("tokens: 2M", "deletionPolicy: Revert, tokens: 2M")
    file = seeded / "policies/seed.yaml"
    file.write_text(revert)
    assert call("apply", "policies", "--yes").exit_code == Exit.OK
    kind = "EndpointRateOverride" if "rpm" in good else "InferenceLimit"
    broken = next(text for text in revert.replace(good, bad).split("---\n") if f"kind: {kind}" in text)
    (seeded / "policies/other.yaml").write_text(broken)  # moved to another file, too
    file.write_text("---\n".join(text for text in revert.split("---\n") if f"kind: {kind}" not in text))
    for flags in ((), ("--prune",)):
        said = call("plan", "policies", "-o", "json", *flags)
        assert said.exit_code == Exit.INVALID
        assert json.loads(said.stdout)["changes"] == []
    said = call("apply", "policies", "--prune", "--keep-going", "--yes")
    assert call("status", "policies", "-o", "json").stdout.count('"tokens": 2000000') >= 1
    file.write_text(revert)
    (seeded / "policies/other.yaml").unlink()
    assert counts(call) == {"create": 0, "update": 0, "revert": 0, "unchanged": 3, "deferred": 0, "manual": 0}


def test_two_accounts_on_one_platform_file_are_left_alone_whatever_the_file_is_called(
    call: Call, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(ACCOUNT.format(name="one") + "---\n" + ACCOUNT.format(name="two"))
    (tmp_path / "seed.yml").write_text(SEED)
    assert call("platform", "seed", "seed.yml", "--db", "one.db").exit_code == Exit.OK
    (tmp_path / "seed.yml").unlink()
    (tmp_path / "two.db").symlink_to("one.db")
    said = call("apply", "a.yaml", "--yes", "--keep-going")
    assert said.exit_code == Exit.INVALID
    assert "PlatformAccount/one is the same platform account as PlatformAccount/two" in " ".join(said.stderr.split())
    assert "0 to" not in said.stdout
    assert "NotActivated" in call("status", "a.yaml", "--account", "one", "-o", "json").stdout
