"""Which files a run may write its outputs to: asked before it does anything else, so that no wrong name is met after a write.

An output never takes the place of a file that people keep: what the run reads, a policy, a database, a saved plan, keys.
"""

import os
import re
import stat
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final

from reconciler import writer
from reconciler.errors import WrongPlace
from reconciler.load import SourceText, load
from reconciler.load.text import MAX_BYTES
from reconciler.report import plan_file
from reconciler.sources.files import SUFFIXES

# A document of ours, however broken the file around it is, and also where several stand on one line.
_DOCUMENT: Final = re.compile(
    rb"""(?:\A(?:\xef\xbb\xbf)?|[\r\n{,])[ \t\r\n-]*["']?apiVersion["']?\s*:\s*["']?modelpolicy\.dev/"""
)
_DATABASE: Final = b"SQLite format 3\0"
_KEYS: Final = re.compile(rb"""["'](?:secret_key|secretKey)["']\s*:""")
_HEAD: Final = 4096


def check(files: Iterable[str], given: Sequence[str] = (), *, stdout: bool = False) -> None:
    """Raise WrongPlace where one of the outputs' files may not be written to. `given` are the paths that the run reads or
    writes beside them; `stdout`: an output goes there too."""
    taken: dict[Hashable, str] = {}
    if stdout and (standard := _identity("/dev/stdout")) is not None:
        taken[standard] = "stdout"
    theirs = {_identity(path): path for path in given}
    for file in files:
        same = writer.identity(file)
        if same is None:
            continue
        if same in taken:
            raise WrongPlace(f"{file} and {taken[same]} are one file; give each output its own")
        taken[same] = file
        kept = f"is {theirs[same]}, which this run uses" if same in theirs else _kept(Path(file), given)
        if kept:
            raise WrongPlace(f"{file} {kept}, and is not overwritten; name another file")


def _identity(path: str) -> Hashable | None:
    try:
        return writer.identity(path)
    except (WrongPlace, OSError):  # a folder, a URL, a file that is not there: no output can be it
        return None


def _kept(file: Path, given: Sequence[str]) -> str:
    """Why people keep what is in the file, "" where they do not."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return ""
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES)
    except OSError:
        return ""  # not there, or the write itself will say why not
    if content.startswith(_DATABASE):
        return "is a database"
    if content.startswith(plan_file.START):
        return "is a saved plan"
    if _KEYS.search(content[:_HEAD]):
        return "holds keys"
    if _DOCUMENT.search(content) or (_is_input(file, given) and _declares(file, content)):
        return "holds policies, or what may be some"
    return ""


def _is_input(file: Path, given: Sequence[str]) -> bool:
    """Whether the file is read as a policy, because a folder that was given holds it."""
    if not file.name.endswith(SUFFIXES):
        return False
    here = Path(os.path.realpath(file))
    return any(here.is_relative_to(os.path.realpath(path)) for path in given)


def _declares(file: Path, content: bytes) -> bool:
    """Whether the loader finds a document of ours in it, or something that may be one and cannot be read."""
    declared = load([SourceText(file.name, content)]).declared
    return bool(declared.resources or declared.held)
