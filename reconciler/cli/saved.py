"""Saved plans as files: written for one reader, whole or not at all, and read back with every doubt said out loud."""

import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from reconciler import writer
from reconciler.cli.endings import Stop
from reconciler.cli.exits import Exit
from reconciler.errors import WrongPlace
from reconciler.finding import Finding
from reconciler.guards import Allow
from reconciler.plan import VerdictKind
from reconciler.reconcile import Asked
from reconciler.report import Report, plan_file
from reconciler.report.plan_file import Saved, Terms

MOST_BYTES: Final = 256 * 1024 * 1024


def write(path: str, report: Report, terms: Terms) -> Saved:
    """Save the report's plan at `path`, readable by its owner only. Nothing but a saved plan is ever replaced."""
    kept = plan_file.saved(report, terms)
    content = plan_file.encode(kept)
    may_be_saved(path)
    writer.write(path, content, private=True)
    return kept


def read(path: str) -> Saved:
    """The plan saved at `path`; ends the command with exit 3 where there is none that can be trusted."""
    try:
        with Path(path).open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Stop(f"the plan file {path} cannot be read: {error.strerror}", Exit.INVALID) from error
    if len(content) > MOST_BYTES:
        raise Stop(f"{path} is larger than any saved plan ({MOST_BYTES:,} bytes)", Exit.INVALID)
    decoded = plan_file.decode(content, path)
    if isinstance(decoded, Finding):
        raise Stop(f"{decoded.message}; {decoded.hint}", Exit.INVALID)
    return decoded


def good(kept: Saved, path: str, now: datetime) -> None:
    """Ends the command with exit 5 where the plan is too old to be carried out."""
    late = plan_file.expired(kept, path, now)
    if late is not None:
        raise Stop(f"{late.message}; {late.hint}", Exit.STALE)


def save(path: str, asked: Sequence[Asked], reports: Sequence[Report], revision: str) -> Saved:
    """Save the plan of this run: of one account, and only where the platform could be seen. `revision` is its files'."""
    if len(reports) != 1:
        raise click.UsageError(f"a saved plan is one account's, and this run has {len(reports)}: choose with --account")
    (one,), (report,) = asked, reports
    if report.snapshot is None:
        raise Stop(f"account {one.account} could not be observed, so there is no plan to save")
    terms = Terms(
        made_at=report.started_at, expires_at=report.started_at + plan_file.LIFETIME, revision=revision,
        targets=one.targets, declaration_set=one.declaration_set, prune=one.prune,
    )  # fmt: skip
    return write(path, report, terms)


def asked(kept: Saved, *, keep_going: bool, allows: tuple[Allow, ...]) -> Asked:
    """What the pass that made the plan was asked, to be asked again."""
    terms = kept.terms
    return Asked(
        account=kept.plan.account, everything=kept.declared, targets=terms.targets,
        declaration_set=terms.declaration_set, prune=terms.prune, keep_going=keep_going, allows=allows,
    )  # fmt: skip


def renewed(kept: Saved, fresh: Report) -> Report:
    """The saved plan on what is seen now: its changes as reviewed, its guards as they judge now."""
    now = {(said.id, said.address): said for said in fresh.plan.guards}
    known = {(said.id, said.address) for said in kept.plan.guards}
    guards = [now.get((said.id, said.address), said) for said in kept.plan.guards]
    guards += [said for key, said in now.items() if key not in known and said.verdict is VerdictKind.REFUSED]
    return replace(fresh, plan=replace(kept.plan, guards=tuple(guards)))


def may_be_saved(path: str) -> None:
    """End with a usage error where no plan may be saved at `path`: nothing but a saved plan is ever replaced."""
    try:
        writer.check(path)
        mode = Path(path).lstat().st_mode
    except WrongPlace as error:
        raise click.UsageError(f"--out {error}") from error
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise click.UsageError(f"--out {path} is not a plain file (a pipe or device): name another")
    with Path(path).open("rb") as opened:
        if not opened.read(len(plan_file.START)).startswith(plan_file.START):
            raise click.UsageError(f"--out {path} exists and is no saved plan; it is not overwritten")
