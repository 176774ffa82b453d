"""Free quota covers online token use only (S13, D7): never batch use, plug-ins or knowledge bases.

Why: a limit with `freeQuotaOnly`, or free-tokens-only on the account, does not keep those from being billed.
What to do: nothing, or do without them on accounts that must not be billed.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import live_limits
from reconciler.state import FreeTokens

_NEVER = "batch, plug-in and knowledge-base use is billed all the same"


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        if limit.spec.free_quota_only and isinstance(model.free_tokens, FreeTokens):
            yield RULE.finding(
                f"the free quota of {model.name} covers its online tokens only; {_NEVER}",
                limit,
                limit.at("spec", "freeQuotaOnly"),
            )
    if context.account.spec.free_tokens_only:
        yield RULE.finding(
            f"free-tokens-only on {context.account.address} covers online tokens only; {_NEVER}",
            context.account,
            context.account.at("spec", "freeTokensOnly"),
        )


RULE = Rule(
    id="free-quota-scope",
    severity=Severity.INFO,
    source=("S13", "D7"),
    phrase="免费额度仅适用于抵扣模型推理消耗的 token（50w 免费 token），不能抵扣使用各类插件、知识库等产生的费用",
    check=_check,
    needs_platform=True,
    routine=True,
)
