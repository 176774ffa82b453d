"""Saved plans as files: written for one reader, whole or not at all, and read back with every doubt said out loud."""

import os
import stat
import subprocess
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import click

from reconciler.cli.endings import Stop
from reconciler.cli.exits import Exit
from reconciler.finding import Finding
from reconciler.report import Report, plan_file
from reconciler.report.plan_file import Saved, Terms

MOST_BYTES: Final = 256 * 1024 * 1024
GIT_S: Final = 5


def write(path: str, report: Report, terms: Terms) -> Saved:
    """Save the report's plan at `path`, readable by its owner only. Nothing but a saved plan is ever replaced."""
    kept = plan_file.saved(report, terms)
    content = plan_file.encode(kept)
    file = Path(path)
    _may_replace(file, path)
    try:
        # A new file beside it, 0600 from its first byte, then a rename: there is never half a plan at `path`.
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
            try:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
                Path(temporary.name).replace(file)
            except BaseException:
                Path(temporary.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise Stop(f"the plan cannot be saved at {path}: {error.strerror}") from error
    return kept


def read(path: str) -> Saved:
    """The plan saved at `path`; ends the command with exit 3 where there is none that can be trusted."""
    try:
        with Path(path).open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Stop(f"the plan file {path} cannot be read: {error.strerror}", Exit.INVALID) from error
    if len(content) > MOST_BYTES:
        raise Stop(f"{path} is larger than any saved plan ({MOST_BYTES:,} bytes)", Exit.INVALID)
    decoded = plan_file.decode(content, path)
    if isinstance(decoded, Finding):
        raise Stop(f"{decoded.message}; {decoded.hint}", Exit.INVALID)
    return decoded


def good(kept: Saved, path: str, now: datetime) -> None:
    """Ends the command with exit 5 where the plan is too old to be carried out."""
    late = plan_file.expired(kept, path, now)
    if late is not None:
        raise Stop(f"{late.message}; {late.hint}", Exit.STALE)


def revision() -> str:
    """The git revision of the working directory, with + where files differ from it; "" outside a repository."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}+" if commit and _git("status", "--porcelain", "--", ".") else commit


def _git(*arguments: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        ran = subprocess.run(["git", *arguments], capture_output=True, timeout=GIT_S, check=True)  # noqa: S603, S607
        return ran.stdout.decode("utf-8", "replace").strip()
    return ""


def _may_replace(file: Path, path: str) -> None:
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise Stop(f"the plan cannot be saved at {path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise click.UsageError(f"--out {path} is not a plain file (a folder, link or device): name another")
    with file.open("rb") as opened:
        if not opened.read(len(plan_file.START)).startswith(plan_file.START):
            raise click.UsageError(f"--out {path} exists and is no saved plan; it is not overwritten")
