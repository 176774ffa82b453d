"""Opens what verbs work on: declarations, accounts, platforms, the ledger and the clock. The only reader of the environment
beside click and the terminal.

Heavy: a verb that needs it imports it, the root never does. It opens and closes; what happens in between is `reconcile`'s.
"""

import difflib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from reconciler.cli.endings import Stop
from reconciler.cli.exits import Exit
from reconciler.cli.waiting import waiting
from reconciler.finding import Finding, Location, errors, in_order
from reconciler.kinds import Resource, registry
from reconciler.kinds.declared import Declared
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.load import frame, load
from reconciler.sources import files

if TYPE_CHECKING:  # who opens no platform and no ledger does not wait for them
    from reconciler.ledger import Ledger
    from reconciler.platforms import Platform, Reader
    from reconciler.reconcile import Asked

OFFSET: Final = "MODELPOLICY_CLOCK_OFFSET"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Read:
    """What the paths of a run declare, what is wrong with it, and the texts themselves by name for code frames."""

    declared: Declared
    findings: tuple[Finding, ...]
    texts: dict[str, bytes]

    def frame(self, location: Location) -> str:
        """The lines around a location, "" where its text is not one of ours."""
        content = self.texts.get(location.file)
        return "" if content is None else frame(content, location)


def read(paths: tuple[str, ...]) -> Read:
    """Gather and load the paths; none is the working directory, "-" is standard input."""
    gathered = gather(paths)
    with waiting(f"reading {len(gathered.texts):,} files"):
        loaded = load(gathered.texts, complete=gathered.complete)
    return Read(
        loaded.declared,
        in_order((*gathered.findings, *loaded.findings)),
        {text.name: text.content for text in gathered.texts},
    )


def gather(paths: tuple[str, ...]) -> files.Gathered:
    """The texts at the paths, not looked into."""
    return files.gather(paths, _stdin() if "-" in paths else None)


def nothing_at(paths: tuple[str, ...], read: Read) -> str:
    """What is wrong with paths that were given and hold no document of ours, as a sentence; "" where each holds one."""
    texts = {each.origin.file for each in read.declared.resources} | {each.location.file for each in read.declared.held}
    real = [Path(os.path.realpath(name)) for name in texts if name != files.STDIN]
    for path in paths:
        place = os.path.realpath(path)
        found = (
            files.STDIN in texts if path == "-" else path in texts or any(each.is_relative_to(place) for each in real)
        )
        if not found and (path == "-" or os.path.lexists(path)):
            return f"{'standard input' if path == '-' else path} holds no policy: check the path, or what should have filled it"
    return ""


def moved(paths: tuple[str, ...], before: Read) -> str:
    """What is no longer at the paths as it was read, as a sentence; "" where nothing changed. Standard input is read once."""
    again = tuple(path for path in paths if path != "-")
    if paths and not again:
        return ""
    now = files.gather(again)
    texts = {text.name: text.content for text in now.texts}
    known = {name: content for name, content in before.texts.items() if name != files.STDIN}
    changed = sorted(name for name in texts.keys() | known.keys() if texts.get(name) != known.get(name))
    if not changed and now.complete >= before.declared.complete:
        return ""
    what = changed[0] if changed else "what is declared"
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{what}{more} changed since the plan was made, which would lower or take back something; nothing of it was written, plan again"


def _stdin() -> BinaryIO:
    return sys.stdin.buffer  # that of a closed one says so when it is read


def clock() -> Clock:
    """The clock of the pass, shifted by MODELPOLICY_CLOCK_OFFSET seconds where that is set."""
    offset = timedelta(seconds=offset_s())
    return lambda: datetime.now(UTC) + offset


def offset_s() -> float:
    """The seconds by which the clock is shifted, for rehearsals; 0 in real life."""
    given = os.environ.get(OFFSET, "0").strip()
    try:
        seconds = float(given)
        datetime.now(UTC) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"{OFFSET}={given!r} is not a number of seconds that a clock can be shifted by"
        ) from None
    return seconds


def accounts(declared: Declared, wanted: str | None) -> tuple[str, ...]:
    """The accounts of this run, sorted: the one that was asked for, or every one."""
    known = sorted(declared.accounts)
    if wanted is None:
        return tuple(known)
    if wanted not in declared.accounts:
        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"declared are {', '.join(known)}."
        raise click.UsageError(f"there is no account {wanted!r}: {hint}")
    return (wanted,)


def exists(account: Resource[PlatformAccountSpec]) -> None:
    """Ends the command with exit 3 where nobody declared or made the account that it would work on."""
    from reconciler import reconcile

    missing = reconcile.missing(account)
    if missing:
        raise Stop(missing, Exit.INVALID)


def targets(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The --target values, each known to be a kind or one of its resources' addresses in form."""
    kinds = sorted(registry())
    for target in wanted:
        kind = target.partition("/")[0]
        if kind not in kinds:
            near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"the kinds are {', '.join(kinds)}."
            raise click.UsageError(f"--target {target}: there is no kind {kind!r}: {hint}")
    return wanted


@contextmanager
def reader(asked: "Asked") -> Iterator["Reader"]:
    """The account's platform, seen through a type that has no write; closed at the end. Creates nothing."""
    from reconciler import reconcile
    from reconciler.platforms import Connection

    if not errors(asked.load_findings):  # else the account may be declared in what could not be read
        exists(asked.resource)
    opened = reconcile.connect_reader(asked.resource, Connection(clock(), create=False))
    with closing(opened):
        yield opened


@contextmanager
def platform(asked: "Asked") -> Iterator["Platform"]:
    """The account's platform, to be written to; closed at the end."""
    from reconciler import reconcile
    from reconciler.platforms import Connection

    if asked.keep_going or not errors(asked.load_findings):
        exists(asked.resource)
    opened = reconcile.connect(asked.resource, Connection(clock()))
    with closing(opened):
        yield opened


@contextmanager
def ledger(where: str) -> Iterator["Ledger"]:
    """The run's ledger; nothing is created before something is written."""
    from reconciler.ledger import open_ledger

    opened = open_ledger(where)
    with closing(opened):
        yield opened
