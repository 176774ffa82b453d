"""Reports to render: one that shows everything, and small ones."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.finding import Finding, Location, Severity
from reconciler.identity import Identity
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.plan import Action, Change, ChangeReason, FieldChange, Plan, Release, Verdict, VerdictKind
from reconciler.reasons import Reason
from reconciler.report import Report
from reconciler.state import (
    NATIVE,
    UNOBSERVABLE,
    ActivationState,
    Capability,
    Endpoint,
    Entry,
    Failure,
    FreeTokens,
    Limit,
    Model,
    Operation,
    Outcome,
    Pause,
    PauseReason,
    Price,
    Rate,
    Result,
    Run,
    Snapshot,
    Support,
    Switches,
    Target,
)
from reconciler.status import Condition, ConditionType, ResourceStatus, Truth

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FILE = "policies/doubao.yaml"
GOLDEN = Path(__file__).parent / "report" / "golden"


def assert_golden(name: str, text: str) -> None:
    """Compare with tests/report/golden/<name>; UPDATE_GOLDEN=1 replaces the file, to be read in the diff."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="")
    assert path.read_bytes().decode() == text


def limit_change(model: str = "doubao-seed-1-6", before: int | None = None, after: int | None = 2_000_000) -> Change:
    return Change(
        address=f"InferenceLimit/{model}",
        target=Target("InferenceLimit", model),
        model=model,
        action=Action.CREATE if before is None else Action.UPDATE,
        reason=ChangeReason.DECLARED,
        capability=Capability.NATIVE,
        origin=Location(FILE, 12, 3),
        fields=(FieldChange("tokens", before, after),),
        precondition="sha256:1111",
        notes=("Counting restarts at 0.",),
    )


def everything() -> tuple[Change, ...]:
    """One change of each sort."""
    return (
        Change(
            address="ModelActivation/doubao-seed-1-6",
            target=Target("ModelActivation", "doubao-seed-1-6"),
            model="doubao-seed-1-6",
            action=Action.CREATE,
            reason=ChangeReason.DECLARED,
            capability=Capability.NATIVE,
            origin=Location(FILE, 1, 1),
            fields=(
                FieldChange("state", "NotActivated", "Activated"),
                FieldChange("subServices", (), ("context-cache", "fast-infer")),
            ),
            precondition="sha256:0000",
        ),
        limit_change(),
        Change(
            address="InferenceLimit/kimi-k2",
            target=Target("InferenceLimit", "kimi-k2"),
            model="kimi-k2",
            action=Action.UPDATE,
            reason=ChangeReason.DRIFT,
            capability=Capability.NATIVE,
            not_before=NOW + timedelta(minutes=47),
            origin=Location(FILE, 30, 1),
            fields=(FieldChange("tokens", 500_000, 1_500_000_000),),
            precondition="sha256:2222",
            notes=("Counting restarts at 0.",),
        ),
        Change(
            address="EndpointRateOverride/search-prod",
            target=Target("EndpointRateOverride", "ep-20260101120000-abcde"),
            target_name="search-prod",
            model="doubao-seed-1-6",
            action=Action.REVERT,
            reason=ChangeReason.REMOVED,
            capability=Capability.NATIVE,
            fields=(FieldChange("rpm", 1200, None), FieldChange("tpm", 240_000, None)),
            precondition="sha256:3333",
        ),
        Change(
            address="PlatformAccount/default",
            target=Target("PlatformAccount", "default"),
            action=Action.UPDATE,
            reason=ChangeReason.ADOPTED,
            capability=Capability.MANUAL,
            how_to="On https://console.volcengine.com/ark switch Safe Experience Mode off.",
            origin=Location("policies/account.yaml", 1, 1),
            fields=(FieldChange("freeTokensOnly", UNOBSERVABLE, after=False),),
            precondition="sha256:4444",
        ),
    )


FINDINGS = (
    Finding(
        "sample-oversubscribed",
        Severity.WARNING,
        "rpm of 3 endpoints sums to 36,000, 1.2 times the 30,000 that doubao-seed-1-6 shares",
        "lower the overrides, or accept that they cannot all run at full rate",
        Location(FILE, 44, 8),
        "EndpointRateOverride/search-prod",
    ),
    Finding(
        "sample-unsupported",
        Severity.ERROR,
        "doubao-embedding-vision takes no inference limit: its task is MultimodalEmbedding",
        "remove this document",
        Location(FILE, 60, 3),
        "InferenceLimit/embedding",
        Reason.RULE_VIOLATION,
    ),
    Finding("sample-scope", Severity.INFO, "batch use of kimi-k2 is never covered by its free quota"),
)


def plan(**changed: object) -> Plan:
    values: dict[str, object] = {
        "account": "default",
        "inputs_digest": "sha256:abcd",
        "observed_at": NOW - timedelta(seconds=2),
        "changes": everything(),
        "unchanged": 12,
        "guards": (
            Verdict("mass-revert", VerdictKind.PASSED),
            Verdict(
                "limit-below-use",
                VerdictKind.REFUSED,
                "InferenceLimit/kimi-k2",
                "at 90,000 tokens an hour the new limit of kimi-k2 would be reached in 20 minutes",
                "raise the limit, or --allow limit-below-use=InferenceLimit/kimi-k2 --reason TEXT",
            ),
            Verdict("protected", VerdictKind.ALLOWED, "EndpointRateOverride/search-prod", "protected by annotation"),
        ),
        "releases": (
            Release(
                "InferenceLimit/glm-4-7",
                Target("InferenceLimit", "glm-4-7"),
                "Retain",
                "policies/glm.yaml",
                why="nothing declares it any more; --prune would revert or release it",
            ),
        ),
        "notes": ("Pruning was not asked for; 1 owned item has no declaration.",),
    }
    return Plan(**{**values, **changed})  # type: ignore[arg-type]


