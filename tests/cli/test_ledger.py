"""`ledger` changes what is remembered, never the platform: each time with a reason, and journaled."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import NOW

from reconciler.cli.exits import Exit
from reconciler.identity import Identity
from reconciler.ledger import Intent, Ledger, open_ledger
from reconciler.plan import Action, Change, ChangeReason
from reconciler.state import Capability, Record, Run, Target
from tests.cli.conftest import Call

ACCOUNT = """apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {name: prod}
spec: {platform: embedded, embedded: {path: PLATFORM}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: m}
spec: {model: doubao-seed-1-6, state: Activated, accountRef: {name: prod}}
"""
ITEM = Target("EndpointRateOverride", "ep-1")
OWNED = Record(
    target=ITEM, owner="EndpointRateOverride/a", set_name="git.example/old", baseline={"rpm": 8}, applied={"rpm": 200}
)


@pytest.fixture
def ledger(call: Call, tmp_path: Path) -> Iterator[Ledger]:
    """The default ledger, with a record of account prod and a change that a killed run left open."""
    (tmp_path / "policies.yaml").write_text(ACCOUNT.replace("PLATFORM", "one.db"), encoding="utf-8")
    assert call("platform", "use", "doubao-seed-1-6", "--tokens", "1", "--db", "one.db").exit_code == 0
    assert call("platform", "use", "doubao-seed-1-6", "--tokens", "1", "--db", "two.db").exit_code == 0
    opened = open_ledger(str(tmp_path / ".modelpolicy" / "ledger.db"))
    opened.remember("prod", [OWNED])
    change = Change(address=OWNED.owner, target=ITEM, action=Action.UPDATE, reason=ChangeReason.DECLARED,
                    capability=Capability.NATIVE)  # fmt: skip
    opened.begin(Run(id="killed", account="prod", operation="apply", actor="ada", started_at=NOW)).intend(
        [Intent(change, {}, OWNED)], NOW
    )
    yield opened
    opened.close()


def other_account(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text(ACCOUNT.replace("PLATFORM", "two.db"), encoding="utf-8")


def test_another_account_is_bound_and_nothing_of_the_former_one_is_known_any_more(
    call: Call, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.bind("prod", Identity(platform="embedded", account="elsewhere"))
    ledger.remember("dev", [OWNED])
    ledger.publish("prod", {OWNED.owner: {}}, "git.example/old")
    said = call("ledger", "rebind", "prod", "--reason", "moved")
    assert said.exit_code == 0, said.stderr
    assert "1 record of the former one forgotten" in said.stdout
    history = ledger.history("prod")
    assert (dict(history.records), history.pending, dict(ledger.statuses("prod", "git.example/old"))) == ({}, (), {})
    assert history.identity is not None
    assert history.identity.account not in ("", "elsewhere")
    assert ledger.history("dev").records == {ITEM: OWNED}
    run = ledger.runs("prod")[0]
    assert (run.operation, run.result) == ("ledger rebind", "rebound")
    assert run.reason.startswith("moved (was embedded elsewhere, is embedded ")
    (entry,) = ledger.entries(run.id)
    assert (entry.address, entry.action, entry.result, dict(entry.before)) == (
        OWNED.owner,
        "forget",
        "forgotten",
        {"rpm": 200},
    )
    assert "nothing is changed" in call("ledger", "rebind", "prod", "--reason", "again").stdout
    assert len(ledger.runs("prod")) == 2


def test_after_rebind_an_account_that_changed_may_be_applied_again(call: Call, ledger: Ledger, tmp_path: Path) -> None:
    assert call("apply", "--yes", "--set", "s").exit_code == 0
    other_account(tmp_path)
    refused = call("apply", "--yes", "--set", "s", "-o", "json")
    assert "account-changed" in refused.stdout
    assert call("ledger", "rebind", "prod", "--reason", "moved").exit_code == 0
    assert call("apply", "--yes", "--set", "s").exit_code == 0
    assert call("drift", "--set", "s").exit_code == 0


def test_the_same_account_with_another_key_keeps_all_that_is_remembered(
    call: Call, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.platforms.embedded.platform import EmbeddedPlatform

    observe = EmbeddedPlatform.observe

    def unread(self, limited):  # the id cannot be read, the key is another
        from dataclasses import replace

        return replace(observe(self, limited), identity=Identity(platform="embedded", at="here", key="new"))

    monkeypatch.setattr(EmbeddedPlatform, "observe", unread)
    ledger.bind("prod", Identity(platform="embedded", account="one", at="here", key="old"))
    said = call("ledger", "rebind", "prod", "--reason", "key rotated")
    assert said.exit_code == 0, said.stderr
    assert "all that is remembered stays" in said.stdout
    assert ledger.history("prod").records == {ITEM: OWNED}
    assert ledger.history("prod").identity == Identity(platform="embedded", account="one", at="here", key="new")
    assert call("ledger", "rebind", "prod", "--reason", "it is another", "--forget").exit_code == 0
    assert dict(ledger.history("prod").records) == {}


def test_rebind_waits_for_nobody_and_asks_for_a_reason_and_a_ledger(call: Call, ledger: Ledger, tmp_path: Path) -> None:
    ledger.bind("prod", Identity(platform="embedded", account="elsewhere"))
    with ledger.lock("prod", "watch"):
        assert call("ledger", "rebind", "prod", "--reason", "x").exit_code == Exit.LOCKED
    assert call("ledger", "rebind", "prod").exit_code == Exit.USAGE
    assert call("ledger", "rebind", "pord", "--reason", "x").exit_code == Exit.USAGE
    said = call("ledger", "rebind", "prod", "--reason", "x", "--ledger", str(tmp_path / "none.db"))
    assert (said.exit_code, "there is no ledger at" in said.stderr) == (Exit.UNEXPECTED, True)
    assert not (tmp_path / "none.db").exists()
    assert ledger.history("prod").records == {ITEM: OWNED}


def test_a_renamed_set_owns_what_it_owned(call: Call, ledger: Ledger) -> None:
    other = Record(target=Target("InferenceLimit", "m"), owner="InferenceLimit/m", set_name="git.example/other")
    ledger.remember("dev", [OWNED, other])
    ledger.publish("dev", {OWNED.owner: {"ready": True}}, "git.example/old")
    said = call("ledger", "rename-set", "git.example/old", "git.example/new", "--reason", "renamed")
    assert said.exit_code == 0, said.stderr
    assert said.stdout == "git.example/old is git.example/new from now on: 2 items on dev, prod.\n"
    for account in ("dev", "prod"):
        assert ledger.history(account).records[ITEM].set_name == "git.example/new"
    assert ledger.history("dev").records[other.target] == other
    assert [each.hoped.set_name for each in ledger.history("prod").pending] == ["git.example/new"]
    assert ledger.statuses("dev", "git.example/new") == {OWNED.owner: {"ready": True}}
    assert (
        json.loads(call("history", "-o", "json", "--limit", "1", "--account", "prod").stdout)["runs"][0]["result"]
        == "renamed"
    )


def test_two_sets_are_made_one_only_when_that_is_said(call: Call, ledger: Ledger) -> None:
    mine = Record(target=Target("InferenceLimit", "m"), owner="InferenceLimit/m", set_name="git.example/new")
    ledger.remember("prod", [mine])
    ledger.publish("prod", {OWNED.owner: {"of": "old"}}, "git.example/old")
    ledger.publish("prod", {OWNED.owner: {"of": "new"}}, "git.example/new")
    words = ("ledger", "rename-set", "git.example/old", "git.example/new", "--reason", "x")
    refused = call(*words)
    assert (refused.exit_code, "--merge" in refused.stderr) == (Exit.USAGE, True)
    assert ledger.history("prod").records[ITEM] == OWNED
    assert call(*words, "--merge").exit_code == 0
    assert {each.set_name for each in ledger.history("prod").records.values()} == {"git.example/new"}
    assert ledger.statuses("prod", "git.example/new") == {OWNED.owner: {"of": "new"}}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("git.example/odl", "x", "did you mean git.example/old?"),
        ("git.example/old", "", "is no name of a declaration set"),
        ("git.example/old", "a\nb", "is no name of a declaration set"),
        ("git.example/old", "git.example/old", "OLD and NEW are one name"),
        ("", "x", "no set '' owns anything"),
    ],
)
def test_a_name_that_cannot_be_meant_is_told_and_nothing_changes(
    call: Call, ledger: Ledger, old: str, new: str, said: str
) -> None:
    refused = call("ledger", "rename-set", old, new, "--reason", "x")
    assert refused.exit_code == Exit.USAGE
    assert said in " ".join(refused.stderr.split())
    assert [each.id for each in ledger.runs()] == ["killed"]


def test_a_ledger_is_moved_copied_and_restored_by_command(call: Call, ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    there = ".modelpolicy/ledger.db"
    assert "is a backup of" in call("ledger", "copy", there, "backup.db").stdout
    said = call("ledger", "move", there, "moved.db")
    assert said.exit_code == 0, said.stderr
    assert f"The ledger is at {tmp_path / 'moved.db'} from now on" in said.stdout
    told = call("history")
    assert (told.exit_code, f"was moved to {tmp_path / 'moved.db'}" in told.stderr) == (Exit.UNEXPECTED, True)
    assert call("history", "--ledger", "moved.db").stdout.count("ledger move") == 1
    assert call("history", "--ledger", "backup.db").exit_code == 0
    assert "it had gone already" in call("ledger", "move", there, "moved.db").stdout
    assert call("ledger", "restore", "backup.db", "--to", "again.db", "--reason", "disk lost").exit_code == 0
    runs = json.loads(call("history", "--ledger", "again.db", "-o", "json").stdout)["runs"]
    assert [run["reason"] for run in runs if run["operation"] == "ledger restore"] == [
        f"disk lost (from {tmp_path / 'backup.db'})"
    ]


def test_a_place_that_cannot_be_meant_is_a_usage_error_without_its_secret(call: Call, ledger: Ledger) -> None:
    for words in (
        ("move", "a.db", "mysql://ci:hunter2@h/d"),
        ("copy", "", "b.db"),
        ("restore", "a.db", "--to", "", "--reason", "x"),
    ):
        said = call("ledger", *words)
        assert (said.exit_code, "hunter2" in said.stderr) == (Exit.USAGE, False)
    assert "there is no ledger at" in call("ledger", "move", "none.db", "b.db").stderr


def test_a_check_exits_by_what_it_found(call: Call, ledger: Ledger, tmp_path: Path) -> None:
    said = call("ledger", "check")
    assert (said.exit_code, "run killed began to change it" in said.stdout) == (Exit.CHANGES, True)
    remarks = json.loads(call("ledger", "check", "-o", "json").stdout)["remarks"]
    assert [each["damaged"] for each in remarks] == [False]
    whole = open_ledger(str(tmp_path / "whole.db"))
    whole.remember("prod", [OWNED])
    whole.close()
    assert call("ledger", "check", "--ledger", "whole.db").exit_code == Exit.OK
    (tmp_path / "bad.db").write_bytes((tmp_path / "whole.db").read_bytes()[:5000])
    assert call("ledger", "check", "--ledger", "bad.db").exit_code == Exit.UNEXPECTED
    assert call("ledger", "check", "--ledger", "none.db").exit_code == Exit.UNEXPECTED


def test_prune_forgets_old_runs_and_is_journaled(call: Call, ledger: Ledger) -> None:
    for number in range(2):
        ledger.begin(
            Run(id=f"old{number}", account="dev", operation="apply", actor="ada", started_at=NOW.replace(year=2020))
        )
        ledger.finish(f"old{number}", "converged", NOW)
    said = call("ledger", "prune", "--keep", "90d")
    assert said.exit_code == 0, said.stderr
    assert said.stdout.startswith("1 run forgotten, all that is owned stays; ")
    assert ledger.runs()[0].operation == "ledger prune"
    assert {each.id for each in ledger.runs()} > {"old1", "killed"}
    for keep in ("1h", "2999-01-01", "soon"):
        assert call("ledger", "prune", "--keep", keep).exit_code == Exit.USAGE
