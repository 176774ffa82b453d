"""The shipped alert rules speak of metrics that exist, and each was seen to fire and to keep quiet."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.exposed import unknown

ROOT = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ROOT / "rules.yaml").read_text())["groups"] for rule in group["rules"]
]

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian has it in the package prometheus)"
)


def run(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_what_exists_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert unknown(rule["expr"]) == []
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["description"]) > 40


def test_a_metric_or_label_that_does_not_exist_is_noticed() -> None:
    assert unknown('modelpolicy_passes{result="ok"}') == ["modelpolicy_passes"]
    assert unknown('modelpolicy_leader{acount=~"a{1}"}') == ["modelpolicy_leader{acount}"]


@promtool
def test_the_rules_are_valid() -> None:
    assert "SUCCESS" in run("check", "rules", "rules.yaml")


@promtool
def test_the_rules_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in run("test", "rules", "rules_test.yaml")


def test_every_alert_is_seen_to_fire_and_to_keep_quiet() -> None:
    cases = yaml.safe_load((ROOT / "rules_test.yaml").read_text())["tests"]
    quiet = {
        each["alertname"] for case in cases for each in case.get("alert_rule_test", ()) if "exp_alerts" not in each
    }
    expected = str([case.get("promql_expr_test") for case in cases]) + str(
        [each for case in cases for each in case.get("alert_rule_test", ()) if "exp_alerts" in each]
    )
    names = {rule["alert"] for rule in RULES}
    assert quiet == names
    assert {name for name in names if name in expected} == names
