"""What a person did on the console is recorded and ends by itself; what works on an account is examined by reading alone."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from served import MODEL, PRIVATE, Rig

from reconciler.cli.root import ROOT
from reconciler.ledger import open_ledger
from reconciler.platforms.embedded.httpfaults import Fault, FaultKind

Run = Callable[..., Result]
LIMIT = """
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: fuse}
spec: {model: doubao-seed-1-6, tokens: %s}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: open}
spec: {model: doubao-seed-1-6}
"""


def declare(rig: Rig, tokens: int, **ark: object) -> None:
    spec = {"platform": "ark", "allowActivation": True, "ark": {"endpoint": rig.url, **ark}}
    document = {"apiVersion": "modelpolicy.dev/v1alpha1", "kind": "PlatformAccount", "metadata": {"name": "default"}}
    Path("p.yaml").write_text(json.dumps({**document, "spec": spec}) + LIMIT % tokens)


@pytest.fixture
def run(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOLCENGINE_ACCESS_KEY", rig.keys.access_key)
    monkeypatch.setenv("VOLCENGINE_SECRET_KEY", rig.keys.secret_key)
    for name in ("MODELPOLICY_CLOCK_OFFSET", "MODELPOLICY_OUTPUT", "VOLCENGINE_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    rig.engine.activate(MODEL)
    return lambda *arguments: CliRunner().invoke(ROOT, list(arguments))


def planned(run: Run) -> list[tuple[str, str]]:
    plan = json.loads(run("plan", "p.yaml", "-o", "json").stdout)
    return [(change["address"], change["capability"]) for change in plan["changes"]]


def test_a_limit_set_by_hand_is_attested_and_planned_no_more_until_it_is_declared_otherwise(rig: Rig, run: Run) -> None:
    declare(rig, 500)
    assert planned(run) == [("InferenceLimit/fuse", "manual")]
    done = run("attest", "InferenceLimit/fuse", "p.yaml", "--by", "Li Lei", "-o", "json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)["attested"]
    assert (said["by"], said["fields"]) == ("Li Lei", {"tokens": 500})
    assert planned(run) == []
    (noted,) = json.loads(run("history", "-o", "json").stdout)["runs"]
    assert (noted["operation"], noted["result"]) == ("attest", "attested")
    assert noted["reason"] == "InferenceLimit/fuse was done by Li Lei"
    assert "tokens  not visible -> 500" in run("history", noted["id"]).stdout
    declare(rig, 600)
    assert planned(run) == [("InferenceLimit/fuse", "manual")]


def test_a_persons_word_is_taken_while_a_watcher_leads_and_says_values_as_they_are_declared(rig: Rig, run: Run) -> None:
    declare(rig, 500)
    with closing(open_ledger(".modelpolicy/ledger.db")) as ledger, ledger.lock("default", "watch"):
        done = run("attest", "InferenceLimit/fuse", "p.yaml")
    assert done.exit_code == 0, done.output
    assert "tokens 500" in done.stdout
    spec = json.loads(Path("p.yaml").read_text().partition("\n---")[0])
    spec["spec"]["autoActivation"] = False
    Path("p.yaml").write_text(json.dumps(spec))
    assert run("attest", "PlatformAccount/default", "p.yaml").stdout.rstrip().endswith("UTC: autoActivation false")


def test_an_attestation_ends_when_the_platform_shows_otherwise(rig: Rig, run: Run) -> None:
    declare(rig, 700)
    assert run("attest", "InferenceLimit/fuse", "p.yaml").exit_code == 0
    rig.engine.set_limit(MODEL, 1234)
    declare(rig, 1234, actions={"readLimit": PRIVATE["readLimit"]})
    assert run("apply", "p.yaml", "--yes").exit_code == 0
    declare(rig, 700)
    assert planned(run) == [("InferenceLimit/fuse", "manual")]
    rig.engine.remove_limit(MODEL)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ModelActivation/open", "nothing is left to attest"),
        ("InferenceLimit/fusee", "did you mean InferenceLimit/fuse?"),
        ("PlatformAccount/default", "nothing is left to attest"),
    ],
)
def test_what_cannot_be_attested_is_said_with_its_reason(rig: Rig, run: Run, address: str, said: str) -> None:
    declare(rig, 500)
    done = run("attest", address, "p.yaml")
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())


def test_what_the_platform_shows_otherwise_cannot_be_attested(rig: Rig, run: Run) -> None:
    declare(rig, 500, actions={"readLimit": PRIVATE["readLimit"]})
    done = run("attest", "InferenceLimit/fuse", "p.yaml")
    assert done.exit_code == 1
    assert "shows tokens none where 500 is declared" in " ".join(done.output.split())


def test_a_healthy_account_is_examined_with_what_is_native_and_manual(rig: Rig, run: Run) -> None:
    declare(rig, 500)
    done = run("doctor", "p.yaml", "-o", "json")
    assert done.exit_code == 0, done.output
    (account,) = json.loads(done.stdout)["accounts"]
    assert [probe["what"] for probe in account["probes"][:3]] == ["reachability", "credentials", "clock"]
    how = {each["operation"]: each for each in account["operations"]}
    assert how["activate"]["capability"] == "native"
    assert how["set-limit"]["capability"] == "manual"
    assert how["set-limit"]["page"].startswith("https://console.volcengine.com/")
    text = run("doctor", "p.yaml").output
    assert rig.keys.secret_key not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "native: activate, add-sub-service, set-override" in " ".join(text.split())
    assert re.search(
        r"manual, on\s+https://console.volcengine.com/ark/region:ark\+cn-beijing/openManagement\n +deactivate", text
    )


def test_wrong_keys_and_a_missing_permission_are_told_apart(
    rig: Rig, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(rig, 500)
    rig.served.faults.order(Fault(FaultKind.DENIED, "ListModelRateLimit"))
    done = run("doctor", "p.yaml")
    assert done.exit_code == 1
    assert re.search(r"FAIL +ListModelRateLimit +ListModelRateLimit: AccessDenied", done.output)
    assert "grant ark:ListModelRateLimit" in " ".join(done.output.split())
    assert re.search(r"ok +credentials", done.output)
    monkeypatch.setenv("VOLCENGINE_SECRET_KEY", "CANARY-wrong-secret")
    done = run("doctor", "p.yaml")
    assert done.exit_code == 1
    assert re.search(r"ok +reachability", done.output)
    assert re.search(r"FAIL +credentials", done.output)
    assert "CANARY" not in done.output


def test_an_embedded_account_is_examined_too(run: Run) -> None:
    assert run("platform", "seed").exit_code == 0
    done = run("doctor")
    assert done.exit_code == 0
    assert "Account default" in done.output
    assert "native" in done.output
