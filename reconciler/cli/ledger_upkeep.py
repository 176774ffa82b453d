"""`modelpolicy ledger check` and `prune`: whether it is whole, and keeping it small. Never writes to a platform."""

from contextlib import closing
from datetime import datetime, timedelta

import click

from reconciler.cli import common as shared
from reconciler.cli import formats, opening, origin
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Since
from reconciler.ledger import WHOLE, checking, open_access, upkeep
from reconciler.pen import run_id
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import count
from reconciler.report.plan_file import LIFETIME
from reconciler.state import Run

MB = 1_000_000


@click.command(
    epilog=shared.examples(
        ("modelpolicy ledger check", "exit 0: nothing to remark"),
        ("modelpolicy ledger check --ledger backup.db -o json", "a backup"),
    )
)
@shared.options("ledger", output=("text", "json"))
@click.pass_obj
def check(terminal: Terminal, common: Common) -> Exit:
    """Read all of the ledger back, and say what is damaged (exit 1) or wants a look (exit 2). Changes nothing.

    To be looked at: changes of killed runs, locks of dead ones, moments that are ahead of the clock.
    """
    with closing(open_access(common.ledger)) as access:
        found = checking.check(access, opening.clock()())

    def render(output: Output) -> str:
        if output.format == "json":
            said = [
                {"account": each.account, "item": each.item, "damaged": each.damaged, "message": each.message}
                for each in found
            ]
            return formats.compact({"format_version": "1.0", "remarks": said, "errors": []})
        if not found:
            return "The ledger is whole; there is nothing to remark."
        words = (
            f"{'damaged' if each.damaged else 'look at'}  {' '.join(filter(None, [each.account, each.item]))}: {each.message}"
            for each in found
        )
        return "\n".join(map(safe, words))

    shared.emit(terminal, common.outputs, render)
    if any(each.damaged for each in found):
        return Exit.UNEXPECTED
    return Exit.CHANGES if found else Exit.OK


@click.command(epilog=shared.examples(("modelpolicy ledger prune --keep 90d", "forget older runs")))
@click.option("--keep", type=Since(), required=True, help="Runs since then stay: 90d, 52w, or a date.")
@shared.options("ledger")
@click.pass_obj
def prune(terminal: Terminal, common: Common, keep: datetime | timedelta) -> Exit:
    """Forget finished runs of the journal that are older than --keep, and give their room back.

    What is owned, what it was before and what is not settled always stays, and so does the last run of each account.
    """
    now = opening.clock()()
    try:
        before = now - keep if isinstance(keep, timedelta) else keep
    except OverflowError:
        raise click.UsageError("--keep is longer than there is time: nothing would be forgotten") from None
    if before > now - LIFETIME:
        raise click.UsageError("--keep is at least 1d: for as long a saved plan may still be applied, and only once")
    run = Run(
        id=run_id(now), account=WHOLE, operation="ledger prune", actor=origin.actor(), link=origin.link(),
        reason=f"runs before {before.isoformat()}", started_at=now, finished_at=now, result="pruned",
    )  # fmt: skip
    with closing(open_access(common.ledger)) as access:
        upkeep.present(access)
        done = upkeep.prune(access, run, before)
    size = f"{done.before / MB:,.1f} MB before, {done.after / MB:,.1f} MB now"
    terminal.artefact(f"{count(done.runs, 'run')} forgotten, all that is owned stays; {size}.")
    if done.why:
        terminal.note(safe(f"Warning: the room could not be given back: {done.why}"))
    return Exit.OK
