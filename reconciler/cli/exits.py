"""What the exit code says, and which one is returned when several conditions hold. Pure: reports in, a code out."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.report import Report
    from reconciler.state import Outcome


class Exit(IntEnum):
    """The exit codes of every verb; they never change their meaning."""

    OK = 0
    UNEXPECTED = 1
    CHANGES = 2
    INVALID = 3
    REFUSED = 4
    STALE = 5
    LOCKED = 6
    PARTIAL = 7
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


# What each code tells, and what to do about it: the text of `explain 3`. What it means never changes.
MEANING: Final = {
    Exit.OK: "Fine. What was asked for is done, or there was nothing to do.",
    Exit.UNEXPECTED: "The world failed: the platform, the ledger, the network or the credentials. Whatever was done before is in "
    "the journal, so the same command may be run again. `doctor` examines an account.",
    Exit.CHANGES: "There is something to do: changes (`plan` and `apply` with --detailed-exitcode), drift (`drift`), files that "
    "are not in order (`fmt --check`), something that is not ready or does not serve (`status --exit-code`).",
    Exit.INVALID: "The input is invalid: there are error findings, each with its file, line and column. Nothing was written "
    "because of them.",
    Exit.REFUSED: "A guard judged the plan to be a likely mistake, before its first write. Change the declarations, or allow it "
    "with --allow GUARD --reason TEXT.",
    Exit.STALE: "What was reviewed no longer holds: the platform, the files or the saved plan changed since. Plan again.",
    Exit.LOCKED: "Another run holds the account's lock. Wait for it; where it is dead, `unlock` frees the account.",
    Exit.PARTIAL: "Some changes failed or could not be confirmed, the others are done. Run apply again: it does the rest.",
    Exit.USAGE: "The command line is wrong: an unknown verb, flag or name. The message says which, and what is near to it.",
    Exit.INTERRUPTED: "Interrupted by Ctrl-C. What was in flight was finished and journaled; run it again to go on.",
    Exit.TERMINATED: "Stopped by SIGTERM. What was in flight was finished and journaled; run it again to go on.",
}

# When several conditions hold, the first of these that holds is returned.
PRECEDENCE: Final = (
    Exit.TERMINATED,
    Exit.INTERRUPTED,
    Exit.USAGE,
    Exit.UNEXPECTED,
    Exit.LOCKED,
    Exit.INVALID,
    Exit.REFUSED,
    Exit.STALE,
    Exit.PARTIAL,
    Exit.CHANGES,
    Exit.OK,
)


def first(codes: Iterable[Exit]) -> Exit:
    """The one code to return where each of `codes` holds; OK where there is none."""
    return min(codes, key=PRECEDENCE.index, default=Exit.OK)


def of(reports: Iterable[Report], *, detailed: bool = False) -> Exit:
    """The exit code of a run over these accounts; `detailed` makes changes, deferred and manual ones too, exit 2."""
    return first(code for report in reports for code in _conditions(report, detailed))


def _in_doubt(outcome: Outcome) -> bool:
    """Whether it was written and a read did not prove it, although it could: that is no success yet."""
    return outcome.result.value == "applied" and not (outcome.confirmed or outcome.accepted)


def _only_missing(report: Report) -> bool:
    """Whether all that is wrong is that a PATH is not there from which items are owned: the guard says that, and is refused."""
    refused = any(each.id == "source-empty" and each.verdict.value == "refused" for each in report.plan.guards)
    errors = [found for found in report.relevant if found.severity.value == "error"]
    return refused and all(found.rule == "unreadable" for found in errors)


def _conditions(report: Report, detailed: bool) -> Iterator[Exit]:
    plan = report.plan
    if report.interrupted:
        yield Exit.INTERRUPTED
    if report.failures or plan.errors:
        yield Exit.UNEXPECTED
    if any(found.severity.value == "error" for found in report.relevant) and not _only_missing(report):
        yield Exit.INVALID
    if any(verdict.verdict.value == "refused" for verdict in plan.guards):
        yield Exit.REFUSED
    for outcome in report.outcomes:
        if outcome.stale:
            yield Exit.STALE
        elif outcome.result.value in ("failed", "skipped") or _in_doubt(outcome):
            yield Exit.PARTIAL
    if detailed and plan.changes:
        yield Exit.CHANGES
