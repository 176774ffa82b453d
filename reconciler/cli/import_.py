"""`modelpolicy import`: what is live becomes declarations. Reads the platform, writes policy files only, and only under --out."""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from reconciler import reconcile
from reconciler.adopt import Adoption, Live, adopt
from reconciler.cli import common as shared
from reconciler.cli import opening
from reconciler.cli.common import Common, Exit
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.errors import PlatformError
from reconciler.finding import Severity
from reconciler.kinds.declared import Declared
from reconciler.load import SourceText, load
from reconciler.platforms import Connection
from reconciler.reconcile import Asked


@click.command(
    epilog=shared.examples(
        ("modelpolicy import", "print what is live as declarations"),
        ("modelpolicy import --out policies/", "one file a model; files that are there are adopted into"),
    )
)
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False), help="Write into DIR instead of stdout.")
@shared.options("paths", "account")
@click.pass_obj
def command(terminal: Terminal, common: Common, out: str | None) -> Exit:
    """Write what is live as declarations, one file a model.

    With --out, declarations at PATH and in DIR are adopted into: values change in place, comments and order stay, and
    what nobody declared is added. The plan afterwards is empty. Without --out everything live is printed.
    """
    here = out if out is not None and Path(out).is_dir() else None
    paths = tuple(dict.fromkeys((*common.paths, *((here,) if here else ()))))
    read = opening.read(paths) if paths or out is None else opening.Read(Declared(), (), {})
    broken = [found for found in read.findings if found.severity is Severity.ERROR]
    if broken and out is not None:
        raise Stop(
            f"{broken[0].location}: {broken[0].message}; nothing is written into declarations that do not load "
            "(modelpolicy validate shows all that is wrong)", Exit.INVALID,
        )  # fmt: skip
    files: dict[str, bytes] = {}
    for account in opening.accounts(read.declared, common.account):
        # Each account sees what the ones before it wrote, so that no two documents get one name.
        texts = {**read.texts, **files} if out is not None else dict(files)
        adoption = _adopted(Asked(account=account, everything=read.declared), texts, Path(out or ".").as_posix())
        for note in adoption.notes:
            terminal.note(f"Note: {note}")
        files |= adoption.files
    if out is None:
        terminal.document("---\n".join(content.decode("utf-8") for content in files.values()))
    else:
        _write(terminal, files)
    return Exit.OK


def _adopted(asked: Asked, texts: Mapping[str, bytes], folder: str) -> Adoption:
    """One account's live state, adopted into `texts`."""
    clock = opening.clock()
    declared = load(SourceText(name, content) for name, content in texts.items()).declared
    reader = reconcile.connect_reader(asked.resource, Connection(clock))
    try:
        snapshot = reader.observe(frozenset(resource.spec.model for resource in declared.limits))
    except PlatformError as error:
        raise Stop(f"account {asked.account} could not be observed: {error}") from error
    finally:
        reader.close()
    where = "" if folder == "." else folder
    return adopt(
        Live(account=asked.account, snapshot=snapshot, declared=declared, texts=texts, folder=where, now=clock())
    )


def _write(terminal: Terminal, files: Mapping[str, bytes]) -> None:
    """Each file whole or not at all."""
    for name, content in files.items():
        file = Path(name).resolve()
        known = file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = file.stat().st_mode & 0o777 if known else 0o644
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(temporary.name).chmod(mode)
        Path(temporary.name).replace(file)
        terminal.note(f"{'changed' if known else 'wrote'} {name}")
    if not files:
        terminal.note("the declarations say what is live already; nothing to write")
