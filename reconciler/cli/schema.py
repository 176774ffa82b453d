"""`modelpolicy schema`: JSON Schema and CRDs from the kinds, and the schemas of our own outputs. Writes only under --out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from reconciler import schema, writer
from reconciler.cli import common as shared
from reconciler.cli import outfiles
from reconciler.cli.common import Common, Exit
from reconciler.cli.terminal import Terminal
from reconciler.kinds import registry
from reconciler.report.output_schemas import output_schemas

BUNDLE: Final = "modelpolicy.schema.json"


@click.command(
    epilog=shared.examples(
        ("modelpolicy schema > modelpolicy.schema.json", "every kind, for the YAML language server"),
        ("modelpolicy schema --out schemas/", "one file a kind, and the bundle"),
        ("modelpolicy schema --crds --out crds/", "what `kubectl apply -f crds/` wants"),
        ("modelpolicy schema --outputs --out schemas/", "the shapes of our own -o json"),
    )
)
@click.option("--crds", is_flag=True, help="CustomResourceDefinitions, as YAML.")
@click.option("--outputs", is_flag=True, help="The schemas of what -o json prints, by verb.")
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False), help="Write files into DIR instead of stdout.")
@shared.options()
@click.pass_obj
def command(terminal: Terminal, common: Common, crds: bool, outputs: bool, out: str | None) -> Exit:  # noqa: ARG001
    """Print the JSON Schema of the declarations (2020-12), or CRDs, or the schemas of the outputs: one origin for all."""
    if crds and outputs:
        raise click.UsageError("--crds and --outputs are two things: ask for one at a time")
    files = dict(schema.crds()) if crds else _outputs() if outputs else _kinds()
    if out is not None:
        writer.make_folder(out)
        outfiles.check(str(Path(out) / name) for name in files)
        for name, text in files.items():
            writer.write(Path(out) / name, text.encode())
            terminal.note(f"wrote {Path(out) / name}")
    elif crds:
        terminal.document("".join(text if text.startswith("---") else f"---\n{text}" for text in files.values()))
    else:
        terminal.document(_json(output_schemas()) if outputs else files[BUNDLE])
    return Exit.OK


def _kinds() -> dict[str, str]:
    files = {f"{kind.lower()}.schema.json": _json(schema.json_schema(kind)) for kind in registry()}
    return {**files, BUNDLE: _json(schema.bundle())}


def _outputs() -> dict[str, str]:
    return {f"output-{name}.schema.json": _json(one) for name, one in output_schemas().items()}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
