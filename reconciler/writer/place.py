"""What a name that is to be written to is, and whether it may be: asked before anything is done, and again at the write.

A name whose last part is a link is never written through, and no folder on the way may be a link that leads out of the checkout it
lies in: else a stranger's pull request could have any file of this machine overwritten. Writes nothing.
"""

import os
import re
import stat
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import WrongPlace

_STREAM: Final = re.compile(
    r"/dev/(?:(?P<name>stdin|stdout|stderr)|fd/(?P<fd>\d{1,9}))|/proc/(?:self|thread-self)/fd/(?P<proc>\d{1,9})"
)
_NUMBERS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a folder that is there: `folder` without links, `found` what has the name now (None: nothing), `given` the name as
    the user wrote it."""

    given: str
    folder: Path
    name: str
    found: os.stat_result | None

    @property
    def keeps(self) -> bool:
        """Whether what is written there stays there, unlike in a pipe, a terminal or /dev/null."""
        return self.found is None or stat.S_ISREG(self.found.st_mode)


def check(given: str) -> None:
    """Raise WrongPlace where a name may not be written to: its folder is missing, it is a link or a folder, or it leads out."""
    if stream(given) is None:
        place(given)


def identity(given: str) -> Hashable | None:
    """Equal for every spelling of one file, its hard links too; None for what takes everything, as /dev/null does."""
    fd = stream(given)
    found = os.fstat(fd) if fd is not None else None
    if found is None:
        where = place(given)
        found = where.found
        if found is None:
            folder = where.folder.stat()
            return folder.st_dev, folder.st_ino, where.name
    return None if stat.S_ISCHR(found.st_mode) else (found.st_dev, found.st_ino)


def stream(given: str) -> int | None:
    """The descriptor of this process that a name stands for, as /dev/stdout and the shell's >(...) do; None for another name.

    Raises WrongPlace where nobody handed it to this process: then it is closed, or a file of our own, as the ledger is.
    """
    match = _STREAM.fullmatch(os.path.normpath(given).replace("//", "/"))
    if match is None:
        return None
    number = match["fd"] or match["proc"]
    fd = _NUMBERS[match["name"]] if number is None else int(number)
    try:
        os.fstat(fd)
        handed = fd <= _NUMBERS["stderr"] or os.get_inheritable(fd)
    except OSError:
        handed = False
    if not handed:
        raise WrongPlace(f"{given} is not open in this process; open it, or name a file")
    return fd


def place(given: str) -> Place:
    """Where a name leads. Raises WrongPlace where it may not be written to."""
    path = Path(given)
    if "\0" in given or path.name in ("", ".."):
        raise WrongPlace(f"{given!r} names no file")
    folder = real_folder(path.parent, given)
    try:
        found = (folder / path.name).lstat()
    except FileNotFoundError:
        return Place(given, folder, path.name, None)
    except OSError as error:
        raise WrongPlace(f"{given} cannot be written: {reason(error)}") from error
    if stat.S_ISLNK(found.st_mode):
        raise WrongPlace(f"{given} is a link and is not written through; name the file itself")
    if stat.S_ISDIR(found.st_mode):
        raise WrongPlace(f"{given} is a folder; name a file in it")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode)):
        raise WrongPlace(f"{given} is neither a file nor a pipe; name another")
    return Place(given, folder, path.name, found)


def real_folder(folder: Path, given: str) -> Path:
    """The folder without links. Raises WrongPlace where it is none, or a link on the way leads out of the checkout it lies in."""
    here = Path.cwd()
    real = Path("/")
    try:
        for part in Path(here, folder).parts[1:]:
            step = real / part
            if part == "..":
                real.stat()  # also a folder that is left again has to be there
                step = real.parent
            elif step.is_symlink():
                end = step.resolve(strict=True)
                _stays_in(step, end, given, here)
                step = end
            real = step
        if not stat.S_ISDIR(real.stat().st_mode):
            raise WrongPlace(f"{given} cannot be written: {folder} is not a folder")
    except FileNotFoundError:
        raise WrongPlace(f"{given} cannot be written: there is no folder {folder}; make it, or name another") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        why = reason(error) if isinstance(error, OSError) else "its links lead in a circle"
        raise WrongPlace(f"{given} cannot be written: {folder}: {why}") from error
    return real


def _stays_in(link: Path, end: Path, given: str, here: Path) -> None:
    """Raise WrongPlace where a link in a checkout (a repository, else the working directory) ends outside of it or in its .git.
    Links of the machine itself, as /tmp is on some, are in none."""
    around = next((each for each in link.parents if (each / ".git").exists()), None)
    root = around or (here if link.is_relative_to(here) else None)
    if root is None:
        return
    if not end.is_relative_to(root) or ".git" in end.relative_to(root).parts:
        raise WrongPlace(f"{given} leads through the link {link} out of {root}; name the place itself")


def reason(error: OSError) -> str:
    """What the system said, without the path, which the sentence around it has."""
    return (error.strerror or type(error).__name__).lower()
