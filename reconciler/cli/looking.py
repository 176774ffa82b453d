"""What every reading verb does: look at each account once, without a hold on anything that could write."""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

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


def matched(everyone: Sequence[Asked], ledger: Ledger) -> None:
    """Ends the command with exit 64 where a --target names nothing that is declared or owned: it would do nothing, quietly."""
    for target in everyone[0].targets if everyone else ():
        known: set[str] = set()
        for one in everyone:
            known |= {each.address for each in one.declared.resources} | {one.resource.address}
            owned = (record for record in ledger.history(one.account).records.values() if record.owner)
            known |= {name for each in owned for name in (each.owner, f"{each.target.kind}/{each.target.name}")}
            known |= {f"{held.kind}/{held.name}" for held in one.declared.held}
        if target in known or target in {name.partition("/")[0] for name in known}:
            continue
        near = difflib.get_close_matches(target, sorted(known), n=1)
        hint = f"did you mean {near[0]}?" if near else "modelpolicy status lists what is declared."
        raise click.UsageError(f"--target {target} matches nothing that is declared at these PATHs or owned: {hint}")


def looks(everyone: Sequence[Asked], ledger: Ledger) -> tuple[tuple[Asked, Report], ...]:
    """One look at each account; another where some turn out to be of one platform account, which only then is known."""
    matched(everyone, ledger)
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
