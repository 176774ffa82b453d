"""A list of the platform did not show all it has, although it was asked twice.

Why: only a whole list proves that something is not there. What the list did show is judged as usual; nothing is called unknown,
no item stops being ours and nothing is pruned because the list does not name it.
What to do: nothing where it passes by itself. If it stays, the message says which list falls short by what, or which permission
the account's key lacks.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    for listing, why in sorted(seen(context).not_whole.items()):
        yield RULE.finding(
            f"the list of {listing.value} of {context.account.address} is not whole: {why}",
            context.account,
            hint=f"What it shows is judged; {listing.value} that it does not name are not taken to be absent.",
        )


RULE = Rule(id="incomplete-list", severity=Severity.WARNING, check=_check, needs_platform=True)
