"""Whose declarations a run carries: the name of its declaration set, and where its files are below the set's root.

    --set, MODELPOLICY_SET      as it is
    else                        host/path of the repository's `origin`
    else, on an SQLite ledger   local:PLACE, the root's place as seen from the ledger's folder
    else                        a usage error: a ledger that many share needs a name that all of them know

The name never depends on the PATHs that were given: `plan policies` and `plan policies/a` are one set.
"""

import os
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.kinds.declared import DeclarationSet
from reconciler.sources import repository

if TYPE_CHECKING:
    from reconciler.cli.common import Common

LOCAL: Final = "local:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/~+:@%=,-]{0,199}")


def declaration_set(common: "Common") -> DeclarationSet:
    """The set of this run: its name, its PATHs relative to its root, and the way there from the working directory."""
    here = Path.cwd()
    places = [Path(path) for path in common.paths if path != "-"] or [here]
    root, name = _root(places, here), common.set_name
    if name is None:
        name = repository.origin(root)
    else:
        check(name, "--set")
    if not name:
        root, name = _local(root, [place.resolve() for place in places], common.ledger)
    below = here.is_relative_to(root)
    paths = [Path(path) for path in common.paths or (".",) if path != "-"]
    return DeclarationSet(
        name=name,
        under=tuple(sorted({_relative(path, root) for path in paths})),
        prefix=("" if here == root else _relative(here, root)) if below else here.as_posix(),
        root="" if below and not any(path.is_absolute() for path in places) else root.as_posix(),
    )


def check(name: str, said_as: str) -> None:
    """Raise a usage error where the value of `said_as` is no name of a set."""
    if not _NAME.fullmatch(name):
        raise click.UsageError(
            f"{said_as} {name!r} is no name of a declaration set: letters, digits and . _ / ~ + : @ % = , - from a letter or digit "
            "on, at most 200 of them"
        )


def _root(places: list[Path], here: Path) -> Path:
    """The repository that the places are in; without one the working directory, or what contains all the places."""
    roots = {repository.root_of(place if place.exists() else here) for place in places}
    known = sorted(each for each in roots if each is not None)
    if len(known) > 1:
        names = ", ".join(map(str, known))
        raise click.UsageError(
            f"the PATHs are in several repositories ({names}): run each by itself, or say --set NAME"
        )
    if known:
        return known[0]
    outside = [place.resolve() for place in places if not place.resolve().is_relative_to(here)]
    return Path(os.path.commonpath([here, *outside])) if outside else here


def _local(root: Path, places: list[Path], ledger: str) -> tuple[Path, str]:
    """The root and the name of a set that has no other name: the root as seen from the ledger, so that both may be moved
    together. A root that the ledger knows already and that contains all the places stays the root."""
    if "://" in ledger:
        raise click.UsageError(
            "these files have no git remote `origin` that names their declaration set, and this ledger may be shared with others: "
            "say --set NAME (or MODELPOLICY_SET), the same name in every run of these files"
        )
    from reconciler.ledger import open_ledger  # most runs have an origin

    folder = Path(ledger).resolve().parent
    with closing(open_ledger(ledger)) as opened:
        names = [name for name in opened.sets() if name.startswith(LOCAL)]
    known = [Path(os.path.normpath(folder / name.removeprefix(LOCAL))) for name in names]
    holding = [each for each in known if all(place.is_relative_to(each) for place in places)]
    root = max(holding, key=lambda each: len(each.parts), default=root)
    return root, LOCAL + os.path.relpath(root, folder)


def _relative(path: Path, root: Path) -> str:
    full = path.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()
