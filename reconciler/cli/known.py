"""What a ledger knows by the names that a user gives: accounts and runs. One that it does not know is told, with the nearest."""

import difflib
from collections.abc import Iterable
from typing import Final

import click

from reconciler.cli.endings import Stop
from reconciler.ledger import Ledger
from reconciler.state import Run

EVERY: Final = 1_000_000  # runs: more than a ledger ever has
MANY: Final = 5


def check_account(ledger: Ledger, account: str | None) -> None:
    """Raise a usage error where the ledger has something and nothing of that account."""
    accounts = ledger.accounts()
    if account is None or account in accounts or not accounts:
        return
    raise click.UsageError(f"the ledger knows no account {account!r}: {nearest(account, accounts)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is not known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"it knows {', '.join(names[:MANY])}{' and others' if len(names) > MANY else ''}"


def run_of(ledger: Ledger, account: str | None, id_: str) -> Run:
    """The run whose id is `id_` or, alone, begins with it."""
    matching = [each for each in ledger.runs(account, EVERY) if each.id.startswith(id_)]
    exact = [each for each in matching if each.id == id_] or matching
    if len(exact) == 1:
        return exact[0]
    many = ", ".join(each.id for each in exact[:MANY])
    raise Stop(
        f"{len(exact)} runs begin with {id_!r}: {many}; say more of the id"
        if exact
        else f"the ledger has no run {id_!r}; `modelpolicy history` lists the latest"
    )
