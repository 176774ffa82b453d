"""`modelpolicy fmt`: policy files in canonical order, comments kept. Writes to the files it is given and nowhere else."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from reconciler import writer
from reconciler.cli import common as shared
from reconciler.cli import exits, opening
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.errors import NotWritable, Overtaken
from reconciler.load import SourceText, is_beside
from reconciler.load.fmt import fmt
from reconciler.report.as_text.layout import safe
from reconciler.sources.files import STDIN

TRIES: Final = 5  # at a file that is saved while it is put in order
PAUSE_S: Final = 0.05  # for whoever is saving it


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
    and exits 3; `validate` says what is wrong with it. Other kinds in the same files stay as they are. An edit that is saved
    meanwhile is never lost: it is put in order too, or the file is named, not touched, and exits 5.
    """
    terminal.able()
    read = opening.gather(common.paths)
    changed: list[str] = []
    unreadable = [finding.message for finding in read.findings if finding.rule == "unreadable"]
    problems = [(Exit.INVALID, message) for message in unreadable]
    for source in read.texts:
        formatted = _formatted(source)
        if formatted is None:
            problems.append((Exit.INVALID, _broken(source.name)))
        elif source.name == STDIN and not check:
            terminal.document(formatted.decode("utf-8"))
        elif formatted != source.content:
            code, message = (Exit.CHANGES, "") if check else _put_in_order(source, formatted)
            if code is Exit.CHANGES:
                changed.append(source.name)
            elif code is not Exit.OK:
                problems.append((code, message))
    if changed:
        terminal.artefact("\n".join(map(safe, changed)))
    verb = "not in order" if check else "put in order"
    terminal.note(f"{len(changed)} of {len(read.texts)} files {verb}")
    for _, message in problems:
        terminal.note(message)
    codes = [code for code, _ in problems]
    return exits.first([*codes, Exit.CHANGES] if check and changed else codes)


def _formatted(source: SourceText) -> bytes | None:
    left = source.name.endswith(".json") or is_beside(source)
    return source.content if left else fmt(source.content)


def _broken(name: str) -> str:
    return f"{name} is not valid YAML and was not touched; see modelpolicy validate {name}"


def _put_in_order(source: SourceText, formatted: bytes) -> tuple[Exit, str]:
    """Write the new order, and where the file was saved meanwhile that of what it says by then: CHANGES where it was written, OK
    where it is in order by now, else what kept it from that."""
    problem = (Exit.OK, "")
    for _ in range(TRIES):
        if formatted == source.content:
            return Exit.OK, ""
        try:
            writer.replace(source.name, source.content, formatted)
        except Overtaken as error:
            problem = (Exit.STALE, f"{error}; it was not touched")
        except NotWritable as error:
            return Exit.UNEXPECTED, str(error)
        else:
            return Exit.CHANGES, ""
        time.sleep(PAUSE_S)
        try:
            source = replace(source, content=Path(source.name).read_bytes())
        except OSError:
            return problem
        again = _formatted(source)
        if again is None:
            return Exit.INVALID, _broken(source.name)
        formatted = again
    return problem
