"""`modelpolicy validate`: every finding at once, offline unless --online. Does not write anywhere."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler import check
from reconciler.cli import common as shared
from reconciler.cli import formats, opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.opening import Read
from reconciler.cli.terminal import Terminal
from reconciler.finding import Finding, Severity, in_order
from reconciler.state import Failure

if TYPE_CHECKING:
    from reconciler.report import Report

# Their readers know the repository, not where we stand in it.
_ROOTED: Final = ("github", "sarif", "junit")


@click.command(
    epilog=shared.examples(
        ("modelpolicy validate policies/", "every finding, with its lines"),
        ("modelpolicy validate - < limits.yaml", "standard input"),
        ("modelpolicy validate --online", "with the rules that need the platform"),
        ("modelpolicy validate -o github", "annotations in a pull request"),
        ("modelpolicy validate -o sarif=out.sarif -o text", "a file and the terminal"),
    )
)
@shared.options("paths", "account", "ledger", "set", output=("text", "json", "github", "sarif", "junit"))
@click.option("--online", is_flag=True, help="Look at the platform too; reads, never writes.")
@click.pass_obj
def command(terminal: Terminal, common: Common, online: bool) -> Exit:
    """Check the declarations at PATH (default: the working directory).

    Checks schema, references, the platform's rules and your own constraints. Offline: needs no platform and no credentials.
    Exits 3 when there is an error among the findings.
    """
    read = opening.read(common.paths)
    found = check.check(read.declared, read.findings, opening.clock()())
    failed: tuple[Failure, ...] = ()
    reports: tuple[Report, ...] = ()
    if online:
        from reconciler.cli import looking  # brings platforms and the ledger, which offline needs neither of

        reports = looking.reports(common, read, standing=False)
        found = in_order((*found, *(one for report in reports for one in report.findings)))
        failed = tuple(dict.fromkeys(one for report in reports for one in report.failures))

    def render(output: Output) -> str:
        more = formats.layout(terminal, output, read.frame)
        if output.format in _ROOTED:
            more |= _rooted(output, common, read, (found, reports), online=online)
        return formats.renderer(output, "findings")(found, len(read.declared.resources), failed, **more)

    shared.emit(terminal, common.outputs, render)
    if failed:
        return Exit.UNEXPECTED
    return Exit.INVALID if any(one.severity is Severity.ERROR for one in found) else Exit.OK


def _rooted(
    output: Output, common: Common, read: Read, said: "tuple[Iterable[Finding], tuple[Report, ...]]", *, online: bool
) -> dict[str, Any]:
    """What a format takes that names files from the repository's root."""
    from reconciler.cli import rooted

    found, reports = said
    files = [*read.texts, *(account.origin.file for account in read.declared.accounts.values())]
    files += [one.location.file for one in found if one.location is not None]  # also of what could not be read
    more: dict[str, Any] = {"places": rooted.places(common.paths, files, reports)}
    if output.format == "junit":
        more["files"] = read.texts
    if output.format == "sarif":
        names = ("+".join(rooted.under(common.paths)), common.account, "online" if online else "")
        more["scope"] = "/".join(filter(None, names))
    return more
