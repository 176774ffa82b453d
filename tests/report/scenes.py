"""Reports worth reading: one scene that holds everything a reviewer may meet, and a quiet one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds.declared import Declared
from reconciler.plan import (
    Action,
    Change,
    ChangeReason,
    FieldChange,
    Plan,
    Release,
    Verdict,
    VerdictKind,
)
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Capability,
    Failure,
    FreeTokens,
    Limit,
    Outcome,
    Pause,
    PauseReason,
    Price,
    Result,
    Snapshot,
    Target,
)
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth
from tests import builders as b

SOURCE: Final = b"""apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: doubao-seed-1-6}
spec:
  model: doubao-seed-1-6
  tokens: 20000000
"""


def change(kind: str, item: str, *fields: tuple[str, Any, Any], **more: Any) -> Change:
    given: dict[str, Any] = {
        "model": item,
        "action": Action.CREATE,
        "reason": ChangeReason.DECLARED,
        "capability": Capability.NATIVE,
        "origin": Location(f"policies/{item}.yaml", 8, 1),
        **more,
    }
    name = given.pop("named", item)
    return Change(
        address=f"{kind}/{name}", target=Target(kind, item), fields=tuple(FieldChange(*f) for f in fields), **given
    )


def changes() -> tuple[Change, ...]:
    return (
        change(
            "ModelActivation", "doubao-seed-1-6", ("state", "NotActivated", "Activated"),
            ("subServices", (), ("fast-infer",)),
            notes=("billed from now on, after the 480,000 free tokens that are left: input 0.80, output 2.00 CNY/1M tokens",),
        ),
        change(
            "InferenceLimit", "doubao-seed-1-6", ("tokens", 1_000_000, 2_000_000), action=Action.UPDATE,
            reason=ChangeReason.DRIFT, not_before=b.NOW + timedelta(minutes=72),
            notes=("counting restarts at 0",),
        ),
        change(
            "EndpointRateOverride", "ep-20260101120000-abcde", ("rpm", None, 1200), ("tpm", 300_000, 240_000),
            target_name="search-prod", model="doubao-seed-1-6", named="search-prod", action=Action.UPDATE,
            reason=ChangeReason.ADOPTED,
        ),
        change(
            "InferenceLimit", "deepseek-v4-pro", ("tokens", None, 500_000), capability=Capability.MANUAL,
            how_to="Open https://console.volcengine.com/ark/region:ark+cn-beijing/openManagement, find deepseek-v4-pro, "
            "and set its inference limit to 500000 tokens; then say so with modelpolicy attest.",
        ),
        change(
            "EndpointRateOverride", "ep-20260101120000-night", ("rpm", 600, None), target_name="夜间批处理",
            model="kimi-k2", named="night", action=Action.REVERT, reason=ChangeReason.REMOVED,
            origin=None,
        ),
    )  # fmt: skip


FINDINGS: Final = (
    Finding(
        "limit-below-use", Severity.WARNING,
        "doubao-seed-1-6 used 410,000 tokens in the last hour; a limit of 2,000,000 pauses it within 5 hours",
        "raise tokens, or lower the rate of its endpoints",
        Location("policies/limits.yaml", 6, 11), "InferenceLimit/doubao-seed-1-6",
    ),
    Finding(
        "limit-online-only", Severity.INFO, "batch use of doubao-seed-1-6 neither counts nor pauses", "",
        Location("policies/limits.yaml", 6, 11), "InferenceLimit/doubao-seed-1-6",
    ),
)  # fmt: skip
ERROR: Final = Finding(
    "override-exceeds-model-limit", Severity.ERROR,
    "rpm 40000 of endpoint search-prod exceeds 30000, the model-level limit of doubao-seed-1-6: it can never take effect",
    "lower rpm to 30000 or less, or ask for a higher model limit with a ticket",
    Location("policies/limits.yaml", 6, 11), "EndpointRateOverride/search-prod", Reason.RULE_VIOLATION,
)  # fmt: skip


def snapshot() -> Snapshot:
    prices = (
        Price("InferencePrompt", "0.80", "CNY/1M tokens"), Price("InferenceCompletion", "2.00", "CNY/1M tokens"),
        Price("ContextSessionStorage", None, "CNY/1M tokens/hour"), Price("LoraFinetune", "50", "CNY/1M tokens"),
    )  # fmt: skip
    return b.snapshot(
        b.model(
            "doubao-seed-1-6", state=ActivationState.ACTIVATED, domain="VLM", prices=prices, rate_limit=(30000, 5_000_000),
            free_tokens=FreeTokens(500_000, 380_000, 120_000, b.NOW - timedelta(minutes=40)),
            limit=Limit(2_000_000, 1_640_000, b.NOW - timedelta(days=3), b.NOW), sub_services=("fast-infer",),
        ),
        b.model(
            "deepseek-v4-pro", limit=Limit(500_000, 500_100, b.NOW - timedelta(days=1)), rate_limit=(15000, 1_500_000),
            pause=Pause(PauseReason.LIMIT_REACHED, b.NOW - timedelta(hours=2)), deprecated=True,
            free_tokens=FreeTokens(500_000, 500_400, -400, b.NOW),
        ),
        b.model("kimi-k2", limit=UNOBSERVABLE, rate_limit=(5000, 500_000), free_tokens=UNOBSERVABLE),
        b.model("doubao-seedream-5-0-pro", state=ActivationState.NOT_ACTIVATED, domain="ComputerVision"),
        b.model("gpt-secret", state=ActivationState.INVITE_ONLY),
        b.endpoint("ep-20260101120000-abcde", "doubao-seed-1-6", name="search-prod", override=(1200, 240_000)),
        b.endpoint("ep-20260101120000-fghij", "doubao-seed-1-6", name="搜索预发布", override=(40000, None), scale_tier="tier-1"),
        b.endpoint("ep-20260101120000-night", "kimi-k2", name="夜间批处理", override=(600, None), status="Stopped"),
    )  # fmt: skip


def statuses() -> tuple[ResourceStatus, ...]:
    def condition(type_: ConditionType, status: Truth, reason: Reason, message: str = "") -> Condition:
        return Condition(type_, status, reason, message, b.NOW)

    good = (
        condition(ConditionType.ACCEPTED, Truth.TRUE, Reason.ACCEPTED),
        condition(ConditionType.PROGRAMMED, Truth.TRUE, Reason.PROGRAMMED),
        condition(ConditionType.READY, Truth.TRUE, Reason.READY),
    )
    waits = (
        condition(ConditionType.ACCEPTED, Truth.TRUE, Reason.ACCEPTED),
        condition(ConditionType.PROGRAMMED, Truth.FALSE, Reason.COOLING_DOWN, "two hours must pass between settings"),
        condition(ConditionType.READY, Truth.FALSE, Reason.COOLING_DOWN, "two hours must pass between settings"),
        condition(ConditionType.RECONCILING, Truth.TRUE, Reason.RECONCILING),
    )
    return (
        ResourceStatus(address="InferenceLimit/doubao-seed-1-6", kind="InferenceLimit", conditions=waits,
                       next_attempt=b.NOW + timedelta(minutes=72)),
        ResourceStatus(address="ModelActivation/doubao-seed-1-6", kind="ModelActivation", conditions=good),
    )  # fmt: skip


def declared() -> Declared:
    return b.declared(b.activation("doubao-seed-1-6"), b.limit("doubao-seed-1-6"), b.limit("deepseek-v4-pro"))


def busy(**more: Any) -> Report:
    """Everything at once: a refused guard, a revert, drift, a wait, a manual change, findings, a release."""
    plan = Plan(
        account="default", inputs_digest="0", observed_at=b.NOW, changes=changes(), unchanged=12,
        guards=(
            Verdict("mass-revert", VerdictKind.REFUSED, None, "7 of 12 owned items would be reverted, more than 5 and "
                    "more than 30 %", 'if that is meant, say --allow mass-revert --reason "..."'),
            Verdict("consent", VerdictKind.ALLOWED, "ModelActivation/doubao-seed-1-6", "as asked by --allow"),
            Verdict("kind-wipe", VerdictKind.PASSED),
        ),
        releases=(Release("InferenceLimit/old", Target("InferenceLimit", "old"), "Retain", "policies/old.yaml", why="nothing declares it any more; --prune would revert or release it"),),
        notes=("there is no ledger yet, so nothing is pruned",),
    )  # fmt: skip
    given: dict[str, Any] = {
        "account": b.account(), "declared": declared(), "started_at": b.NOW,
        "finished_at": b.NOW + timedelta(seconds=4.2), "plan": plan, "snapshot": snapshot(), "findings": FINDINGS,
        "statuses": statuses(), **more,
    }  # fmt: skip
    return Report(**given)


def broken() -> Report:
    return busy(findings=(*FINDINGS, ERROR))


def quiet() -> Report:
    """Nothing to do."""
    report = busy(findings=())
    return replace(report, plan=replace(report.plan, changes=(), guards=(), releases=(), notes=()), statuses=())


def unreachable() -> Report:
    report = quiet()
    failed = Failure("the platform did not answer within 30 s", Reason.PLATFORM_UNAVAILABLE, "InternalServiceTimeout")
    return replace(report, snapshot=None, failures=(failed,), plan=replace(report.plan, observed_at=None, unchanged=0))


def done() -> Report:
    """An apply that partly failed."""
    outcomes = (
        Outcome("ModelActivation/doubao-seed-1-6", Target("ModelActivation", "doubao-seed-1-6"), Result.APPLIED,
                confirmed=True),
        Outcome("InferenceLimit/doubao-seed-1-6", Target("InferenceLimit", "doubao-seed-1-6"), Result.DEFERRED,
                "two hours must pass between two settings of a limit", Reason.COOLING_DOWN,
                not_before=b.NOW + timedelta(minutes=72)),
        Outcome("EndpointRateOverride/search-prod", Target("EndpointRateOverride", "ep-1"), Result.FAILED,
                "the platform refused: the endpoint is being changed", Reason.PLATFORM_REFUSED, "OperationDenied"),
        Outcome("EndpointRateOverride/night", Target("EndpointRateOverride", "ep-2"), Result.SKIPPED,
                "rpm was 600 when planned and is 900 now", stale=True),
    )  # fmt: skip
    return busy(outcomes=outcomes, next_wake=b.NOW + timedelta(minutes=72), run="r1")
