"""The platform says that the key is another account's than the one whose id the PlatformAccount declares.

Why: a key of the wrong account changes the wrong account. Nothing is carried out on it, and nothing is taken back.
What to do: use a key of the account that is meant, or correct spec.ark.accountId. `modelpolicy doctor` shows whose key it is. Where
the platform did not say whose it is, that is a warning: the declared id could not be checked.
"""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.finding import Finding, Severity
from reconciler.kinds.platform_account import PlatformName
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    account, identity = context.account, seen(context).identity
    meant = account.spec.ark.account_id if account.spec.platform is PlatformName.ARK else None
    if meant is None or (identity is not None and identity.account == meant):
        return
    where = account.at("spec", "ark", "accountId")
    if identity is not None and identity.account:
        yield RULE.finding(
            f"the key of {account.address} is of account {identity.account}, and accountId says {meant}",
            account,
            where,
            hint="Use a key of the account that is meant, or correct accountId.",
        )
        return
    unchecked = RULE.finding(
        f"whether the key of {account.address} is of account {meant} could not be checked",
        account,
        where,
        hint="`modelpolicy doctor` says why the account's id could not be read.",
    )
    yield replace(unchecked, severity=Severity.WARNING, reason=None)


RULE = Rule(id="account-mismatch", severity=Severity.ERROR, reason=Reason.CONFLICTED, check=_check, needs_platform=True)
