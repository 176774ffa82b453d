"""`modelpolicy fmt`: policy files in canonical order, comments kept. Writes to the files it is given and nowhere else."""

import os
import tempfile
from pathlib import Path

import click

from reconciler.cli import common as shared
from reconciler.cli import opening
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.load.fmt import fmt
from reconciler.report.as_text.layout import safe
from reconciler.sources.files import STDIN


@click.command(
    epilog=shared.examples(
        ("modelpolicy fmt policies/", "put the files in order"),
        ("modelpolicy fmt --check policies/", "only name those that are not; exits 2"),
        ("modelpolicy fmt - < limits.yaml", "standard input to standard output"),
    )
)
@click.option("--check", is_flag=True, help="Write nothing; name the files that are not in order and exit 2.")
@shared.options("paths")
@click.pass_obj
def command(terminal: Terminal, check: bool, common: Common) -> Exit:  # click's shape
    """Put policy files in canonical order: apiVersion, kind, metadata, spec, and fields as their kind lists them.

    Whole lines move and none is rewritten, so comments and quotes stay. A file that is no valid YAML is named, not touched,
    and exits 3; `validate` says what is wrong with it. Other kinds in the same files stay as they are.
    """
    terminal.able()
    read = opening.gather(common.paths)
    changed, broken = [], [finding.message for finding in read.findings if finding.rule == "unreadable"]
    for source in read.texts:
        formatted = source.content if source.name.endswith(".json") else fmt(source.content)
        if formatted is None:
            broken.append(
                f"{source.name} is not valid YAML and was not touched; see modelpolicy validate {source.name}"
            )
        elif source.name == STDIN and not check:
            terminal.document(formatted.decode("utf-8"))
        elif formatted != source.content:
            changed.append(source.name)
            if not check:
                _replace(Path(source.name), formatted)
    if changed:
        terminal.artefact("\n".join(map(safe, changed)))
    verb = "not in order" if check else "put in order"
    terminal.note(f"{len(changed)} of {len(read.texts)} files {verb}")
    for message in broken:
        terminal.note(message)
    if broken:
        return Exit.INVALID
    return Exit.CHANGES if check and changed else Exit.OK


def _replace(path: Path, content: bytes) -> None:
    """The whole new content or the old one, whatever happens in between; a link stays a link, the mode stays."""
    real = path.resolve()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(real.stat().st_mode & 0o7777)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
