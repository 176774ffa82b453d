"""`modelpolicy status`: what is wrong, and how models, endpoints and resources stand. Does not write anywhere."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli import common as shared
from reconciler.cli import exits, formats, looking, opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.report.by_model import Account

_FILES: Final = (".yaml", ".yml", ".json")


@click.command(
    epilog=shared.examples(
        ("modelpolicy status", "what is wrong, then one line a model"),
        ("modelpolicy status policies/ --problems", "only what is wrong, each with what comes next"),
        ("modelpolicy status search-prod", "all about one endpoint, and its model"),
        ("modelpolicy status InferenceLimit/search", "all about one resource"),
        ("modelpolicy status chat-prod --exit-code", "in a script: does it serve?"),
        ("modelpolicy status --all", "every model of the catalogue"),
        ("modelpolicy status -o json", "for a program"),
    )
)
@click.argument("given", nargs=-1, metavar="[PATH|NAME]...", shell_complete=shared.completing("names"))
@click.option(
    "--problems", is_flag=True, help="Only what is not ready or does not serve, with what comes next and who can do it."
)
@click.option(
    "--exit-code", "fails", is_flag=True, help="Exit 2 where something asked for is not ready or does not serve."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="A NAME, also where a file or folder is called so. Repeatable.",
)
@click.option("--all", "every", is_flag=True, help="Every model of the platform's catalogue.")
@shared.options("account", "ledger", output=formats.FORMATS["status"])
@click.pass_obj
def command(
    terminal: Terminal, common: Common, given: tuple[str, ...], names: tuple[str, ...], problems: bool, fails: bool,
    every: bool,
) -> Exit:  # fmt: skip
    """Show what is wrong first: models that the platform paused, what is not ready, what comes next and who can do it. Then a
    line for each model: its state, free quota, limit, rate, prices, and whether it is as declared.

    NAME is a model, an endpoint (its name or id), or a resource (its name or KIND/NAME): of that, everything is shown. What
    exists as a file or folder is a PATH (default: the working directory).
    """
    from reconciler.report.by_model import Account
    from reconciler.report.selection import Selection
    from reconciler.report.selection import problems as problems_of

    paths = tuple(word for word in given if _is_path(word))
    names = tuple(dict.fromkeys((*(word for word in given if word not in paths), *names)))
    common = replace(common, paths=paths)
    reports = looking.reports(common, opening.read(common.paths))
    selection = Selection(names, problems=problems, every=every)
    accounts = [Account(report) for report in reports]
    _check(accounts, names)
    for word in _ambiguous(accounts, paths):
        terminal.note(f"Note: {word} is read as a file or folder; --name {word} asks for what is called so")

    def render(output: Output) -> str:
        more = formats.layout(terminal, output)
        return formats.renderer(output, "status")(*reports, selection=selection, **more)

    shared.emit(terminal, common.outputs, render)
    wrong = fails and any(one.fails for account in accounts for one in problems_of(account, selection))
    return exits.first([exits.of(reports), *([Exit.CHANGES] if wrong else [])])


def _is_path(word: str) -> bool:
    """Whether a word is a PATH: it is there as one, or is written as one."""
    return word == "-" or word.endswith(("/", *_FILES)) or word.startswith(("./", "../", "/")) or Path(word).exists()


def _ambiguous(accounts: "Sequence[Account]", paths: tuple[str, ...]) -> tuple[str, ...]:
    """The PATHs that something on the accounts is called too."""
    from reconciler.report.selection import unmatched

    unknown = unmatched(accounts, paths) if all(one.snapshot is not None for one in accounts) else paths
    return tuple(path for path in paths if path not in unknown)


def _either(names: "Sequence[str]") -> str:
    from reconciler.report.as_text import safe

    *others, last = map(safe, names)
    return f"{', '.join(others)}{' or ' if others else ''}{last}"


def _check(accounts: "Sequence[Account]", names: tuple[str, ...]) -> None:
    """A usage error where a name stands for nothing."""
    from reconciler.report.selection import near, unmatched

    for name in unmatched(accounts, names):
        found = near(accounts, name)
        hint = f"did you mean {_either(found)}?" if found else "`modelpolicy status` lists the models in use."
        raise click.UsageError(
            f"there is no model, endpoint or resource {name!r} here, and no such file or folder: {hint}"
        )
