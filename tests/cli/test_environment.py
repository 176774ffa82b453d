"""A variable that is set in vain is told: an empty one ends the command, one that is nearly called like ours is noted."""

from pathlib import Path

import click
import pytest

from reconciler.cli import root
from reconciler.cli.exits import Exit
from tests.cli.conftest import Call
from tests.ledger.test_ledger_address import NO_ADDRESS, SECRET

SHARED = ("ACCOUNT", "TARGET", "LEDGER", "OUTPUT", "COLOR")
WITH_LEDGER = ("validate", "plan", "apply", "attest", "watch", "status", "drift", "history", "console", "unlock")


@pytest.mark.parametrize("verb", WITH_LEDGER)
@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("name", ["MODELPOLICY_LEDGER", "MODELPOLICY_{}_LEDGER"])
def test_an_empty_ledger_variable_never_means_the_file_in_the_working_directory(
    call: Call, tmp_path: Path, verb: str, value: str, name: str
) -> None:
    name = name.format(verb.upper())
    said = call(verb, env={name: value})
    assert said.exit_code == Exit.USAGE
    assert f"{name} is set, and empty" in said.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*SHARED, "PLAN_PRUNE", "PLAN_TARGET", "PLAN_OUTPUT", "CLOCK_OFFSET"])
def test_no_other_variable_of_ours_is_empty_in_vain(call: Call, tmp_path: Path, name: str) -> None:
    said = call("plan", env={f"MODELPOLICY_{name}": ""})
    assert said.exit_code == Exit.USAGE
    assert f"MODELPOLICY_{name}" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_of_a_verb_within_a_group_is_told(call: Call) -> None:
    said = call("platform", "use", "m", "--tokens", "1", env={"MODELPOLICY_DB": ""})
    assert (said.exit_code, "MODELPOLICY_DB is set, and empty" in said.stderr) == (Exit.USAGE, True)


def test_help_and_other_verbs_do_not_mind(call: Call) -> None:
    assert call("plan", "--help", env={"MODELPOLICY_LEDGER": ""}).exit_code == 0
    assert call("completion", "bash", env={"MODELPOLICY_LEDGER": ""}).exit_code == 0


def test_a_misspelt_variable_is_noted_with_what_was_meant(call: Call) -> None:
    said = call("history", env={"MODELPOLICY_LEGDER": "elsewhere.db", "MODELPOLICY_PORT": "tcp://10.0.0.1:80"})
    assert said.exit_code == 0
    assert (
        "no flag has the variable MODELPOLICY_LEGDER, so it says nothing: did you mean MODELPOLICY_LEDGER?"
        in said.stderr
    )
    assert "MODELPOLICY_PORT" not in said.stderr


def test_the_variable_of_another_verb_is_not_noted(call: Call) -> None:
    assert "Warning" not in call("history", env={"MODELPOLICY_PLAN_ACCOUNT": "a", "MODELPOLICY_TARGET": "b"}).stderr


@pytest.mark.parametrize("verb", root.VERBS)
def test_every_flag_has_the_variable_that_is_called_like_it(verb: str) -> None:
    command = root.ROOT.get_command(click.Context(root.ROOT), verb)
    assert command is not None
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len).lstrip("-").upper().replace("-", "_")
            assert option.envvar
            assert option.envvar[0] == f"MODELPOLICY_{verb.upper().replace('-', '_')}_{flag}"


def test_a_verbs_own_variable_wins_over_the_one_that_verbs_share(call: Call, tmp_path: Path) -> None:
    shared, own = tmp_path / "shared" / "l.db", tmp_path / "own.yaml"
    own.write_text("")
    said = call("history", env={"MODELPOLICY_LEDGER": str(shared), "MODELPOLICY_HISTORY_LEDGER": "mysql://h/d"})
    assert (said.exit_code, "mysql:// is no scheme" in said.stderr) == (Exit.USAGE, True)


@pytest.mark.parametrize("given", [each for each in NO_ADDRESS if "\x00" not in each])
def test_a_flag_that_names_no_ledger_is_a_usage_error_that_repeats_no_secret(
    call: Call, tmp_path: Path, given: str
) -> None:
    for said in (call("history", "--ledger", given), call("history", env={"MODELPOLICY_LEDGER": given})):
        assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
        assert SECRET not in said.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", WITH_LEDGER)
def test_no_verb_takes_another_scheme_for_a_file(call: Call, tmp_path: Path, verb: str) -> None:
    said = call(verb, *(["KIND/name"] if verb == "attest" else []), "--ledger", "mysql://ci:hunter2@db/x")
    assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
    assert "Invalid value for '--ledger': mysql:// is no scheme of a ledger" in said.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["postgresql://ci:hunter2@db/x", "mysql:hunter2", " "])
def test_the_embedded_platform_is_never_a_file_called_like_a_url(call: Call, tmp_path: Path, given: str) -> None:
    said = call("platform", "use", "m", "--tokens", "1", "--db", given)
    assert (said.exit_code, said.stdout) == (Exit.USAGE, "")
    assert SECRET not in said.stderr
    assert list(tmp_path.iterdir()) == []
