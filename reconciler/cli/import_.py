"""`modelpolicy import`: what is live becomes declarations. Reads the platform, writes policy files only, and only under --out."""

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler import reconcile, writer
from reconciler.adopt import Adoption, Live, adopt
from reconciler.cli import common as shared
from reconciler.cli import exits, opening
from reconciler.cli.common import Common, Exit
from reconciler.cli.endings import Stop
from reconciler.cli.terminal import Terminal
from reconciler.errors import NotWritable, Overtaken, PlatformError
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
    what nobody declared is added. The plan afterwards is empty. Without --out everything live is printed. A file that is saved
    meanwhile is not touched, and exits 5: run it again.
    """
    if out is not None:
        writer.check_folder(out)
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
        return _write(terminal, files, read.texts)
    return Exit.OK


def _adopted(asked: Asked, texts: Mapping[str, bytes], folder: str) -> Adoption:
    """One account's live state, adopted into `texts`."""
    clock = opening.clock()
    opening.exists(asked.resource)
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


def _write(terminal: Terminal, files: Mapping[str, bytes], read: Mapping[str, bytes]) -> Exit:
    """Each file whole or not at all; one that is no longer what was read is left to whoever saved it."""
    codes = [Exit.OK]
    for name, content in files.items():
        try:
            if name in read:
                _replace(name, read[name], content)
            else:
                _create(name, content)
        except NotWritable as error:
            codes.append(Exit.STALE if isinstance(error, Overtaken) else Exit.UNEXPECTED)
            terminal.note(f"Error: {error}")
        else:
            terminal.note(f"{'changed' if name in read else 'wrote'} {name}")
    if not files:
        terminal.note("the declarations say what is live already; nothing to write")
    return exits.first(codes)


def _replace(name: str, read: bytes, content: bytes) -> None:
    try:
        writer.replace(name, read, content)
    except Overtaken as error:
        raise Overtaken(f"{error}; it was not touched, so run import again") from error


def _create(name: str, content: bytes) -> None:
    writer.make_folder(Path(name).parent)
    if not writer.create(name, content):
        raise Overtaken(f"{name} is there and was not read, so it is not overwritten; run import again, or move it")
