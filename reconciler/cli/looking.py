"""What every reading verb does: look at each account once, without a hold on anything that could write."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reconciler import reconcile
from reconciler.cli import opening, sets
from reconciler.cli.common import Common
from reconciler.cli.opening import Read
from reconciler.cli.waiting import waiting
from reconciler.ledger import Ledger
from reconciler.reconcile import Asked
from reconciler.report import Report


def asked(common: Common, read: Read, **more: Any) -> tuple[Asked, ...]:
    """What each account of this run is asked; `more` are Asked's other fields, the same for all."""
    wanted = opening.targets(common.targets)
    mine = sets.declaration_set(common)
    return tuple(
        Asked(
            account=account, everything=read.declared, load_findings=read.findings, targets=wanted,
            declaration_set=mine, **more,
        )
        for account in opening.accounts(read.declared, common.account)
    )  # fmt: skip


def reports(common: Common, read: Read, **more: Any) -> tuple[Report, ...]:
    """One look at each account: read-only; what fails in the world is in the report, never raised."""
    return at(common, asked(common, read, **more))


def at(common: Common, everyone: tuple[Asked, ...]) -> tuple[Report, ...]:
    """The same, of what is asked already."""
    with opening.ledger(common.ledger) as ledger:
        return tuple(report for _, report in looks(everyone, ledger))


def looks(everyone: Sequence[Asked], ledger: Ledger) -> tuple[tuple[Asked, Report], ...]:
    """One look at each account; another where some turn out to be of one platform account, which only then is known."""
    passes = tuple((one, look(one, ledger)) for one in everyone)
    seen = {
        one.account: report.snapshot.identity for one, report in passes if report.snapshot and report.snapshot.identity
    }
    if len({identity.whole for identity in seen.values()}) == len(seen):
        return passes
    return tuple((known, look(known, ledger)) for known in (replace(one, identities=seen) for one in everyone))


def look(one: Asked, ledger: Ledger) -> Report:
    """One look at one account."""
    now = opening.clock()()
    previous = reconcile.previous_statuses(ledger, one.account, one.declaration_set.name) if one.standing else {}
    with opening.reader(one) as reader, waiting(f"looking at account {one.account}"):
        return reconcile.look(one, reader, ledger.history(one.account), previous, now)
