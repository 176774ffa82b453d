"""What `console` and `watch --listen` share: the desk that passes are put on, and who may look at it."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

import click

from reconciler import writer
from reconciler.cli import opening
from reconciler.console.desk import Desk, Past
from reconciler.console.gate import Gate
from reconciler.errors import NotWritable
from reconciler.ledger import Ledger
from reconciler.serving.hosts import is_loopback

RUNS: Final = 20  # of the ledger's runs that a page shows
LEAST: Final = 16  # letters of a token


def desk(ledger: Ledger) -> Desk:
    """A desk that reads the ledger when a page asks what was."""

    def past(account: str) -> Past:
        runs = ledger.runs(account, RUNS)
        return Past(ledger.history(account), tuple((run, ledger.entries(run.id)) for run in runs))

    return Desk(opening.clock(), past)


def gate(host: str, token_file: str | None) -> Gate | None:
    """Who may look: with a token file whoever brings its token, else this machine; None where neither guards the page."""
    if token_file is not None:
        return Gate(_token(Path(token_file)))
    return Gate() if is_loopback(f"[{host}]" if ":" in host else host) else None


def _token(file: Path) -> str:
    """The token in the file, which is made for its owner only (mode 0600) where it is absent. Never shown, never logged."""
    try:
        if not os.path.lexists(file):
            writer.create(file, f"{secrets.token_urlsafe(32)}\n".encode(), private=True)
    except NotWritable as error:
        raise click.UsageError(f"the token file {error}") from error
    try:
        token, about = file.read_text(encoding="utf-8").strip(), file.stat()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the token file {file} cannot be read") from error
    mode = stat.S_IMODE(about.st_mode)
    mounted = about.st_uid != os.geteuid()  # a cluster mounts a Secret as its own file, which our group may read
    if mode & (0o037 if mounted else 0o077):
        raise click.UsageError(f"the token file {file} may be read by others (mode {mode:04o}); run: chmod 600 {file}")
    if len(token) < LEAST or not token.isprintable() or not token.isascii():
        raise click.UsageError(f"the token in {file} must be at least {LEAST} printable ASCII characters")
    return token
