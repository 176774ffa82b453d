"""`modelpolicy unlock`: break an account's lock whose holder is dead. The only verb that takes a lock from another."""

from contextlib import closing

import click

from reconciler.cli import common as shared
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.kinds.declared import DEFAULT_ACCOUNT
from reconciler.ledger import open_ledger
from reconciler.report.as_text.layout import safe


@click.command(
    epilog=shared.examples(
        ("modelpolicy unlock", "the lock of account default"),
        ("modelpolicy unlock --account prod", "another account's"),
    )
)
@shared.options("account", "ledger")
@click.pass_obj
def command(terminal: Terminal, common: Common) -> Exit:
    """Break the account's lock, whoever holds it, and say who that was.

    Rarely needed: the lock of a dead run frees itself within half a minute, at once on the same machine. A run that is alive
    notices and writes nothing more.
    """
    terminal.able()
    account = common.account or DEFAULT_ACCOUNT
    with closing(open_ledger(common.ledger)) as ledger:
        holder = ledger.unlock(account)
    if holder is None:
        terminal.artefact(safe(f"Account {account} is not locked."))
    else:
        terminal.artefact(safe(f"Account {account} is unlocked; its lock was held by {holder}."))
    return Exit.OK
