"""`modelpolicy ledger`: what is done to the ledger itself. Never writes to a platform."""

from contextlib import ExitStack, closing
from dataclasses import replace

import click

from reconciler.cli import common as shared
from reconciler.cli import known, ledger_moving, ledger_upkeep, opening, origin
from reconciler.cli.common import Common, Exit
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.identity import Match, compare
from reconciler.ledger import WHOLE, open_access, open_ledger, upkeep
from reconciler.pen import run_id
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import count
from reconciler.state import Run

REASON = click.option("--reason", metavar="TEXT", required=True, help="Why; kept in the journal.")


@click.group(
    epilog=shared.examples(
        ("modelpolicy ledger move .modelpolicy/ledger.db postgresql://db.internal/modelpolicy", "from now on there"),
        ("modelpolicy ledger copy .modelpolicy/ledger.db backup.db", "a backup, also while a watcher writes"),
        ('modelpolicy ledger restore backup.db --to ledger.db --reason "disk lost"', "a ledger of a backup"),
        ("modelpolicy ledger check", "whether it is whole"),
        ("modelpolicy ledger prune --keep 90d", "keep the journal small"),
        ('modelpolicy ledger rebind prod --reason "moved to another account"', "its facts are of another one"),
        ('modelpolicy ledger rename-set git.example/old git.example/new --reason "moved"', "the remote was renamed"),
    )
)
def command() -> None:
    """Look after the ledger: the durable record of what is owned, what it was before, and what was done."""


for each in (ledger_moving.move, ledger_moving.copy, ledger_moving.restore, ledger_upkeep.check, ledger_upkeep.prune):
    command.add_command(each)


@command.command(
    epilog=shared.examples(
        ('modelpolicy ledger rebind prod --reason "project moved"', "as the files here declare it"),
        ('modelpolicy ledger rebind prod policies/ --reason "key rotated"', "the same account, its id unread"),
    )
)
@click.argument("account", metavar="ACCOUNT")
@REASON
@click.option(
    "--forget", is_flag=True, help="It is another account, although that cannot be read: forget the former one."
)
@shared.options("paths", "ledger", "set")
@click.pass_obj
def rebind(terminal: Terminal, account: str, reason: str, forget: bool, common: Common) -> Exit:
    """Say that ACCOUNT, as declared at PATH, stands for the account of the platform that answers now.

    Another one: all that is remembered of the former is forgotten, baselines, owners and times, and its records stand in the
    journal. Only the key is another and the id cannot be read: you say that it is the same, and all stays, unless --forget.
    """
    from reconciler.cli import looking

    read = opening.read(common.paths)
    (asked,) = looking.asked(replace(common, account=account), read)
    with opening.reader(asked) as reader:
        seen = reader.observe(frozenset()).identity
    if seen is None:
        raise Stop(f"the platform does not say which account {account} is, so there is nothing to bind")
    with closing(open_ledger(common.ledger)) as store, closing(open_access(common.ledger)) as access:
        upkeep.present(access)
        before = store.history(account).identity
        match = compare(before, seen)
        if match is Match.SAME and not forget:
            terminal.artefact(safe(f"Account {account} is {seen}, as the ledger remembers: nothing is changed."))
            return Exit.OK
        forgets = forget or match is Match.CHANGED
        now = opening.clock()()
        made_by = origin.of(read.texts, common.paths)
        bound = seen if forgets or before is None else replace(seen, account=seen.account or before.account)
        run = Run(
            id=run_id(now), account=account, operation="ledger rebind", actor=made_by.actor, link=made_by.link,
            revision=made_by.revision, reason=f"{reason} (was {before or 'not bound'}, is {bound})",
            set_name=asked.declaration_set.name, started_at=now, finished_at=now, result="rebound",
        )  # fmt: skip
        with store.lock(account, "ledger rebind"):
            gone = upkeep.rebind(access, run, bound, forget=forgets)
    said = f"{count(gone, 'record')} of the former one forgotten" if forgets else "all that is remembered stays"
    terminal.artefact(safe(f"Account {account} is {bound} from now on; {said}. It was {before or 'not bound'}."))
    return Exit.OK


@command.command(
    "rename-set",
    epilog=shared.examples(
        ('modelpolicy ledger rename-set git.example/a git.example/b --reason "renamed"', "all that the set owns"),
        ('modelpolicy ledger rename-set local:.. acme/policy --reason "now shared"', "a name that others know"),
    ),
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@REASON
@click.option("--merge", is_flag=True, help="NEW owns something already, and it is the same set.")
@shared.options("ledger")
@click.pass_obj
def rename_set(terminal: Terminal, old: str, new: str, reason: str, merge: bool, common: Common) -> Exit:
    """Give all that the declaration set OLD owns to the name NEW, on every account: after a remote was renamed."""
    from reconciler.cli import sets

    sets.check(new, "NEW")
    with (
        closing(open_ledger(common.ledger)) as store,
        closing(open_access(common.ledger)) as access,
        ExitStack() as locks,
    ):
        upkeep.present(access)
        owners = upkeep.sets(access)
        if old not in owners:
            names = known.nearest(old, owners) if owners else "no set owns anything"
            raise click.UsageError(f"no set {old!r} owns anything in this ledger: {names}")
        if new == old:
            raise click.UsageError("OLD and NEW are one name")
        if new in owners and not merge:
            raise click.UsageError(f"{new} owns something already: if it is the same set, say --merge")
        for account in owners[old]:
            locks.enter_context(store.lock(account, "ledger rename-set"))
        now = opening.clock()()
        run = Run(
            id=run_id(now), account=WHOLE, operation="ledger rename-set", actor=origin.actor(), link=origin.link(),
            reason=f"{reason} ({old} is {new})", set_name=new, started_at=now, finished_at=now, result="renamed",
        )  # fmt: skip
        done = upkeep.rename_set(access, run, old, new)
    terminal.artefact(safe(f"{old} is {new} from now on: {count(done.records, 'item')} on {', '.join(owners[old])}."))
    return Exit.OK
