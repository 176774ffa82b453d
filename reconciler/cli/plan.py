"""`modelpolicy plan`: what would change and why, read live. Does not write to the platform or the ledger."""

from functools import cache
from typing import Any

import click

from reconciler.cli import committed, exits, formats, looking, opening, placing, saved
from reconciler.cli import common as shared
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.endings import Stop
from reconciler.cli.placing import Place
from reconciler.cli.terminal import Terminal
from reconciler.finding import errors
from reconciler.plan import VerdictKind
from reconciler.report import Report
from reconciler.report.as_text import words


@click.command(
    epilog=shared.examples(
        ("modelpolicy plan policies/", "what would change, and why"),
        ("modelpolicy plan policies/ --prune", "also take back what is no longer declared"),
        ("modelpolicy plan --target InferenceLimit/search", "only what one resource declares"),
        ("modelpolicy plan -o markdown=plan.md -o text", "for the pull request and for you"),
        ("modelpolicy plan -o json | jq .summary", "for a program"),
        ("modelpolicy plan --out the.plan", "save it, for apply --plan the.plan"),
        ("modelpolicy plan --detailed-exitcode", "exit 2 where there are changes"),
        ("modelpolicy plan --from-cluster -n team-a", "what the operator would do"),
    )
)
@shared.options("paths", "account", "target", "ledger", "set", output=("text", "json", "markdown", "html"))
@click.option("--prune", is_flag=True, help="Plan to revert owned items whose declaration under PATH is gone.")
@click.option("--out", metavar="FILE", type=click.Path(), help="Save the plan, to be shown and applied as it is, once.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there are changes, waiting and manual ones too.")
@click.option("--from-cluster", "cluster", is_flag=True, help="What custom resources declare, as the operator sees it.")
@placing.options
@click.pass_obj
def command(
    terminal: Terminal, /, common: Common, prune: bool, out: str | None, detailed_exitcode: bool, **more: Any
) -> Exit:
    """Show what would change to make the platform as declared at PATH (default: the working directory).

    Reads the platform live; never writes. Reverts and refusals come first, then every change by model.
    """
    if more.pop("cluster"):
        if common.paths or out is not None or prune:
            raise click.UsageError(
                "--from-cluster takes no PATH, no --out and no --prune: the operator has none either"
            )
        return _from_cluster(terminal, common, Place(**more), detailed=detailed_exitcode)
    if any(more.values()):
        raise click.UsageError("--kubeconfig, --context and --namespace go with --from-cluster")
    read = opening.read(common.paths)
    everyone = looking.asked(common, read, prune=prune, standing=False)
    revision = cache(lambda: committed.revision(read.texts, common.paths))
    reports = looking.at(common, everyone)
    not_empty(common, read, reports)
    if out is not None:
        kept = saved.save(out, everyone, reports, revision())
        terminal.note(f"Saved to {out}, good for one apply --plan until {words.moment(kept.terms.expires_at)}")

    def render(output: Output) -> str:
        more = formats.layout(terminal, output, read.frame)
        more |= formats.provenance(output, revision, everyone[0].declaration_set.under if everyone else ())
        return formats.renderer(output, "plan")(*reports, **more)

    shared.emit(terminal, common.outputs, render)
    return exits.of(reports, detailed=detailed_exitcode)


def not_empty(common: Common, read: opening.Read, reports: tuple[Report, ...]) -> None:
    """End with exit 3 where a PATH that was given holds no policy; where items are owned from it, a guard says so."""
    empty = opening.nothing_at(common.paths, read)
    guards = (said for report in reports for said in report.plan.guards if said.id == "source-empty")
    if errors(read.findings):
        return  # what could not be read is told, and may be what is missing
    if empty and all(said.verdict is VerdictKind.PASSED for said in guards):
        raise Stop(empty, Exit.INVALID)


def _from_cluster(terminal: Terminal, common: Common, place: Place, *, detailed: bool) -> Exit:
    from reconciler.cli import from_cluster  # the client of Kubernetes is heavy, and most plans are of files

    reports = from_cluster.reports(place, common.account, opening.targets(common.targets))

    def render(output: Output) -> str:
        return formats.renderer(output, "plan")(*reports, **formats.layout(terminal, output))

    shared.emit(terminal, common.outputs, render)
    return exits.of(reports, detailed=detailed)
