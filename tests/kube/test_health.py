"""The health checks for GitOps tools: done is healthy, what waits for a person is suspended, what is stuck is failed."""

from pathlib import Path
from typing import Any

import lupa
import pytest
import yaml
from cel_expr_python import cel

from reconciler.kinds import registry

DEPLOY = Path(__file__).parents[2] / "deploy"
CASES = [
    (None, "Progressing", "inProgress"),
    ({"Ready": ("True", "Ready")}, "Healthy", "current"),
    ({"Ready": ("Unknown", "Pending"), "Reconciling": ("True", "Pending")}, "Progressing", None),
    ({"Ready": ("False", "RuleViolation"), "Stalled": ("True", "RuleViolation")}, "Degraded", "failed"),
    ({"Ready": ("False", "ManualActionRequired"), "Stalled": ("True", "ManualActionRequired")}, "Suspended", "current"),
    ({"Ready": ("False", "TicketRequired"), "Stalled": ("True", "TicketRequired")}, "Suspended", "current"),
    ({"Ready": ("False", "ConsentRequired"), "Stalled": ("True", "ConsentRequired")}, "Suspended", "current"),
    ({"Ready": ("False", "CoolingDown"), "Reconciling": ("True", "CoolingDown")}, "Suspended", "current"),
    ({"Ready": ("False", "Drifted"), "Drifted": ("True", "Drifted")}, "Degraded", "failed"),  # only observed
    (
        {"Ready": ("False", "Drifted"), "Drifted": ("True", "Drifted"), "Reconciling": ("True", "Drifted")},
        "Progressing",
        None,
    ),
    ({"Ready": ("True", "Ready"), "Paused": ("True", "Paused")}, "Suspended", "current"),
    ({"Ready": ("False", "DeletionBlocked"), "Stalled": ("True", "DeletionBlocked")}, "Degraded", "failed"),
]


def thing(conditions: dict[str, tuple[str, str]] | None, observed: int = 2) -> dict[str, Any]:
    told = [
        {"type": type_, "status": status, "reason": reason, "message": "so it is"}
        for type_, (status, reason) in (conditions or {}).items()
    ]
    status = {"conditions": told, "observedGeneration": observed} if conditions else {}
    return {"metadata": {"generation": 2}, "status": status}


def argo(obj: dict[str, Any]) -> str:
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(obj, recursive=True)
    return str(lua.execute((DEPLOY / "argocd" / "health.lua").read_text())["status"])


@pytest.mark.parametrize(("conditions", "argocd", "flux"), CASES)
def test_every_situation_has_its_health(conditions: Any, argocd: str, flux: str | None) -> None:
    assert argo(thing(conditions)) == argocd
    for check in yaml.safe_load((DEPLOY / "flux" / "health-checks.yaml").read_text())["healthCheckExprs"]:
        assert flux_says(check, thing(conditions)) == flux


def flux_says(check: dict[str, str], obj: dict[str, Any]) -> str | None:
    """In Flux's order: inProgress, failed, current; None where none holds, which is in progress too."""
    env = cel.NewEnv(variables={"metadata": cel.Type.DYN, "status": cel.Type.DYN})
    for name in ("inProgress", "failed", "current"):
        if env.compile(check[name]).eval(data=obj).value() is True:
            return name
    return None


def test_a_change_that_was_not_looked_at_yet_is_in_progress() -> None:
    old = thing({"Ready": ("True", "Ready")}, observed=1)
    assert argo(old) == "Progressing"
    checks = yaml.safe_load((DEPLOY / "flux" / "health-checks.yaml").read_text())["healthCheckExprs"]
    assert flux_says(checks[0], old) == "inProgress"


def test_every_kind_has_both_checks() -> None:
    checks = yaml.safe_load((DEPLOY / "flux" / "health-checks.yaml").read_text())["healthCheckExprs"]
    assert sorted(check["kind"] for check in checks) == sorted(registry())
    argocd = (DEPLOY / "argocd" / "kustomization.yaml").read_text()
    assert all(f"health.modelpolicy.dev_{kind}=health.lua" in argocd for kind in registry())
