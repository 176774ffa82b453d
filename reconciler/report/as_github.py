"""Findings as GitHub's workflow commands, which become annotations on the lines they name. Pure.

A command is one line, `::error file=...,line=...,col=...,title=...::message`; what it holds is escaped as the runner's own
toolkit does, so that no value ends a line or a property, or starts a command of its own.

GitHub keeps at most ten annotations of a level from one step and drops the rest without a word. So the last of ten says how
many more there are, and those are plain lines of the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.finding import Finding, Severity, in_order
from reconciler.report.as_text import safe
from reconciler.report.as_text.words import count
from reconciler.report.folding import followers
from reconciler.report.places import Places
from reconciler.state import Failure

MOST: Final = 10  # annotations of one level in one step
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def findings(
    found: Iterable[Finding], resources: int, failed: Iterable[Failure] = (), places: Places | None = None
) -> str:
    """A command for each failure and finding as far as GitHub shows them, errors first, and plain lines for the log."""
    ordered, where = in_order(found), places or Places()
    failures = [_Said("error", one.reason.value, one.message) for one in dict.fromkeys(failed)]
    later = followers(ordered)  # a place on the page is for what is wrong, not for what follows from it
    said = [*failures, *(_said(one, where) for one in sorted(ordered, key=later.__contains__))]
    commands, rest = [], []
    for level in _COMMANDS.values():
        shown, more = _parted([one for one in said if one.level == level], level)
        commands += shown
        rest += more
    errors = sum(one.severity is Severity.ERROR for one in ordered)
    others = count(len(ordered) - errors, "other finding")
    last = f"modelpolicy checked {count(resources, 'resource')}: {count(errors, 'error')}, {others}"
    return "\n".join([*commands, *rest, last]) + "\n"


@dataclass(frozen=True, slots=True)
class _Said:
    """One annotation: how loud, its title, what it says, and its place as properties (`at`) and as a text (`place`)."""

    level: str
    title: str
    message: str
    at: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    def command(self) -> str:
        properties = ",".join(f"{key}={_property(value)}" for key, value in {**self.at, "title": self.title}.items())
        return f"::{self.level} {properties}::{_data(self.message)}"

    def line(self) -> str:
        """The same as a line of the log, which no runner takes for a command."""
        place = f" {self.place}" if self.place else ""
        return safe(f"{self.level}{place} {self.title}: {' '.join(self.message.split())}")


def _parted(said: list[_Said], level: str) -> tuple[list[str], list[str]]:
    """The commands that GitHub will show, and the rest as lines of the log."""
    if len(said) <= MOST:
        return [one.command() for one in said], []
    shown, rest = said[: MOST - 1], said[MOST - 1 :]
    more = _Said(
        level,
        f"{len(rest):,} more",
        f"{len(rest):,} more of this level are not shown here; the log of this step has them.",
    )
    return [*(one.command() for one in shown), more.command()], [one.line() for one in rest]


def _said(one: Finding, places: Places) -> _Said:
    place = places.of(one)
    message = f"{one.message}\n{one.hint}" if one.hint else one.message
    title = f"{one.rule} ({one.resource})" if one.resource else one.rule
    shown = str(place) if place.own else ""
    if not (place.own and place.inside):  # GitHub shows files of the repository only
        return _Said(_COMMANDS[one.severity], title, f"{shown}: {message}" if shown else message, place=shown)
    at = {"file": place.path, "line": str(place.line), "col": str(place.column)}
    return _Said(_COMMANDS[one.severity], title, message, at, shown)


def _data(text: str) -> str:
    """As the runner reads a command's message back."""
    return _plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As the runner reads a command's property back."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """Without what a log viewer would act on: every invisible character but the end of a line is shown as an escape."""
    return "\n".join(safe(line) for line in text.split("\n"))
