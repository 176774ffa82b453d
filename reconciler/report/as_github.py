"""Findings as GitHub's workflow commands, which become annotations on the lines they name. Pure.

A command is one line, `::error file=...,line=...,col=...,title=...::message`; what it holds is escaped as the runner's own
toolkit does, so that no value ends a line or a property, or starts a command of its own.
"""

from collections.abc import Iterable
from typing import Final

from reconciler.finding import Finding, Severity, in_order
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import count
from reconciler.state import Failure

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def findings(found: Iterable[Finding], resources: int, failed: Iterable[Failure] = ()) -> str:
    """One command a finding and a failure, and one plain line for the log."""
    ordered = in_order(found)
    lines = [f"::error title={_property(one.reason.value)}::{_data(one.message)}" for one in dict.fromkeys(failed)]
    lines += [_command(one) for one in ordered]
    errors = sum(one.severity is Severity.ERROR for one in ordered)
    others = count(len(ordered) - errors, "other finding")
    lines.append(f"modelpolicy checked {count(resources, 'resource')}: {count(errors, 'error')}, {others}")
    return "\n".join(lines) + "\n"


def _command(one: Finding) -> str:
    properties: dict[str, str] = {}
    if one.location is not None:
        properties["file"] = one.location.file
        if one.location.line:
            properties |= {"line": str(one.location.line), "col": str(one.location.column)}
    properties["title"] = f"{one.rule} ({one.resource})" if one.resource else one.rule
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{one.message}\n{one.hint}" if one.hint else one.message
    return f"::{_COMMANDS[one.severity]} {written}::{_data(message)}"


def _data(text: str) -> str:
    """As the runner reads a command's message back."""
    return _plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As the runner reads a command's property back."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """Without what a log viewer would act on: every invisible character but the end of a line is shown as an escape."""
    return "\n".join(safe(line) for line in text.split("\n"))
