"""The variables of flags: their names, and that none is set in vain. An empty one is nearly always a secret or a setting that
is missing, and doing without it silently would be another ledger, every account or every item. Reads the environment only.
"""

import difflib
import os
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import click

from reconciler.cli.terminal import Terminal

HELP: Final = frozenset({"-h", "--help"})
NEAR: Final = 0.8  # how alike a name must be to one of ours to be its misspelling
OURS: Final = "MODELPOLICY_"


def named(command: click.Command, prefix: str) -> None:
    """Give each flag of the command, and of those within it, the variable of its own beside those that verbs share."""
    prefix = prefix.upper().replace("-", "_")
    for option in _options(command):
        flag = max(option.opts, key=len).lstrip("-").upper().replace("-", "_")
        shared = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
        own = f"{prefix}_{flag}"
        option.envvar = [own, *(name for name in shared if name != own)]
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        named(inner, f"{prefix}_{name}")


def check(context: click.Context, command: click.Command, words: Sequence[str]) -> None:
    """Raise a usage error where a variable of the command is set and empty; note one that is nearly called like one of them."""
    if HELP & set(words):
        return
    known = {name for one in _called(command, words) for option in _options(one) for name in _variables(option)}
    for name in sorted(known):
        if not os.environ.get(name, "set").strip():
            raise click.UsageError(
                f"{name} is set, and empty: give it a value, or unset it (a secret or setting that is missing?)",
                context,
            )
    verbs = context.command.list_commands(context) if isinstance(context.command, click.Group) else ()
    for name, near in _misspelt(known, verbs):
        if isinstance(context.obj, Terminal):
            context.obj.note(f"Warning: no flag has the variable {name}, so it says nothing: did you mean {near}?")


def _misspelt(known: Collection[str], verbs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The variables that nothing reads, each with what it is nearly called; those of other verbs are theirs."""
    endings = {name.removeprefix(OURS): name for name in sorted(known)}
    theirs = tuple(f"{OURS}{verb.upper().replace('-', '_')}_" for verb in verbs)
    for name in sorted(os.environ.keys() - known):
        if not name.startswith(OURS) or name.startswith(theirs):
            continue
        for near in difflib.get_close_matches(name.removeprefix(OURS), endings, n=1, cutoff=NEAR):
            yield name, endings[near]


def _called(command: click.Command, words: Sequence[str]) -> Iterator[click.Command]:
    """The command and, of a group, the one within it that is called."""
    yield command
    if isinstance(command, click.Group):
        yield from (command.commands[word] for word in words[:1] if word in command.commands)


def _options(command: click.Command) -> Iterator[click.Option]:
    yield from (one for one in command.params if isinstance(one, click.Option))


def _variables(option: click.Option) -> Sequence[str]:
    return [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
