"""`modelpolicy status`: how every model, endpoint and resource stands. Does not write anywhere."""

import click

from reconciler.cli import common as shared
from reconciler.cli import exits, formats, looking, opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal


@click.command(
    epilog=shared.examples(
        ("modelpolicy status policies/", "models that are declared, activated, used or limited"),
        ("modelpolicy status --all", "the whole catalogue, with prices"),
        ("modelpolicy status -o json", "for a program"),
    )
)
@shared.options("paths", "account", "ledger", "set", output=("text", "json"))
@click.option("--all", "every", is_flag=True, help="Every model of the platform's catalogue.")
@click.pass_obj
def command(terminal: Terminal, common: Common, every: bool) -> Exit:
    """Show how everything stands: for each model its activation state, free quota, limit use, prices of inference, LoRA and
    full fine-tuning, and rate; for each endpoint its override and the rate that holds; for each resource its conditions.
    """
    read = opening.read(common.paths)
    reports = looking.reports(common, read)

    def render(output: Output) -> str:
        more = formats.layout(terminal, output)
        if output.format == "text":
            more["every"] = every
        return formats.renderer(output, "status")(*reports, **more)

    shared.emit(terminal, common.outputs, render)
    return exits.of(reports)
