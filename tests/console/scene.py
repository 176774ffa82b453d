"""An account on the embedded platform with two days of use behind it: everything that the console shows, made by real passes."""

import contextlib
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.console.desk import Desk, Past
from reconciler.load import SourceText, load
from reconciler.platforms.embedded import seed
from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.refusals import Refusal
from reconciler.report import Report
from reconciler.state import Capability, Operation, Support
from tests.stage import Stage

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>\u202e"
PAGE = "https://console.volcengine.com/ark/region:ark+cn-beijing/openManagement"
SEED = """
models:
  - {name: doubao-seed-2-0-pro, state: Activated}
  - {name: doubao-seed-2-1-turbo, state: Activated}
  - {name: doubao-seed-2-0-lite, state: Activated, freeTokens: 500000}
  - {name: doubao-seed-1-8, state: Activated}
  - {name: doubao-embedding-vision, state: Activated}
  - {name: video-preview, domain: ComputerVision, inviteOnly: true}
endpoints:
  - {id: ep-20261001090000-srch1, name: search-prod, model: doubao-seed-2-0-pro, modelVersion: "260215"}
  - {id: ep-20261001090500-srch2, name: search-staging, model: doubao-seed-2-0-pro, modelVersion: "260215"}
  - {id: ep-20261003140000-chat1, name: chat-prod, model: doubao-seed-2-1-turbo, modelVersion: "260628"}
  - {id: ep-20261003141500-chat2, name: chat-canary, model: doubao-seed-2-1-turbo, modelVersion: "260628", rateLimit: {rpm: 300, tpm: 600000}}
  - {id: ep-20261010220000-nite1, name: nightly-batch, model: doubao-seed-1-8, batchOnly: true}
  - {id: ep-20261012080000-help1, name: helpdesk, model: doubao-seed-2-0-lite}
"""
POLICIES = {
    "policies/search.yaml": """
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: search-model}
spec: {model: doubao-seed-2-0-pro, state: Activated, requires: {rpm: 20000}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: search-fuse, labels: {team: search, env: prod}}
spec: {model: doubao-seed-2-0-pro, tokens: 60M, renewal: "2026-11"}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: search-prod}
spec: {endpoint: {name: search-prod}, rpm: 12000, tpm: 3000000}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: search-staging}
spec: {endpoint: {name: search-staging}, rpm: 300, tpm: 60000}
""",
    "policies/chat.yaml": """
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: chat-model}
spec: {model: doubao-seed-2-1-turbo, state: Activated}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: chat-fuse, labels: {team: chat, env: prod}}
spec: {model: doubao-seed-2-1-turbo, tokens: 40M}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: chat-canary}
spec: {endpoint: {name: chat-canary}, rpm: 300, tpm: 600000}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: chat-prod}
spec: {endpoint: {name: chat-prod}, rpm: 400, tpm: 700000}
""",
    "policies/help.yaml": """
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: help-model}
spec: {model: doubao-seed-2-0-lite, state: Activated}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit
metadata: {name: help-fuse, labels: {team: support, env: test}}
spec: {model: doubao-seed-2-0-lite, tokens: 3M}
""",
}
LATER = {
    "policies/chat.yaml": POLICIES["policies/chat.yaml"].replace("40M", "80M"),
    "policies/vision.yaml": """
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata: {name: vision-model}
spec: {model: doubao-embedding-vision, state: NotActivated}
""",
}


class Scene:
    """The account, its passes and its desk."""

    def __init__(self, home: Path, *, hostile: bool = True) -> None:
        self.stage = Stage(home, now=NOW - timedelta(hours=47))
        self.stage.engine.plant(seed.read("seed.yaml", SEED.encode()))
        if hostile:
            self.stage.models(EVIL, activated=1, docs_url="javascript:alert(1)")
        self.policies = dict(POLICIES)
        self.desk = Desk(lambda: self.stage.now, self.past)

    def past(self, account: str) -> Past:
        ledger = self.stage.ledger
        return Past(ledger.history(account), tuple((run, ledger.entries(run.id)) for run in ledger.runs(account, 20)))

    def asked(self):
        texts = [SourceText(name, content.encode()) for name, content in self.policies.items()]
        loaded = load(texts)
        return self.stage.asked(loaded.declared, load_findings=loaded.findings)

    def use(self, target: str, tokens: int, requests: int = 1) -> None:
        self.stage.engine.use(Call(target, tokens, requests))

    def two_days(self) -> None:
        """Policies are applied, the teams use their models, the policies change, somebody clicks on the platform."""
        self.stage.act(self.asked())
        for hour in range(47):
            if hour == 46:  # somebody sets a small limit on the platform's own page
                self.stage.engine.set_limit("doubao-seed-2-0-lite", 60_000)
            day = 0.55 + 0.45 * math.sin((hour + 4) / 24 * 2 * math.pi)
            for target, tokens in (
                ("search-prod", int(1_450_000 * day) + 60_000),
                ("chat-prod", int(560_000 * (day + 0.15))),
                ("helpdesk", int(120_000 * day)),
            ):
                with contextlib.suppress(Refusal):  # the help desk's limit is reached on the second day
                    self.use(target, tokens)
            self.stage.forward(hours=1)
        self.stage.now = NOW
        self.stage.engine.set_override("ep-20261001090500-srch2", 900, 60_000)
        self.policies |= LATER

    def look(self) -> Report:
        report = self.stage.look(self.asked())
        self.desk.publish(report)
        return report

    def by_hand(self) -> Report:
        """The same where, as on Ark, nothing can deactivate a model."""
        report = self.look()
        support = Support(Capability.MANUAL, PAGE, "no published action")
        changes = tuple(
            replace(
                change,
                capability=Capability.MANUAL,
                how_to=f"On {PAGE}: deactivate {change.target.name}. Then record it: modelpolicy attest {change.address}",
            )
            if change.target.kind == "ModelActivation"
            else change
            for change in report.plan.changes
        )
        report = replace(
            report,
            plan=replace(report.plan, changes=changes),
            capabilities={**report.capabilities, Operation.DEACTIVATE: support},
        )
        self.desk.publish(report)
        return report
