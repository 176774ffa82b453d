"""The platform's meter could not be read, so nothing is known of recent use.

Why: a limit that the present use would reach within a day, and one that is too close to the free quota, cannot be told; nor can the
guard limit-below-use judge. Unknown use is not no use.
What to do: let the account's key read the meter; the message says what refused, and `modelpolicy doctor` tries it.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    unread = seen(context).use_unread
    if unread and context.declared.limits:
        yield RULE.finding(
            f"the use of models on {context.account.address} could not be read: {unread}",
            context.account,
            hint="Declared limits are not held against use until it can be read.",
        )


RULE = Rule(id="use-unread", severity=Severity.WARNING, check=_check, needs_platform=True)
