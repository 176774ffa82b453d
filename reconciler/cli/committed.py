"""Of which commit the declarations of a run are, and whether all that was read is in it. Asks git, which changes nothing.

    REV           what was read at PATH is what that commit has there
    REV+dirty     something is not: edited, added, taken away, ignored by git, or from elsewhere
    ""            the files are in no repository, or git does not answer

Only policy files count: an edited README beside them is no other policy.
"""

import os
import subprocess
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.sources.files import STDIN, SUFFIXES

DIRTY: Final = "+dirty"
PATIENCE_S: Final = 5.0
_GIT: Final = (
    "git",
    "--no-optional-locks",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
)
_STATUS: Final = (
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=no",
    "--no-renames",
    "--ignore-submodules=all",
)
_WORDS: Final = {"1": 8, "u": 10}  # how many of them stand before the path, by the sort of line
_HEAD: Final = "# branch.oid "


def revision(read: Iterable[str], paths: Sequence[str]) -> str:
    """The commit of the files named `read`, which were found at `paths`; of several repositories one after the other."""
    names = tuple(read)
    real: dict[str, str] = {}
    files = [_real(name, real) for name in names if name != STDIN]
    given = [_real(path, real) for path in paths or (".",) if path != "-"]
    roots: dict[str, str] = {}
    of_root: dict[str, tuple[list[str], list[str]]] = {}
    for place, found in enumerate((files, given)):
        for name in found:
            if root := _root(os.path.dirname(name) if place == 0 else name, roots):  # noqa: PTH120
                of_root.setdefault(root, ([], []))[place].append(name[len(root) :].strip("/") or ".")
    stray = STDIN in names or len(files) > sum(len(each) for each, _ in of_root.values())
    known = [each for root, found in sorted(of_root.items()) if (each := _of_root(root, *found))]
    return " ".join(f"{each.removesuffix(DIRTY)}{DIRTY}" if stray else each for each in known)


def _of_root(root: str, files: list[str], given: list[str]) -> str:
    """The same within one repository; both are relative to its root."""
    elsewhere = {name for name in files if not any(_below(name, path) for path in given)}  # where a link leads
    where = ("--", *sorted({*given, *elsewhere}))
    said = _git(root, *_STATUS, *where)
    known = _git(root, "ls-files", "-z", *where)
    if said is None or known is None:
        return ""
    lines = said.split("\0")
    commit = next((line.removeprefix(_HEAD) for line in lines if line.startswith(_HEAD)), "")
    if not commit or commit.startswith("("):  # nothing is committed yet
        return ""
    changed = (line.split(" ", _WORDS[line[0]])[-1] for line in lines if line[:1] in _WORDS)
    policies = {name for name in changed if name in elsewhere or any(_is_policy(name, path) for path in given)}
    return f"{commit}{DIRTY}" if policies or not set(files) <= set(known.split("\0")) else commit


def _below(name: str, path: str) -> bool:
    return path in (".", name) or name.startswith(f"{path}/")


def _is_policy(name: str, path: str) -> bool:
    """Whether a changed file is one that is read where `path` is given: itself, or a policy file below it that is not hidden."""
    if name == path:
        return True
    inner = name if path == "." else name.removeprefix(f"{path}/")
    hidden = any(part.startswith(".") for part in inner.split("/"))
    return _below(name, path) and name.endswith(SUFFIXES) and not hidden


def _real(name: str, folders: dict[str, str]) -> str:
    """Where a file is, links followed; a folder is looked up once however many files are in it."""
    folder, base = os.path.split(name)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder or ".")
    full = os.path.join(folders[folder], base)  # noqa: PTH118
    return os.path.realpath(full) if base in ("", ".", "..") or os.path.islink(full) else full  # noqa: PTH114


def _root(folder: str, known: dict[str, str]) -> str:
    """The root of the repository that a folder is in, "" where it is in none."""
    if folder not in known:
        above = os.path.dirname(folder)  # noqa: PTH120
        here = os.path.exists(os.path.join(folder, ".git"))  # noqa: PTH110, PTH118
        known[folder] = folder if here else "" if above == folder else _root(above, known)
    return known[folder]


def _git(root: str, *arguments: str) -> str | None:
    """What git says of the repository, None where it says nothing; whatever repository its variables name is not meant."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603  # the user's own git
            [*_GIT, *arguments], cwd=root, env={**outside, "LC_ALL": "C"}, capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(done.stdout) if done.returncode == 0 else None
