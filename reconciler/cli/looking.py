"""What every reading verb does: look at each account once, without a hold on anything that could write."""

from typing import Any

from reconciler import reconcile
from reconciler.cli import opening
from reconciler.cli.common import Common
from reconciler.cli.opening import Read
from reconciler.ledger import Ledger
from reconciler.reconcile import Asked
from reconciler.report import Report


def asked(common: Common, read: Read, **more: Any) -> tuple[Asked, ...]:
    """What each account of this run is asked; `more` are Asked's other fields, the same for all."""
    wanted = opening.targets(common.targets)
    under, prefix = opening.under(common.paths), opening.prefix()
    return tuple(
        Asked(
            account=account, everything=read.declared, load_findings=read.findings, targets=wanted, under=under,
            prefix=prefix, **more,
        )
        for account in opening.accounts(read.declared, common.account)
    )  # fmt: skip


def reports(common: Common, read: Read, **more: Any) -> tuple[Report, ...]:
    """One look at each account: read-only; what fails in the world is in the report, never raised."""
    return at(common, asked(common, read, **more))


def at(common: Common, everyone: tuple[Asked, ...]) -> tuple[Report, ...]:
    """The same, of what is asked already."""
    with opening.ledger(common.ledger) as ledger:
        return tuple(look(one, ledger) for one in everyone)


def look(one: Asked, ledger: Ledger) -> Report:
    """One look at one account."""
    now = opening.clock()()
    previous = reconcile.previous_statuses(ledger, one.account) if one.standing else {}
    with opening.reader(one) as reader:
        return reconcile.look(one, reader, ledger.history(one.account), previous, now)
