"""`modelpolicy release`: hand an item over. Writes the ledger, never the platform."""

import json

import click

from reconciler.cli import common as shared
from reconciler.cli import opening, origin
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal


@click.command(
    epilog=shared.examples(
        ("modelpolicy release EndpointRateOverride/search-prod", "its document left these files"),
        ('modelpolicy release InferenceLimit/a InferenceLimit/b --reason "moved to team b"', "several, journaled"),
        ("modelpolicy release ModelActivation/a --set git.example/old", "of a set whose files are gone"),
    )
)
@click.argument("addresses", metavar="KIND/NAME...", nargs=-1, required=True)
@click.option("--path", "paths", metavar="PATH", multiple=True, type=click.Path(), help="The files of this set, which must not "
              "declare the item any more (default: the working directory). Repeatable.")  # fmt: skip
@click.option("--reason", metavar="TEXT", default="", help="Why; kept in the journal.")
@shared.options("account", "ledger", "set", output=("text", "json"))
@click.pass_obj
def command(
    terminal: Terminal, /, addresses: tuple[str, ...], paths: tuple[str, ...], reason: str, common: Common
) -> Exit:
    """Hand items over: they stay on the platform as they are, and this declaration set owns them no longer.

    KIND/NAME is the declaration that owned the item, or the item itself. Take the document out of the files first: what
    these files still declare is not released. Another set may then declare the item, and adopts it without a write.
    """
    from dataclasses import replace

    from reconciler import releasing
    from reconciler.cli import sets
    from reconciler.plan.removal import address_of
    from reconciler.report.as_text import safe

    read = opening.read(paths)
    if any(held.may_govern_anything or f"{held.kind}/{held.name}" in addresses for held in read.declared.held):
        raise Stop(
            "a document here cannot be loaded and may still declare the item: see modelpolicy validate", Exit.INVALID
        )
    made_by = origin.of(read.texts, paths)
    handover = releasing.Handover(
        addresses=addresses, declaration_set=sets.declaration_set(replace(common, paths=paths)), actor=made_by.actor,
        reason=reason, revision=made_by.revision, link=made_by.link, now=opening.clock()(),
    )  # fmt: skip
    done = []
    with opening.ledger(common.ledger) as ledger:
        for account in _accounts(read, common.account):
            try:
                done += [(account, each) for each in releasing.release(account, read.declared, handover, ledger)]
            except releasing.CannotRelease as error:
                raise Stop(str(error), Exit.USAGE if error.unknown else Exit.REFUSED) from error

    def render(output: Output) -> str:
        if output.format == "json":
            rows = [
                {
                    "account": account,
                    "address": each.owner,
                    "item": address_of(each.target),
                    "set": each.set_name,
                }
                for account, each in done
            ]
            return json.dumps({"format_version": "1.0", "released": rows, "errors": []}, ensure_ascii=False)
        return safe("\n".join(f"{each.owner}: released; kept on the platform, no longer managed" for _, each in done))

    shared.emit(terminal, common.outputs, render)
    return Exit.OK


def _accounts(read: opening.Read, wanted: str | None) -> tuple[str, ...]:
    """The one account that is meant: an item is one account's."""
    names = (wanted,) if wanted is not None else opening.accounts(read.declared, None)
    if len(names) > 1:
        raise click.UsageError(f"these files declare the accounts {', '.join(names)}: name one with --account")
    return names
