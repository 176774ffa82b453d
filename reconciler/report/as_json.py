"""Every output as JSON, for machines: one valid document on every exit, the same bytes for the same values.

Pure: values in, text out. The shapes are published: all of them by `output_schemas`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.finding import Finding, in_order
from reconciler.plan.drift import Drift, uncompared
from reconciler.report import Report, json_status, plain
from reconciler.report.plain import FORMAT_VERSION, moment
from reconciler.report.selection import EVERYTHING, Selection
from reconciler.state import (
    Entry,
    Failure,
    Outcome,
    Result,
    Run,
    Snapshot,
)


def plan(*reports: Report) -> str:
    """The plans of one or several accounts."""
    return plain.text(plain.document([_plan(report) for report in reports], "plans"))


def findings(found: Iterable[Finding], resources: int, failed: Iterable[Failure] = ()) -> str:
    """What `validate` says of `resources` documents."""
    return plain.text(
        {
            "format_version": FORMAT_VERSION,
            "resources": resources,
            "findings": [plain.finding(one) for one in in_order(found)],
            "errors": plain.failures(failed),
        }
    )


def applied(*reports: Report) -> str:
    """What became of each change."""
    return plain.text(plain.document([_applied(report) for report in reports], "accounts"))


def status(*reports: Report, selection: Selection = EVERYTHING) -> str:
    """How models, endpoints and resources stand, and what is wrong: of all, or of what is asked for."""
    return plain.text(plain.document([json_status.of(report, selection) for report in reports], "accounts"))


def drift(*seen: tuple[Report, Sequence[Drift], Sequence[Finding]]) -> str:
    """What differs in each account, and which side moved; the findings are its unmanaged items."""
    return plain.text(plain.document([_drift(*one) for one in seen], "accounts"))


def history(runs: Iterable[tuple[Run, Sequence[Entry] | None]]) -> str:
    """The journal's runs in the order given; entries are null where only the list of runs was asked for."""
    return plain.text({"format_version": FORMAT_VERSION, "runs": [_run(*one) for one in runs], "errors": []})


def error_document(message: str, reason: str) -> str:
    """What stands on stdout when a verb could not get as far as its own document."""
    return plain.text(
        {"format_version": FORMAT_VERSION, "errors": [{"reason": reason, "code": "", "message": message}]}
    )


def _plan(report: Report) -> dict[str, Any]:
    return plain.plan(report.plan, report.started_at, report.failures, report.relevant)


def _applied(report: Report) -> dict[str, Any]:
    summary = dict.fromkeys((result.value for result in Result), 0)
    for outcome in report.outcomes:
        summary[outcome.result.value] += 1
    intended = _plan(report)
    return {
        "format_version": FORMAT_VERSION,
        "account": report.plan.account,
        "run": report.run,
        "started_at": moment(report.started_at),
        "finished_at": moment(report.finished_at),
        "interrupted": report.interrupted,
        "summary": summary,
        "outcomes": [_outcome(outcome, report.snapshot) for outcome in report.outcomes],
        "next_wake": moment(report.next_wake),
        "plan": {key: intended[key] for key in ("inputs_digest", "observed_at", "summary", "changes", "guards")},
        "findings": intended["findings"],
        "errors": intended["errors"],
    }


def _outcome(outcome: Outcome, snapshot: Snapshot | None) -> dict[str, Any]:
    return {
        "address": outcome.address,
        "target": json_status.target(outcome.target, snapshot),
        "result": outcome.result.value,
        "reason": outcome.reason.value if outcome.reason else None,
        "code": outcome.code,
        "message": outcome.message,
        "confirmed": outcome.confirmed,
        "stale": outcome.stale,
        "not_before": moment(outcome.not_before),
    }


def _drift(report: Report, drifts: Sequence[Drift], unmanaged: Sequence[Finding]) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "account": report.plan.account,
        "observed_at": moment(report.snapshot.observed_at) if report.snapshot else None,
        "drifts": [
            {
                "address": one.address,
                "target": plain.target(one.target, one.target_name),
                "moved": one.moved.value,
                "equal_at": moment(one.equal_at),
                "origin": plain.location(one.origin),
                "fields": [
                    {
                        "path": field.path,
                        "declared": plain.value(field.declared),
                        "applied": plain.value(field.applied),
                        "live": plain.value(field.live),
                        "moved": field.moved.value,
                    }
                    for field in one.fields
                ],
            }
            for one in drifts
        ],
        "unmanaged": [plain.finding(one) for one in unmanaged],
        "errors": [*plain.failures(report.failures), *map(_uncompared, uncompared(report.relevant, report.declared))],
    }


def _uncompared(found: Finding) -> dict[str, Any]:
    """A finding that kept something from being compared, as an error: where it is and what is wrong there."""
    where = f"{found.location}: " if found.location else ""
    reason = found.reason.value if found.reason else "Invalid"
    return {"reason": reason, "code": found.rule, "message": f"{where}{found.message}", "retry_after_s": None}


def _run(run: Run, entries: Sequence[Entry] | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "account": run.account,
        "operation": run.operation,
        "actor": run.actor,
        "revision": run.revision,
        "reason": run.reason,
        "plan": run.plan,
        "set": run.set_name,
        "link": run.link,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "result": run.result,
        "entries": None if entries is None else [_entry(entry) for entry in entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": moment(entry.at),
        "address": entry.address,
        "target": entry.target,
        "action": entry.action,
        "before": plain.fields(entry.before),
        "after": plain.fields(entry.after),
        "result": entry.result,
        "message": entry.message,
        "finished_at": moment(entry.finished_at),
    }
