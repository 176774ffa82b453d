"""Cold start: a verb imports what it needs and nothing heavy beside it. Modules are counted, not seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

POLICY = """apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata:
  name: search
spec:
  model: doubao-seed-1-6
  tokens: 2M
"""
CODE = """
import json, sys
from reconciler.cli.root import ROOT

try:
    ROOT.main()
except SystemExit as end:
    code = end.code
print(json.dumps({"code": code, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def modules(*arguments: str) -> set[str]:
    """What the process of a command has imported when it ends."""
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True)
    ended = json.loads(done.stderr.splitlines()[-1])
    assert ended["code"] == 0, done.stdout + done.stderr
    return set(ended["modules"])


def rooms(found: set[str], *names: str) -> set[str]:
    """Those of the packages and modules named that were imported."""
    return {name for name in names if name in found}


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_import_click_and_no_policy(argument: str) -> None:
    found = modules(argument)
    assert not rooms(
        found, "pydantic", "yaml_rs", "ruamel", "sqlite3", "jsonschema", "reconciler.kinds", "reconciler.state"
    )
    assert len([name for name in found if name.startswith("reconciler")]) <= 12
    assert len(found) <= 150


def test_validate_imports_no_platform_no_ledger_no_plan_and_the_exact_reader_for_no_ordinary_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "policies.yaml").write_text(POLICY, encoding="utf-8")
    found = modules("validate", str(tmp_path))
    assert "pydantic" in found
    outside = ("ruamel", "ruamel.yaml", "sqlite3", "jsonschema", "re2", "watchfiles", "starlette", "uvicorn",
               "volcenginesdkcore", "kubernetes", "psycopg", "prometheus_client", "http.server")  # fmt: skip
    assert not rooms(found, *outside)
    inside = ("reconcile", "apply", "plan", "guards", "status", "ledger", "platforms", "controller", "metrics")
    assert not rooms(found, *(f"reconciler.{name}" for name in inside))
    ours = [name for name in found if name.startswith("reconciler") and not name.startswith("reconciler.rules.")]
    assert len(ours) <= 70  # beside the rules, each of which is a file
    assert len(found) <= 380
