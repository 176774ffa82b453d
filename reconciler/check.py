"""What can be said of declarations without any platform: the rules over the whole set and over each account. Pure, no I/O."""

from collections.abc import Iterable
from datetime import datetime

from reconciler import isolation, rules
from reconciler.finding import Finding, in_order
from reconciler.kinds.declared import IMPLIED, Declared


def check(everything: Declared, load_findings: Iterable[Finding], now: datetime) -> tuple[Finding, ...]:
    """Every finding that needs no platform, over all accounts: what `validate` shows. No I/O."""
    found = [*load_findings, *set_findings(everything, now)]
    for key, account in everything.accounts.items():
        context = rules.Context(account=account, declared=everything.for_account(key), everything=everything, now=now)
        found += rules.check(context)
    return in_order(isolation.once(found))


def set_findings(everything: Declared, now: datetime) -> tuple[Finding, ...]:
    """The findings of the rules over the whole set; any account stands in for the context's own."""
    account = next(iter(everything.accounts.values()), IMPLIED)
    context = rules.Context(account=account, declared=everything, everything=everything, now=now)
    return rules.check(context, rules.Scope.SET)
