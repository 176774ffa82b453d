"""A real exposition with every metric in it, as the loop serves it."""

import re
from datetime import timedelta

from builders import NOW, account, declared, endpoint, model, snapshot
from prometheus_client.parser import text_string_to_metric_families

from reconciler.metrics import Metrics
from reconciler.plan import Plan
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import FreeTokens, Limit, Outcome, Pause, PauseReason, Result, Target
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth


def labels_by_metric() -> dict[str, frozenset[str]]:
    """The name of every exposed series, with its labels."""
    metrics = Metrics(lambda: NOW + timedelta(minutes=1), lambda: 1)
    metrics.passed(_report(), "ok", 0.1)
    metrics.called("default", "observe", "ok")
    metrics.waited("default", 0.5)
    metrics.turned_away("crowded")
    metrics.leads("default", True)  # noqa: FBT003
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {sample.name: frozenset(sample.labels) for family in families for sample in family.samples}


def _report() -> Report:
    status = Condition(ConditionType.DRIFTED, Truth.TRUE, Reason.DRIFTED, "tokens 1, declared 2", NOW)
    seen = model(
        "m", limit=Limit(10, used=5), free_tokens=FreeTokens(10, 5, 5), rate_limit=(600, 6000),
        pause=Pause(PauseReason.LIMIT_REACHED),
    )  # fmt: skip
    return Report(
        account=account(), declared=declared(), started_at=NOW, finished_at=NOW,
        plan=Plan(account="default", inputs_digest="", observed_at=NOW),
        snapshot=snapshot(seen, endpoint("ep-1", "m")),
        statuses=(ResourceStatus(address="InferenceLimit/m", kind="InferenceLimit", conditions=(status,)),),
        outcomes=(Outcome("InferenceLimit/m", Target("InferenceLimit", "m"), Result.DEFERRED),),
    )  # fmt: skip


def unknown(expression: str) -> list[str]:
    """The metrics, and the labels matched on them, that an expression names and the loop does not expose."""
    known = labels_by_metric()
    wrong = [name for name in re.findall(r"\bmodelpolicy_\w+", expression) if name not in known]
    for name, matchers in re.findall(r"\b(modelpolicy_\w+)\{([^}]*)\}", expression):
        labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", matchers))
        wrong += [f"{name}{{{label}}}" for label in labels if name in known and label not in known[name]]
    return wrong
