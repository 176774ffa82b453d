"""The files of a run as paths from their repository's root, which is what CI systems and code scanning ask for.

The root is the checkout within GITHUB_WORKSPACE or CI_PROJECT_DIR, else the repository of the working directory or of the
first PATH, else the working directory. Links are resolved: a tool looks for the file that is committed.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from reconciler.finding import Finding, Location
from reconciler.kinds.declared import IMPLIED
from reconciler.report import Report
from reconciler.report.places import Places
from reconciler.sources import repository
from reconciler.sources.files import STDIN

WORKSPACES: Final = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
_ESCAPED: Final = re.compile(rb"\\x([0-9a-f]{2})")


def places(paths: Iterable[str], files: Iterable[str], reports: Iterable[Report] = ()) -> Places:
    """Where the findings of a run over these PATHs stand. `files` are the names of all that was read, and of what was not."""
    given = [Path(path) for path in paths if path != "-"]
    root, real = _root([path.resolve() for path in given]), _real()
    inside: dict[str, str | None] = {STDIN: None, IMPLIED.origin.file: None}
    absolute: dict[str, str] = {}
    for name in dict.fromkeys((*sorted(files), *map(_shown, given))):
        if name not in inside:
            found = real(_meant(name))
            inside[name] = _carried(found.relative_to(root)) if found.is_relative_to(root) else None
            absolute[name] = _carried(found)
    return Places(
        paths=inside,
        absolute=absolute,
        anchors=dict(_anchors(reports)),
        otherwise=Location(next((name for name, path in inside.items() if path), ".")),
    )


def under(paths: Iterable[str]) -> tuple[str, ...]:
    """The PATHs from the root, sorted: what tells the runs of one repository apart."""
    given = [Path(path).resolve() for path in paths if path != "-"] or [Path.cwd()]
    root = _root(given)
    return tuple(sorted({_carried(path.relative_to(root)) for path in given if path.is_relative_to(root)}))


def _anchors(reports: Iterable[Report]) -> Iterator[tuple[Finding, Location]]:
    """What no file declares stands where its account is declared."""
    for report in reports:
        declared = report.account.origin
        if declared != IMPLIED.origin:
            yield from ((found, declared) for found in report.findings if found.location is None)


def _root(given: list[Path]) -> Path:
    """The repository's root for tools that show findings."""
    here = Path.cwd()
    starts = (here, *given)
    for name in WORKSPACES:
        workspace = Path(os.environ[name]).resolve() if os.environ.get(name) else None
        within = [each for each in starts if workspace is not None and each.is_relative_to(workspace)]
        if workspace is not None and within:
            above = [each for each in (within[0], *within[0].parents) if each.is_relative_to(workspace)]
            # A checkout below the workspace is the repository; a submodule, whose .git is a file, is none of its own.
            return next((each for each in above if (each / ".git").is_dir()), workspace)
    mine = [here] if not given or any(each.is_relative_to(here) for each in given) else []
    return next((found for each in (*mine, *given, here) if (found := repository.root_of(each))), here)


def _real() -> Callable[[Path], Path]:
    """Where a file really is. Most files are in a few folders, and each step of the way costs a look at the disk."""

    @cache
    def folder(path: Path) -> Path:
        return path.resolve()

    def real(path: Path) -> Path:
        found = folder(path.parent) / path.name
        return found.resolve() if found.is_symlink() or path.name in ("", "..") else found

    return real


def _meant(name: str) -> Path:
    """The file that a finding names: what is no UTF-8 in a name is shown there as escapes."""
    raw = name.encode("utf-8", "surrogateescape")
    known, meant = Path(os.fsdecode(raw)), _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw)
    if meant != raw and not os.path.lexists(known) and os.path.lexists(meant):
        return Path(os.fsdecode(meant))
    return known


def _shown(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _carried(path: Path) -> str:
    """As UTF-8 text, whatever the locale; what is none is carried as surrogates."""
    return os.fsencode(path.as_posix()).decode("utf-8", "surrogateescape")