def snapshot() -> Snapshot:
    return Snapshot(
        observed_at=NOW - timedelta(seconds=2),
        identity=Identity(platform="ark", account="2100000000"),
        models={
            "doubao-seed-1-6": Model(
                name="doubao-seed-1-6",
                display_name="Doubao-Seed-1.6",
                domain="VLM",
                state=ActivationState.NOT_ACTIVATED,
                free_tokens=FreeTokens(500_000, 512_000, -12_000, NOW - timedelta(minutes=40)),
                rate_limit=Rate(30_000, 5_000_000),
                prices=(Price("InferencePrompt", "0.8", "CNY/1M tokens"), Price("Finetune", None, "CNY/1M tokens")),
            ),
            "kimi-k2": Model(
                name="kimi-k2",
                state=ActivationState.ACTIVATED,
                limit=Limit(500_000, 500_003, NOW - timedelta(hours=1, minutes=13), NOW),
                rate_limit=Rate(5000, 500_000),
                pause=Pause(PauseReason.LIMIT_REACHED, NOW - timedelta(minutes=5)),
            ),
            "glm-4-7": Model(name="glm-4-7", limit=UNOBSERVABLE, free_tokens=UNOBSERVABLE, rate_limit=UNOBSERVABLE),
        },
        endpoints={
            "ep-20260101120000-abcde": Endpoint(
                id="ep-20260101120000-abcde",
                name="search-prod",
                model="doubao-seed-1-6",
                model_version="251015",
                override=Rate(1200, 240_000),
            )
        },
        switches=Switches(free_tokens_only=UNOBSERVABLE, auto_activation=False),
    )


def report(**changed: object) -> Report:
    """The report that shows everything; `changed` replaces its parts."""
    account = Resource("PlatformAccount", "default", PlatformAccountSpec(), Location("policies/account.yaml", 1, 1))
    values: dict[str, object] = {
        "account": account,
        "declared": Declared(resources=(account,)),
        "started_at": NOW,
        "finished_at": NOW + timedelta(seconds=3),
        "plan": plan(),
        "snapshot": snapshot(),
        "findings": FINDINGS,
        "outcomes": (
            Outcome(
                "ModelActivation/doubao-seed-1-6",
                Target("ModelActivation", "doubao-seed-1-6"),
                Result.APPLIED,
                confirmed=True,
            ),
            Outcome(
                "InferenceLimit/doubao-seed-1-6",
                Target("InferenceLimit", "doubao-seed-1-6"),
                Result.FAILED,
                "Ark refused the limit",
                Reason.PLATFORM_REFUSED,
                "InvalidParameter",
            ),
            Outcome(
                "InferenceLimit/kimi-k2",
                Target("InferenceLimit", "kimi-k2"),
                Result.DEFERRED,
                "two hours have not passed",
                Reason.COOLING_DOWN,
                not_before=NOW + timedelta(minutes=47),
            ),
        ),
        "statuses": (
            ResourceStatus(
                address="InferenceLimit/kimi-k2",
                kind="InferenceLimit",
                target=Target("InferenceLimit", "kimi-k2"),
                conditions=(
                    Condition(ConditionType.ACCEPTED, Truth.TRUE, Reason.ACCEPTED, "", NOW, 3),
                    Condition(ConditionType.READY, Truth.FALSE, Reason.COOLING_DOWN, "until 08:47", NOW),
                ),
                details={"tokens": 500_000},
                next_attempt=NOW + timedelta(minutes=47),
            ),
        ),
        "failures": (Failure("Ark did not answer in 10 s", Reason.PLATFORM_UNAVAILABLE, "", 1.5),),
        "capabilities": {
            Operation.ACTIVATE: NATIVE,
            Operation.SET_LIMIT: Support(
                Capability.MANUAL, "https://console.volcengine.com/ark", "no published action"
            ),
        },
        "next_wake": NOW + timedelta(minutes=47),
        "run": "01J",
    }
    return Report(**{**values, **changed})  # type: ignore[arg-type]


def quiet(account: str = "default") -> Report:
    """A pass that found all as declared."""
    return report(
        plan=Plan(account=account, inputs_digest="sha256:abcd", observed_at=NOW, unchanged=3),
        findings=(), outcomes=(), failures=(), next_wake=None,
    )  # fmt: skip


RUN = Run(
    id="01J", account="default", operation="apply", actor="lin@build-7", revision="4f2a9c1", reason="more room",
    started_at=NOW, finished_at=NOW + timedelta(seconds=3), result="partial",
)  # fmt: skip
ENTRY = Entry(
    run="01J", sequence=1, at=NOW, address="InferenceLimit/kimi-k2", target="InferenceLimit/kimi-k2", action="update",
    before={"tokens": UNOBSERVABLE}, after={"tokens": 5}, result="applied", finished_at=NOW,
)  # fmt: skip
