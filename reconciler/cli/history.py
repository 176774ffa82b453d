"""`modelpolicy history`: what the journal says of past runs. Reads the ledger and nothing else; never creates it."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final

import click

from reconciler.cli import common as shared
from reconciler.cli import formats
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.ledger import open_ledger
from reconciler.state import Entry, Run

EVERY: Final = 1_000_000  # runs: more than a ledger ever has


@click.command(
    epilog=shared.examples(
        ("modelpolicy history", "the latest runs, newest first"),
        ("modelpolicy history 20261123T120000Z-1a2b3c4d", "one run, change by change"),
        ("modelpolicy history --limit 1 -o json", "the last run, for scripts"),
    )
)
@click.argument("run", required=False, shell_complete=shared.completing("runs"))
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many runs at most.")
@shared.options("account", "ledger", output=formats.FORMATS["history"])
@click.pass_obj
def command(terminal: Terminal, common: Common, run: str | None, limit: int) -> Exit:
    """Show the journal: the latest runs, or RUN with every change, before and after, by whom and why.

    RUN may be the beginning of a run's id, as long as only one run begins so.
    """
    found: list[tuple[Run, Sequence[Entry] | None]]
    with closing(open_ledger(common.ledger)) as ledger:
        if run is None:
            found = [(each, None) for each in ledger.runs(common.account, limit)]
        else:
            one = _one(ledger.runs(common.account, EVERY), run)
            found = [(one, ledger.entries(one.id))]

    def render(output: Output) -> str:
        return formats.renderer(output, "history")(found, **formats.layout(terminal, output))

    shared.emit(terminal, common.outputs, render)
    return Exit.OK


def _one(runs: Iterable[Run], id_: str) -> Run:
    """The run whose id is `id_` or, alone, begins with it."""
    matching = [each for each in runs if each.id.startswith(id_)]
    exact = [each for each in matching if each.id == id_] or matching
    if len(exact) == 1:
        return exact[0]
    many = ", ".join(each.id for each in exact[:5])
    raise Stop(
        f"{len(exact)} runs begin with {id_!r}: {many}; say more of the id"
        if exact
        else f"the ledger has no run {id_!r}; `modelpolicy history` lists the latest"
    )
