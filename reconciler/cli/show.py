"""`modelpolicy show`: renders a saved plan again, as it was reviewed. Reads one file; asks no platform, writes nothing."""

import click

from reconciler.cli import common as shared
from reconciler.cli import formats, opening, saved
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal
from reconciler.report import plan_file


@click.command(
    epilog=shared.examples(
        ("modelpolicy show the.plan", "what `apply --plan the.plan` would do"),
        ("modelpolicy show the.plan -o markdown", "for a pull request"),
        ("modelpolicy show the.plan -o html=plan.html", "a page to look at"),
    )
)
@click.argument("file", metavar="FILE", type=click.Path())
@shared.options(output=formats.FORMATS["plan"])
@click.pass_obj
def command(terminal: Terminal, common: Common, file: str) -> Exit:
    """Render the plan that `plan --out FILE` saved. An edited or damaged file is refused with exit 3."""
    kept = saved.read(file)
    late = plan_file.expired(kept, file, opening.clock()())
    if late is not None:
        terminal.note(f"Note: {late.message}; apply would refuse it")

    def render(output: Output) -> str:
        more = formats.layout(terminal, output)
        more |= formats.provenance(output, lambda: kept.terms.revision, kept.terms.declaration_set.under)
        return formats.renderer(output, "plan")(kept.report(), **more)

    shared.emit(terminal, common.outputs, render)
    return Exit.OK
