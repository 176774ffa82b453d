"""Files, directories and standard input become source texts. Reads and nothing more: what they say is the loader's business.

What cannot be read is a finding and makes the set incomplete, so that nothing is reverted because of it. A link is followed
only within what was asked for or the repository that this is in, wherever the command runs: else a stranger's pull request
could have any file of this machine shown.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.finding import Finding, Location, Severity, in_order
from reconciler.load import SourceText
from reconciler.load.text import MAX_BYTES
from reconciler.sources.repository import root_of

STDIN: Final = "<stdin>"
SUFFIXES: Final = (".yaml", ".yml", ".json")
_HIDDEN: Final = re.compile(r"\.(?!\.)")

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was read, sorted by name. `complete` False: something that was asked for could not be read."""

    texts: tuple[SourceText, ...]
    findings: tuple[Finding, ...]
    complete: bool


@dataclass(slots=True)
class _Search:
    """What one gathering has met so far: each file and directory is read once, however many ways lead to it."""

    texts: dict[Identity, SourceText] = field(default_factory=dict)
    directories: set[Identity] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True
    given: Path = Path()
    repository: Path = Path()

    def leads_out(self, link: Path) -> bool:
        """Whether a link ends neither in what was given nor in the repository that it is in, or in a hidden place of theirs."""
        end = link.resolve()
        return not any(end.is_relative_to(root) and _is_open(root, end) for root in (self.given, self.repository))

    def unreadable(self, path: Path, why: str) -> None:
        self.complete = False
        name = name_of(path)
        message = f"{name} could not be read: {why}; the set is incomplete, so nothing is reverted"
        self.findings.append(Finding("unreadable", Severity.ERROR, message, "", Location(name)))


def gather(paths: Sequence[str], stdin: BinaryIO | None = None) -> Gathered:
    """The texts at `paths` ("-" is `stdin`; none is "."): a file whatever its name, in a directory every .yaml, .yml and .json.

    Hidden files and directories below a given path are passed over. Names stay as the user gave them.
    """
    search = _Search()
    texts: list[SourceText] = []
    for path in sorted(set(paths or (".",))):
        if path == "-":
            texts += _from_stdin(search, stdin) if stdin is not None else []
        else:
            _visit(search, Path(path))
    texts += search.texts.values()
    return Gathered(tuple(sorted(texts, key=lambda text: text.name)), in_order(search.findings), search.complete)


def _from_stdin(search: _Search, stdin: BinaryIO) -> list[SourceText]:
    try:
        return [SourceText(STDIN, stdin.read(MAX_BYTES + 1))]
    except OSError as error:  # closed, or a directory
        search.unreadable(Path(STDIN), _reason(error))
        return []


def _visit(search: _Search, path: Path) -> None:
    """A path that the user gave."""
    try:
        search.given = path.resolve()
        search.repository = root_of(search.given) or search.given
        found = path.stat()
    except (OSError, ValueError) as error:
        search.unreadable(path, _reason(error))
        return
    if stat.S_ISDIR(found.st_mode):
        _descend(search, path, ())
    else:
        _read(search, path, found, given=True)


def _is_open(root: Path, end: Path) -> bool:
    """Whether nothing on the way from `root` to `end` is hidden. A mounted ConfigMap's own (..data) is not, nor is where git-sync
    keeps what it has checked out: a folder whose own `.git` is a file, which no repository can hold, outside of any `.git`."""
    for top in (end, *end.parents):
        if top == root:
            break
        if (top / ".git").is_file() and ".git" not in top.relative_to(root).parts:
            root = top
            break
    return not any(map(_HIDDEN.match, end.relative_to(root).parts))


def _descend(search: _Search, path: Path, above: tuple[Identity, ...]) -> None:
    """A directory and what is below it, in the order of names. Paths keep the form the user gave: Path(".") / "a" is a."""
    try:
        here = _identity(path.stat())
        if here in above:
            message = f"{name_of(path)} links back to a directory that contains it; what is there is read once"
            search.findings.append(
                Finding("symlink-loop", Severity.WARNING, message, "remove the link", Location(name_of(path)))
            )
            return
        if here in search.directories:
            return
        search.directories.add(here)
        entries = sorted(path.iterdir())
    except OSError as error:
        search.unreadable(path, _reason(error))
        return
    for entry, found in _entries(search, entries):
        if stat.S_ISDIR(found.st_mode):
            _descend(search, entry, (*above, here))
        elif entry.name.endswith(SUFFIXES):
            _read(search, entry, found, given=False)


def _entries(search: _Search, entries: list[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """The entries that are looked at: what is really there before links, so that a file is named by its real place."""
    linked: list[tuple[Path, os.stat_result]] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            found = entry.stat()
            if entry.is_symlink():
                if not _matters(entry, found):
                    continue
                if search.leads_out(entry):
                    search.unreadable(
                        entry, "it links to a place outside of what was asked for; name that place itself"
                    )
                else:
                    linked.append((entry, found))
                continue
        except OSError as error:
            # Without its kind nobody knows that it is no folder; what is not there, or a link to nowhere, is none.
            if entry.name.endswith(SUFFIXES) or error.errno not in (errno.ENOENT, errno.ELOOP):
                search.unreadable(entry, _reason(error))
            continue
        yield entry, found
    yield from linked


def _matters(entry: Path, found: os.stat_result) -> bool:
    return stat.S_ISDIR(found.st_mode) or entry.name.endswith(SUFFIXES)


def _read(search: _Search, path: Path, found: os.stat_result, *, given: bool) -> None:
    # A pipe or device in a directory could block for ever; /dev/stdin and the shell's <(...) are asked for by name.
    if not stat.S_ISREG(found.st_mode) and not (given and path.parts[:2] == ("/", "dev")):
        search.unreadable(path, "it is not a regular file")
        return
    if _identity(found) in search.texts:
        return
    try:
        with path.open("rb") as file:
            search.texts[_identity(found)] = SourceText(name_of(path), file.read(MAX_BYTES + 1), asked=given)
    except OSError as error:
        search.unreadable(path, _reason(error))


def name_of(path: Path) -> str:
    """The path as a text that every output and the ledger can hold: what is not UTF-8 in it is shown as escapes."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def _reason(error: Exception) -> str:
    """What the system said, without the path, which the caller knows in the user's own words."""
    return (error.strerror or "unknown error").lower() if isinstance(error, OSError) else str(error)
