"""`modelpolicy history`: what the journal says of past runs. Reads the ledger and nothing else; never creates it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

import click

from reconciler.cli import common as shared
from reconciler.cli import formats, known
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Since
from reconciler.ledger import EVERY, Search, open_ledger
from reconciler.state import Entry, Run


@click.command(
    epilog=shared.examples(
        ("modelpolicy history", "the latest runs, newest first"),
        ("modelpolicy history 20261123T120000Z-1a2b3c4d", "one run, change by change"),
        ("modelpolicy history --target InferenceLimit/chat --since 7d", "what was done to it this week"),
        ("modelpolicy history --actor octocat --set git.example/policy", "by somebody, from some repository"),
        ("modelpolicy history --limit 1 -o json", "the last run, for scripts"),
    )
)
@click.argument("run", required=False, shell_complete=shared.completing("runs"))
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many runs at most.")
@click.option(
    "--target", metavar="KIND[/NAME]", envvar="MODELPOLICY_TARGET", shell_complete=shared.completing("targets"),
    help="Only runs that changed this resource or item.",
)  # fmt: skip
@click.option("--since", type=Since(), help="Only runs that began since then: 36h, 7d, 2w, or a date.")
@click.option("--actor", metavar="NAME", help="Only runs of whom this is a part of the name, in any case.")
@click.option("--set", "set_name", metavar="NAME", help="Only runs of this declaration set.")
@shared.options("account", "ledger", output=formats.FORMATS["history"])
@click.pass_obj
def command(
    terminal: Terminal, /, common: Common, run: str | None, limit: int, target: str | None,
    since: datetime | timedelta | None, actor: str | None, set_name: str | None,
) -> Exit:  # fmt: skip
    """Show the journal: the latest runs, or RUN with every change, before and after, by whom and why.

    RUN may be the beginning of a run's id, as long as only one run begins so.
    """
    search = Search(since=_moment(since), actor=actor or "", set_name=set_name or "", **_named(target))
    if run is not None and search != EVERY:
        raise click.UsageError("RUN is one run: it takes no --target, --since, --actor or --set")
    found: list[tuple[Run, Sequence[Entry] | None]]
    with closing(open_ledger(common.ledger)) as ledger:
        known.check_account(ledger, common.account)
        if run is None:
            found = [(each, None) for each in ledger.runs(common.account, limit, search)]
        else:
            one = known.run_of(ledger, common.account, run)
            found = [(one, ledger.entries(one.id))]
    asked = search != EVERY or common.account is not None

    def render(output: Output) -> str:
        if asked and not found and output.format == "text":
            return "No run is like that."
        return formats.renderer(output, "history")(found, **formats.layout(terminal, output))

    shared.emit(terminal, common.outputs, render)
    return Exit.OK


def _named(target: str | None) -> dict[str, str]:
    """The kind and the name of --target, the kind one that there is."""
    if target is None:
        return {}
    from reconciler.cli import opening  # the kinds, which few calls ask about

    (target,) = opening.targets((target,))
    kind, _, name = target.partition("/")
    return {"kind": kind, "name": name}


def _moment(since: datetime | timedelta | None) -> datetime | None:
    """The moment of --since, which is past."""
    if since is None:
        return None
    from reconciler.cli import opening  # the clock, which a rehearsal shifts

    now = opening.clock()()
    try:
        moment = now - since if isinstance(since, timedelta) else since
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)
    if moment > now:
        raise click.UsageError(f"--since {moment.isoformat()} is in the future, where no run is")
    return moment
