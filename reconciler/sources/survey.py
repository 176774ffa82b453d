"""How the policy files under some roots look without opening one, and which events could have changed that. Reads nothing else.

A survey walks folders; an event is judged by its path alone, so that a log written twenty times a second beside the policies costs
no walk. Hidden files and folders are passed over as reading passes them over.
"""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.sources.files import SUFFIXES

_HIDDEN: Final = re.compile(r"\.(?!\.)")  # a mounted ConfigMap's ..data is not

Entry = tuple[str, int, int, int]
Fingerprint = frozenset[Entry]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found: `entries` are name, inode, size and time of change (of content or of permissions, in ns) of each policy file;
    `folders` the folders walked, `ends` where links and roots that are files lead, both by their real paths."""

    entries: Fingerprint
    folders: frozenset[str]
    ends: frozenset[str]

    def concerns(self, path: str, armed: Sequence[str], *, added: bool) -> bool:
        """Whether an event could be one of a policy file, by its real path below one of the `armed` folders; `added`: it is new."""
        if path in self.folders or path in self.ends:
            return True
        root = max((each for each in armed if path.startswith(each)), key=len, default="")
        *above, name = path[len(root) :].strip("/").split("/")
        if any(map(_HIDDEN.match, (*above, name))):
            return False
        if name.endswith(SUFFIXES) or name.startswith(".."):
            return True
        return added and (os.path.isdir(path) or os.path.islink(path))  # noqa: PTH112, PTH114  # for each event


def survey(roots: Sequence[str]) -> Survey:
    """What is under the roots (files or folders) now."""
    walk = _Walk()
    for root in roots:
        walk.root(root)
    return Survey(frozenset(walk.entries), frozenset(walk.folders), frozenset(walk.ends))


def entry(path: str) -> Entry:
    """How one file looks; zeros where it is there and cannot be looked at, or is gone: those are states too."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return (path, 0, 0, 0)
    return (path, found.st_ino, found.st_size, found.st_ctime_ns)


@dataclass(slots=True)
class _Walk:
    entries: set[Entry] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    seen: set[tuple[int, int]] = field(default_factory=set)

    def root(self, root: str) -> None:
        real = os.path.realpath(root)
        try:
            is_folder = stat.S_ISDIR(Path(root).stat().st_mode)
        except (OSError, ValueError):
            return
        if is_folder:
            self.folder(root, real)
        else:
            self.entries.add(entry(root))
            self.ends |= {real, os.path.join(os.path.realpath(Path(root).parent), Path(root).name)}  # noqa: PTH118

    def folder(self, name: str, real: str) -> None:
        """A folder by the name that the user knows it by, and what is below it; a loop of links ends where it began."""
        waiting = [(name, real)]
        while waiting:
            name, real = waiting.pop()
            try:
                found = Path(name).stat()
                if (found.st_dev, found.st_ino) in self.seen:
                    continue
                self.seen.add((found.st_dev, found.st_ino))
                self.folders.add(real)
                with os.scandir(name) as entries:
                    waiting += [below for each in entries if (below := self._below(each, real)) is not None]
            except OSError:
                self.entries.add((name, 0, 0, 0))

    def _below(self, each: "os.DirEntry[str]", real: str) -> tuple[str, str] | None:
        """Take in one entry of a folder; the folder to walk where it is one."""
        if each.name.startswith("."):
            return None
        linked = each.is_symlink()
        below = os.path.realpath(each.path) if linked else f"{real}/{each.name}"
        if linked:
            self.ends |= {f"{real}/{each.name}", below}
        if each.is_dir():
            return each.path, below
        if each.name.endswith(SUFFIXES):
            self.entries.add(entry(each.path))
        return None
