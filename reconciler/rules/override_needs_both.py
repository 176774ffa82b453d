"""On ark, an override with one of rpm and tpm cannot be written while the endpoint inherits the other.

Why: Ark's UpdateEndpoint takes Rpm and Tpm together (A7), and no published way says "inherited" for one of them.
What to do: declare both.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.platform_account import PlatformName
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import expired, live_overrides
from reconciler.state import UNOBSERVABLE, Rate


def _check(context: Context) -> Iterator[Finding]:
    if context.account.spec.platform is not PlatformName.ARK:
        return
    for override, endpoint in live_overrides(context):
        if endpoint.override is UNOBSERVABLE or expired(override, context.now):
            continue
        spec, live = override.spec, endpoint.override or Rate()
        for half, wanted, other, inherited, has in (
            ("rpm", spec.rpm, "tpm", spec.tpm is None and live.tpm is None, live.rpm),
            ("tpm", spec.tpm, "rpm", spec.rpm is None and live.rpm is None, live.tpm),
        ):
            if wanted is not None and inherited and wanted != has:
                yield RULE.finding(
                    f"{half} {wanted:,} cannot be written to {endpoint.name} ({endpoint.id}) alone: it inherits {other}, and "
                    "Ark takes both together",
                    override,
                    override.at("spec", half),
                    hint=f"Declare {other} too.",
                )


RULE = Rule(
    id="override-needs-both",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("A7",),
    check=_check,
    needs_platform=True,
)
