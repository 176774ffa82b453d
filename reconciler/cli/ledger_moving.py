"""`modelpolicy ledger move`, `copy` and `restore`: a whole ledger elsewhere. Never writes to a platform."""

from contextlib import closing

import click

from reconciler.cli import common as shared
from reconciler.cli import opening, origin
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import LedgerAddress
from reconciler.ledger import WHOLE, codec, moving, open_access
from reconciler.pen import run_id
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import count
from reconciler.state import Run

LOCAL = "a set that is named by its folder (local:...) needs a name there: modelpolicy ledger rename-set"


@click.command(
    epilog=shared.examples(
        ("modelpolicy ledger move .modelpolicy/ledger.db postgresql://db.internal/modelpolicy", "to a server"),
        ("modelpolicy ledger move postgresql://db.internal/modelpolicy ledger.db", "and back"),
    )
)
@click.argument("source", metavar="FROM", type=LedgerAddress())
@click.argument("target", metavar="TO", type=LedgerAddress())
@shared.options()
@click.pass_obj
def move(terminal: Terminal, source: str, target: str, common: Common) -> Exit:  # noqa: ARG001  # its flag is the colour
    """Move a ledger, with all that it remembers, from FROM to TO, where there is none yet.

    FROM is sealed: whoever would still use it is told where it went. Only while nobody works on it (exit 6). Interrupted at any
    moment: run the same command again.
    """
    with closing(open_access(source)) as old, closing(open_access(target)) as new:
        moved = moving.move(old, new, _run("ledger move", "moved", f"from {moving.where(old)} to {moving.where(new)}"))
        went = f"{count(moved, 'row')} went" if moved else "it had gone already"
        terminal.artefact(
            safe(f"The ledger is at {moving.where(new)} from now on ({went}); {moving.where(old)} is sealed.")
        )
        if "://" in target and "://" not in source:
            terminal.note(f"Say --ledger or MODELPOLICY_LEDGER in every run; {LOCAL}.")
    return Exit.OK


@click.command(
    epilog=shared.examples(
        ("modelpolicy ledger copy .modelpolicy/ledger.db backup.db", "of one moment"),
        ("modelpolicy ledger copy postgresql://db.internal/modelpolicy backup.db", "from a server to a file"),
    )
)
@click.argument("source", metavar="FROM", type=LedgerAddress())
@click.argument("target", metavar="TO", type=LedgerAddress())
@shared.options()
@click.pass_obj
def copy(terminal: Terminal, source: str, target: str, common: Common) -> Exit:  # noqa: ARG001
    """Make a backup of the ledger FROM at TO, where there is nothing yet: of one moment, also while a watcher writes.

    The backup may be read (`history --ledger TO`) and is no ledger: `ledger restore` makes one of it.
    """
    with closing(open_access(source)) as old, closing(open_access(target)) as new:
        copied = moving.copy(old, new, codec.time_text(opening.clock()()))
        terminal.artefact(safe(f"{moving.where(new)} is a backup of {moving.where(old)}: {count(copied, 'row')}."))
    return Exit.OK


@click.command(
    epilog=shared.examples(
        ('modelpolicy ledger restore backup.db --to .modelpolicy/ledger.db --reason "disk lost"', "a ledger again"),
    )
)
@click.argument("backup", metavar="BACKUP", type=LedgerAddress())
@click.option(
    "--to", "target", type=LedgerAddress(), required=True, help="Where the ledger is to be; there is none yet."
)
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept in the journal.")
@shared.options()
@click.pass_obj
def restore(terminal: Terminal, backup: str, target: str, reason: str, common: Common) -> Exit:  # noqa: ARG001
    """Make a ledger of a backup.

    What was done since the backup is not in it, so every renewal is unknown: a limit that is as declared counts as set, and is
    not set again. Look at `plan` before the first apply, above all with --prune.
    """
    with closing(open_access(backup)) as old, closing(open_access(target)) as new:
        done = moving.restore(old, new, _run("ledger restore", "restored", f"{reason} (from {moving.where(old)})"))
        terminal.artefact(
            safe(f"{moving.where(new)} is a ledger, restored from {moving.where(old)}: {count(done, 'row')}.")
        )
    return Exit.OK


def _run(operation: str, result: str, reason: str) -> Run:
    now = opening.clock()()
    return Run(
        id=run_id(now), account=WHOLE, operation=operation, actor=origin.actor(), link=origin.link(), reason=reason,
        started_at=now, finished_at=now, result=result,
    )  # fmt: skip
