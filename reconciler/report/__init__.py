"""What is said: the report of one pass, from which every output, metric, condition and exit code is read.

One renderer a file: `as_text`, `as_json`, `as_markdown`, `as_html` ... Renderers are pure: a Report in, text out; they
escape what came from files for the medium they write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever renders findings alone needs none of these rooms
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.finding import Finding
    from reconciler.kinds import Resource
    from reconciler.kinds.declared import Declared
    from reconciler.kinds.platform_account import PlatformAccountSpec
    from reconciler.plan import Plan
    from reconciler.state import Failure, Operation, Outcome, Snapshot, Support
    from reconciler.status import ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one pass over one account found, planned and did.

    `snapshot` is None where the platform could not be observed (`failures` says why). After an apply it is the snapshot
    the plan was made on with what was read back. `next_wake` is when looking again is worth it, None: at the next interval.
    """

    account: Resource[PlatformAccountSpec]
    declared: Declared
    started_at: datetime
    finished_at: datetime
    plan: Plan
    snapshot: Snapshot | None = None
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    statuses: tuple[ResourceStatus, ...] = ()
    failures: tuple[Failure, ...] = ()
    capabilities: Mapping[Operation, Support] = field(default_factory=dict)
    next_wake: datetime | None = None
    interrupted: bool = False
    run: str = ""  # the ledger's id of this run, "" where nothing was journaled
    targets: tuple[str, ...] = ()  # "Kind" or "Kind/name" of --target; () is everything

    @property
    def relevant(self) -> tuple[Finding, ...]:
        """What is told of this pass and what keeps it from writing: every finding, in order, but for those of policies that
        --target left out. What is not about one policy, such as the account or a file that cannot be read, concerns all."""
        from reconciler.finding import in_order

        ordered = in_order((*self.plan.findings, *self.findings))
        return tuple(found for found in ordered if self._concerns(found)) if self.targets else ordered

    def _concerns(self, found: Finding) -> bool:
        from reconciler.kinds import registry
        from reconciler.kinds.common import PolicySpec

        kind = (found.resource or "").partition("/")[0]
        known = registry().get(kind)
        a_policy = known is not None and issubclass(known.spec, PolicySpec)
        return not a_policy or found.resource in self.targets or kind in self.targets
