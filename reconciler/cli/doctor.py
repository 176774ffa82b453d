"""`modelpolicy doctor`: what works on an account, and what to do about what does not. Only ever reads."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import common as shared
from reconciler.cli import formats, opening
from reconciler.cli.common import Common, Exit, Output
from reconciler.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.platforms import Probe
    from reconciler.report.as_text.layout import Page
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
        opening.exists(read.declared.accounts[name])
        spec = read.declared.accounts[name].spec
        found[name] = examine(spec, Connection(opening.clock(), create=False))
    shared.emit(terminal, common.outputs, lambda output: _rendered(found, terminal, output))
    good = all(probe.good for probes, _ in found.values() for probe in probes)
    return Exit.OK if good else Exit.UNEXPECTED


def _rendered(found: "dict[str, Examined]", terminal: Terminal, output: Output) -> str:
    if output.format == "json":
        accounts = [_json(name, *examined) for name, examined in sorted(found.items())]
        return formats.compact({"format_version": "1.0", "accounts": accounts, "errors": []})
    page: Page = formats.layout(terminal, output)["layout"].page()
    for name, examined in sorted(found.items()):
        _text(page, name, *examined)
    return page.text()


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


def _text(page: "Page", name: str, probes: "tuple[Probe, ...]", supports: "Mapping[Operation, Support]") -> None:
    """What works, then what is done by itself, then by page what a person does."""
    from reconciler.report.as_text.layout import Span

    page.gap()
    page.line("Account ", Span(name, "bold"))
    page.rows(
        [(Span("ok", "good") if one.good else Span("FAIL", "error"), one.what, one.message) for one in probes], indent=2
    )
    by_page: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for operation, support in supports.items():
        by_page.setdefault((support.capability.value, support.page), []).append((operation.value, support.note))
    for (capability, where), operations in by_page.items():
        page.gap()
        if not where and not any(note for _, note in operations):
            page.wrapped(Span(capability, "bold"), ": ", ", ".join(each for each, _ in operations), indent=2, hang=4)
            continue
        page.wrapped(Span(capability, "bold"), f", on {where}" if where else "", indent=2)
        page.rows(operations, indent=4)
