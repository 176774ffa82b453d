"""`modelpolicy doctor`: what works on an account, and what to do about what does not. Only ever reads."""

import json
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import common as shared
from reconciler.cli import opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.platforms import Probe
    from reconciler.state import Operation, Support

    Examined = tuple[tuple[Probe, ...], Mapping[Operation, Support]]


@click.command(
    epilog=shared.examples(
        ("modelpolicy doctor", "every account declared here"),
        ("modelpolicy doctor policies/ --account prod -o json", ""),
    )
)
@shared.options("paths", "account", output=("text", "json"))
@click.pass_obj
def command(terminal: Terminal, common: Common) -> Exit:
    """Examine the accounts declared at PATH: reachability, credentials, clock, permissions, all by reading calls; and which
    operations are native, manual or unsupported there, each with what to do. Exits 1 when something does not work."""
    from reconciler.platforms import Connection, examine

    read = opening.read(common.paths)
    found: dict[str, Examined] = {}
    for name in opening.accounts(read.declared, common.account):
        spec = read.declared.accounts[name].spec
        found[name] = examine(spec, Connection(opening.clock(), create=False))
    shared.emit(terminal, common.outputs, lambda output: _rendered(found, output))
    good = all(probe.good for probes, _ in found.values() for probe in probes)
    return Exit.OK if good else Exit.UNEXPECTED


def _rendered(found: "dict[str, Examined]", output: Output) -> str:
    if output.format == "json":
        accounts = [_json(name, *examined) for name, examined in sorted(found.items())]
        return json.dumps({"format_version": "1.0", "accounts": accounts, "errors": []}, ensure_ascii=False)
    return "\n\n".join(_text(name, *examined) for name, examined in sorted(found.items()))


def _json(name: str, probes: "tuple[Probe, ...]", supports: "Mapping[Operation, Support]") -> dict[str, Any]:
    return {
        "account": name,
        "probes": [{"what": probe.what, "good": probe.good, "message": probe.message} for probe in probes],
        "operations": [
            {
                "operation": operation.value,
                "capability": support.capability.value,
                "page": support.page,
                "note": support.note,
            }
            for operation, support in supports.items()
        ],
    }


def _text(name: str, probes: "tuple[Probe, ...]", supports: "Mapping[Operation, Support]") -> str:
    from reconciler.report.as_text import safe

    lines = [f"Account {name}"]
    lines += [f"  {'ok  ' if probe.good else 'FAIL'}  {probe.what}: {safe(probe.message)}" for probe in probes]
    width = max((len(operation.value) for operation in supports), default=0)
    for operation, support in supports.items():
        lines.append(f"  {support.capability.value:<11}  {operation.value:<{width}}  {safe(support.note)}".rstrip())
        if support.page:
            lines.append(f"  {'':<11}  {'':<{width}}  {support.page}")
    return "\n".join(lines)
