"""`modelpolicy unlock`: break an account's lock whose holder is dead. The only verb that takes a lock from another."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import click

from reconciler.cli import common as shared
from reconciler.cli import known, opening, origin
from reconciler.cli.common import Common, Exit
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.ledger import Ledger, Lock
from reconciler.ledger.holders import Life, Verdict
from reconciler.pen import run_id
from reconciler.report.as_text import safe
from reconciler.state import Run

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Found:
    """The account that is to be unlocked, its lock if it has one, and its run that is not finished."""

    account: str
    lock: Lock | None
    run: Run | None


@click.command(
    epilog=shared.examples(
        ("modelpolicy unlock", "the one lock that there is"),
        ("modelpolicy unlock --account prod", "an account's"),
        ("modelpolicy unlock 20261123T120000Z-1a2b3c4d", "of the run that `history` calls open"),
        ("modelpolicy unlock --account prod --force", "also of a run that is alive"),
    )
)
@click.argument("run", required=False, shell_complete=shared.completing("runs"))
@click.option("--force", is_flag=True, help="Also where the holder is alive: it notices, and writes nothing more.")
@shared.options("account", "ledger")
@click.pass_obj
def command(terminal: Terminal, common: Common, run: str | None, force: bool) -> Exit:
    """Break the lock of an account, or of the account of RUN, and say who held it.

    Rarely needed: the lock of a dead run frees itself within half a minute, at once on the same machine. The lock of a holder
    that is alive is broken with --force only (exit 6 without it). Breaking a lock is journaled.
    """
    terminal.able()
    with opening.ledger(common.ledger) as ledger:
        found = _found(ledger, common, run)
        if found.lock is not None and found.lock.verdict.life is Life.DOUBTFUL and not force:
            found = _watched(terminal, ledger, found)
        if found.lock is None:
            terminal.artefact(safe(f"Account {found.account} is not locked."))
            return Exit.OK
        lock, whose = found.lock, _whose(found.lock, found.run)
        if lock.verdict.life is Life.LIVES and not force:
            raise Stop(
                safe(f"account {lock.account} is locked by a run that is alive, {whose}: {lock.verdict.why}; wait for it or stop it, "
                     "or break its lock all the same with --force"), Exit.LOCKED)  # fmt: skip
        broken = ledger.unlock(lock, _journaled(lock, whose))
    if not broken:
        raise Stop(f"account {lock.account} is locked by somebody else by now; look again", Exit.LOCKED)
    terminal.artefact(safe(f"Account {lock.account} is unlocked; its lock was held by {whose}: {lock.verdict.why}."))
    return Exit.OK


def _found(ledger: Ledger, common: Common, run: str | None) -> Found:
    """What is meant: RUN's account, the one that is named, or the only one that is locked."""
    accounts, locks = ledger.accounts(), ledger.locks()
    if not accounts:
        raise click.UsageError("this ledger is empty or not there yet, so nothing is locked in it: is --ledger right?")
    account = common.account
    if run is not None:
        named = known.run_of(ledger, account, run)
        if named.finished_at is not None:
            raise click.UsageError(f"run {named.id} ended as {named.result}, so it holds no lock")
        account = named.account
    if account is None:
        if len(locks) > 1:
            names = ", ".join(each.account for each in locks)
            raise click.UsageError(f"the accounts {names} are locked: name one with --account")
        account = locks[0].account if locks else accounts[0] if len(accounts) == 1 else None
        if account is None:
            raise click.UsageError(f"none of the accounts {', '.join(accounts)} is locked: name one with --account")
    known.check_account(ledger, account)
    return Found(account, _of(locks, account), next(iter(_open(ledger, account)), None))


def _of(locks: Sequence[Lock], account: str) -> Lock | None:
    return next((each for each in locks if each.account == account), None)


def _open(ledger: Ledger, account: str) -> list[Run]:
    return [each for each in ledger.runs(account) if each.finished_at is None]


def _whose(lock: Lock, run: Run | None) -> str:
    return f"{lock.held.holder}{f' (run {run.id})' if run else ''}"


def _watched(terminal: Terminal, ledger: Ledger, found: Found) -> Found:
    """The same once it is known whether the holder lives: a renewal shows it, and the length of a lease without one."""
    assert found.lock is not None  # its caller saw it
    first = found.lock
    terminal.note(safe(f"{_whose(first, found.run)}: {first.verdict.why}; watching it for {first.held.lease_s:.0f} s"))
    until_s = time.monotonic() + first.held.lease_s
    while time.monotonic() < until_s:
        time.sleep(POLL_S)
        now = _of(ledger.locks(), found.account)
        if now is None or now.verdict.life is not Life.DOUBTFUL:
            return Found(found.account, now, found.run)
        if now.held.beat != first.held.beat:
            alive = Verdict(Life.LIVES, "it renewed its lock just now")
            return Found(found.account, Lock(now.account, now.held, alive), found.run)
    silent = Verdict(Life.GONE, f"it has not renewed its lock in {first.held.lease_s:.0f} s")
    return Found(found.account, Lock(first.account, first.held, silent), found.run)


def _journaled(lock: Lock, whose: str) -> Run:
    now = opening.clock()()
    forced = " by force" if lock.verdict.life is Life.LIVES else ""
    return Run(
        id=run_id(now), account=lock.account, operation="unlock", actor=origin.actor(), link=origin.link(), started_at=now, finished_at=now,
        result="unlocked", reason=f"broken{forced}: the lock of {whose}; {lock.verdict.why}",
    )  # fmt: skip
