"""The one registry of formats: which a verb has, and how each is rendered. A new format is one file in report/, one word here."""

import importlib
from collections.abc import Callable
from typing import Any, Final

from reconciler.cli.common import Output
from reconciler.cli.terminal import Terminal
from reconciler.finding import Location
from reconciler.report.as_text.layout import Layout, no_frame

FORMATS: Final = {
    "validate": ("text", "json", "github", "sarif", "junit"),
    "plan": ("text", "json", "markdown", "html"),
    "apply": ("text", "json"),
    "status": ("text", "json"),
    "drift": ("text", "json"),
    "history": ("text", "json"),
}
FILE_COLUMNS: Final = 100


def renderer(output: Output, what: str) -> Callable[..., str]:
    """The function `what` (plan, findings, applied, status, drift, history) of the output's format; imported when it is asked for."""
    found: Callable[..., str] = getattr(importlib.import_module(f"reconciler.report.as_{output.format}"), what)
    return found


def compact(document: Any) -> str:
    """A small document as one line of JSON."""
    from reconciler.report import plain  # what most runs that say little need not load

    return plain.text(document, indent=None)


def provenance(output: Output, revision: Callable[[], str], under: tuple[str, ...]) -> dict[str, Any]:
    """The keyword argument that a comment takes: of which commit and files the plan is."""
    if output.format != "markdown":
        return {}
    from reconciler.report.review import Provenance

    return {"provenance": Provenance(revision=revision(), under=under)}


def layout(terminal: Terminal, output: Output, frame: Callable[[Location], str] = no_frame) -> dict[str, Any]:
    """The keyword arguments that only text takes: how wide, whether in colour, and the code frames."""
    if output.format != "text":
        return {}
    if output.file is not None:
        return {"layout": Layout(FILE_COLUMNS, color=False, frame=frame)}
    return {"layout": Layout(terminal.width, terminal.in_color, frame)}
