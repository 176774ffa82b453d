"""`kubectl modelpolicy`: the plugin. kubectl finds it as `kubectl-modelpolicy` on the PATH."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from reconciler.cli import common as shared
from reconciler.cli import endings, exits, formats, from_cluster, placing
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.placing import Place
from reconciler.cli.terminal import Terminal


@click.group(
    name="kubectl modelpolicy", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def group() -> None:
    """Model access policies of a cluster: what is declared by its custom resources."""


@group.command(
    epilog=shared.examples(
        ("kubectl modelpolicy plan", "what the operator would do now"),
        ("kubectl modelpolicy plan -f limit.yaml", "and if that file were applied"),
        ("kubectl modelpolicy plan -f policies/ -n team-a -o markdown", ""),
    )
)
@click.option("--filename", "-f", "files", multiple=True, metavar="PATH", help="As if these were applied (repeatable).")
@placing.options
@shared.options("account", "target", output=("text", "json", "markdown"))
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there are changes.")
@click.pass_obj
def plan(terminal: Terminal, /, common: Common, files: tuple[str, ...], detailed_exitcode: bool, **place: Any) -> Exit:
    """Show what the operator would change on the platform, before anything is applied. Writes nothing."""
    where = Place(**place)
    reports = (
        from_cluster.preview(where, files) if files else from_cluster.reports(where, common.account, common.targets)
    )

    def render(output: Output) -> str:
        return formats.renderer(output, "plan")(*reports, **formats.layout(terminal, output))

    shared.emit(terminal, common.outputs, render)
    return exits.of(reports, detailed=detailed_exitcode)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The console script."""
    sys.exit(endings.run(group, sys.argv[1:] if args is None else list(args)))
