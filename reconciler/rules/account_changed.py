"""The account's name stands for another account of the platform than the one that the ledger remembers.

Why: baselines, ownership and the times of past changes are facts of the other account. Used on this one they would overwrite
what a person set and remove what nobody here ever declared. So nothing is written and nothing is pruned.
What to do: point the account back. If the change is meant, `modelpolicy ledger rebind ACCOUNT --reason TEXT` forgets the other
account's facts; what is declared is then adopted or changed as if for the first time.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.identity import Match, compare
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    account, known, now = context.account, context.history.identity, seen(context).identity
    if compare(known, now) is Match.CHANGED:
        yield RULE.finding(
            f"account {account.account} is {now} now, and the ledger remembers {known}: nothing that is remembered is used, and "
            "nothing is written",
            account,
            account.at("spec", account.spec.platform.value),
            hint=f"Point the account back, or, if it is meant: modelpolicy ledger rebind {account.account} --reason TEXT",
        )


RULE = Rule(
    id="account-changed", severity=Severity.ERROR, reason=Reason.ACCOUNT_CHANGED, check=_check, needs_platform=True
)
