"""One thing wrong or notable in what the user declared: values only, no I/O, never raised.

The loader, the rules, the constraints and the guards all speak in findings; every output renders the same ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.reasons import Reason


class Severity(StrEnum):
    """error: the resource's changes do not happen. warning: they do, look at it. info: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a declaration: `file` as given by the user (POSIX, relative where it was), line and column from 1.

    In a cluster `file` is "Kind/namespace/name" and line and column are 0.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` is a permanent kebab-case id; `message` says what is wrong with which name and value and why it matters;
    `hint` says what to do ("" where there is nothing to do); `resource` is an address ("Kind/name") or None.

    `reason` is what the finding becomes in a condition; None where it becomes none. `follows` is the place of another finding
    without which this one would not be, such as an account that could not be loaded.
    """

    rule: str
    severity: Severity
    message: str
    hint: str = ""
    location: Location | None = None
    resource: str | None = None
    reason: Reason | None = None
    follows: Location | None = None


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without repeats: errors, then warnings, then infos; within each by file, line, column, then rule and
    message. Same input, same order."""

    def key(found: Finding) -> tuple[int, bool, Location, str, str, str]:
        return (
            _RANK[found.severity],
            found.location is None,
            found.location or Location(""),
            found.rule,
            found.resource or "",
            found.message,
        )

    return tuple(dict.fromkeys(sorted(findings, key=key)))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Only the findings that stop something."""
    return tuple(found for found in findings if found.severity is Severity.ERROR)
