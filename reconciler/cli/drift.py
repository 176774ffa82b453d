"""`modelpolicy drift`: live against declared and against what was last applied. Does not write anywhere."""

import click

from reconciler.cli import common as shared
from reconciler.cli import exits, formats, looking, opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.finding import Finding, errors
from reconciler.ledger import Ledger
from reconciler.plan.drift import Drift, drifts, uncompared
from reconciler.reconcile import Asked
from reconciler.report import Report
from reconciler.rules.unmanaged_item import RULE as UNMANAGED

Seen = tuple[Report, tuple[Drift, ...], tuple[Finding, ...]]


@click.command(
    epilog=shared.examples(
        ("modelpolicy drift policies/", "what differs, and which side moved"),
        ("modelpolicy drift --unmanaged", "also what is live and declared nowhere"),
        ("modelpolicy drift -o json | jq '.drifts[].address'", "for a program"),
    )
)
@shared.options("paths", "account", "target", "ledger", "set", output=formats.FORMATS["drift"])
@click.option("--unmanaged", is_flag=True, help="Also list what is live and declared nowhere; exits 2 on it too.")
@click.pass_obj
def command(terminal: Terminal, common: Common, unmanaged: bool) -> Exit:
    """Compare what is live with what is declared at PATH and with what was last applied, field by field.

    Says for each field whether the declaration changed, the platform, or both, and since when the item was last seen equal.
    What cannot be seen does not drift. Exits 2 where there is drift, 1 where the platform could not be observed, and 3 where
    something could not be compared: a document that cannot be read, or one that names what is not there.
    """
    read = opening.read(common.paths)
    empty = opening.nothing_at(common.paths, read)
    if empty and not errors(read.findings):
        raise Stop(empty, Exit.INVALID)  # nothing was compared, which is not the same as no drift
    everyone = looking.asked(common, read)
    with opening.ledger(common.ledger) as ledger:
        seen = [_seen(*each, ledger, unmanaged=unmanaged) for each in looking.looks(everyone, ledger)]

    def render(output: Output) -> str:
        return formats.renderer(output, "drift")(*seen, **formats.layout(terminal, output, read.frame))

    shared.emit(terminal, common.outputs, render)
    return exits.first(_code(*each) for each in seen)


def _code(report: Report, found: tuple[Drift, ...], loose: tuple[Finding, ...]) -> Exit:
    if report.snapshot is None:
        return Exit.UNEXPECTED
    if uncompared(report.relevant, report.declared):
        return Exit.INVALID
    return Exit.CHANGES if found or loose else Exit.OK


def _seen(one: Asked, report: Report, ledger: Ledger, *, unmanaged: bool) -> Seen:
    if report.snapshot is None:
        return report, (), ()
    found = drifts(report.declared, report.snapshot, ledger.history(one.account), report.started_at)
    chosen = tuple(drift for drift in found if _chosen(drift, one.targets))
    loose = tuple(each for each in report.relevant if each.rule == UNMANAGED.id) if unmanaged else ()
    return report, chosen, loose


def _chosen(drift: Drift, targets: tuple[str, ...]) -> bool:
    return not targets or drift.address in targets or drift.address.partition("/")[0] in targets
