"""Whether the account is still the one that the ledger remembers cannot be told: its key changed while its id cannot be read.

Why: a key may have been rotated, or may be another account's. Until that is known nothing is reverted or pruned, since what an
item was before may have been true of another account.
What to do: let the key read the account's id (`modelpolicy doctor` says how); or, if the account is the same,
`modelpolicy ledger rebind ACCOUNT --reason TEXT`.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.identity import Match, compare
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    account, known, now = context.account, context.history.identity, seen(context).identity
    if compare(known, now) is Match.UNPROVEN:
        yield RULE.finding(
            f"the key of account {account.account} is another than before and its id cannot be read, so it may be another account: "
            "nothing is reverted or pruned",
            account,
            account.at("spec", account.spec.platform.value),
            hint="Let the key read the account's id (modelpolicy doctor says how), or, if it is the same account: "
            f"modelpolicy ledger rebind {account.account} --reason TEXT",
        )


RULE = Rule(id="account-unproven", severity=Severity.WARNING, check=_check, needs_platform=True)
