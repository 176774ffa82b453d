"""`kubectl modelpolicy`: the plugin. kubectl finds it as `kubectl-modelpolicy` on the PATH."""

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NoReturn

import click

from reconciler.cli import common as shared
from reconciler.cli import endings, exits, formats, from_cluster, origin, placing, streams
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.placing import Place
from reconciler.cli.terminal import Terminal
from reconciler.kinds import registry
from reconciler.kinds.annotations import ATTESTED
from reconciler.report.as_text import safe
from reconciler.sources.kube import client


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


@group.command(
    epilog=shared.examples(
        ("kubectl modelpolicy attest InferenceLimit/doubao-seed-1-6", "you have set it on the console page"),
        ('kubectl modelpolicy attest InferenceLimit/team-a/doubao-seed-1-6 --by "Li Lei"', "somebody else has"),
    )
)
@click.argument("address", metavar="KIND/[NAMESPACE/]NAME")
@click.option("--by", metavar="NAME", help="Who did it (default: you, as user@host).")
@placing.options
@click.pass_obj
def attest(terminal: Terminal, /, address: str, by: str | None, **place: Any) -> Exit:
    """Record on a resource that a person did what its status calls manual.

    It is said of the spec as it is now, and ends when that is changed or the platform shows otherwise. The operator takes it
    up only where the platform cannot show how things are.
    """
    where, who = Place(**place), by or origin.actor()
    kind, said, name = _parts(address)
    with closing(client.connect(where.kubeconfig, where.context)) as connected:
        namespace = said or (where.namespaces[0] if where.namespaces else connected.namespace)
        at = client.path_of(registry()[kind], namespace, name)
        generation = connected.request("GET", at)["metadata"]["generation"]
        connected.merge(at, {"metadata": {"annotations": {ATTESTED: f"{generation}: {who}"}}})
    terminal.artefact(safe(f"{kind}/{namespace}/{name}: attested by {who}, of generation {generation}"))
    return Exit.OK


def _parts(address: str) -> tuple[str, str, str]:
    """The kind, namespace ("" where none is said) and name of a policy."""
    kind, *rest = address.split("/")
    kinds = [each for each, known in registry().items() if known.governs and each != "PlatformAccount"]
    if kind not in kinds or len(rest) not in (1, 2) or not all(rest):
        raise click.UsageError(f"{address!r} is no KIND/[NAMESPACE/]NAME of a policy; the kinds are {', '.join(kinds)}")
    return kind, rest[0] if len(rest) == 2 else "", rest[-1]


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The console script."""
    streams.secure()
    sys.exit(endings.run(group, sys.argv[1:] if args is None else list(args)))
