"""Every output as JSON, for machines: one valid document on every exit, the same bytes for the same values.

Pure: values in, text out. The shapes are published: all of them by `output_schemas`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.finding import Finding, in_order
from reconciler.plan.drift import Drift
from reconciler.report import Report, plain
from reconciler.report.plain import FORMAT_VERSION, moment
from reconciler.state import (
    UNOBSERVABLE,
    Endpoint,
    Entry,
    Failure,
    FreeTokens,
    Limit,
    Model,
    Outcome,
    Rate,
    Result,
    Run,
    Seen,
    Snapshot,
    Target,
)
from reconciler.status import ResourceStatus
from reconciler.status.codec import plain_condition


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


def status(*reports: Report) -> str:
    """How every model, endpoint and resource stands."""
    return plain.text(plain.document([_status(report) for report in reports], "accounts"))


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
        "target": _target(outcome.target, snapshot),
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
        "errors": plain.failures(report.failures),
    }


def _status(report: Report) -> dict[str, Any]:
    snapshot = report.snapshot
    intended = _plan(report)
    return {
        "format_version": FORMAT_VERSION,
        "account": report.plan.account,
        "platform": report.account.spec.platform.value,
        "observed_at": moment(snapshot.observed_at) if snapshot else None,
        "switches": _switches(snapshot) if snapshot else None,
        "links": _links(snapshot) if snapshot else None,
        "models": [_model(model) for _, model in sorted(snapshot.models.items())] if snapshot else [],
        "endpoints": _endpoints(snapshot) if snapshot else [],
        "resources": [_resource(one, snapshot) for one in report.statuses],
        "capabilities": {
            operation.value: {"capability": support.capability.value, "page": support.page, "note": support.note}
            for operation, support in sorted(report.capabilities.items())
        },
        "findings": intended["findings"],
        "errors": intended["errors"],
    }


def _switches(snapshot: Snapshot) -> dict[str, Any]:
    switches = snapshot.switches
    return {
        "free_tokens_only": plain.value(switches.free_tokens_only),
        "auto_activation": plain.value(switches.auto_activation),
        "ever_activated": plain.value(switches.ever_activated),
        "verified": plain.value(switches.verified),
    }


def _links(snapshot: Snapshot) -> dict[str, str]:
    links = snapshot.links
    return {
        "models": links.models,
        "prices": links.prices,
        "bills": links.bills,
        "activations": links.activations,
        "ticket": links.ticket,
    }


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "display_name": model.display_name,
        "domain": model.domain,
        "deprecated": model.deprecated,
        "billing": _word(model.billing),
        "state": _word(model.state),
        "sub_services": plain.value(model.sub_services),
        "free_tokens": _free_tokens(model.free_tokens),
        "limit": _limit(model.limit),
        "rate_limit": _rate(model.rate_limit),
        "prices": [{"item": price.item, "amount": price.amount, "unit": price.unit} for price in model.prices],
        "paused": {"reason": model.pause.reason.value, "since": moment(model.pause.since)} if model.pause else None,
        "docs_url": model.docs_url,
    }


def _word(seen: Any) -> Any:
    return plain.value(seen) if seen is UNOBSERVABLE else seen.value


def _free_tokens(seen: Seen[FreeTokens]) -> Any:
    if not isinstance(seen, FreeTokens):
        return plain.value(seen)
    return {
        "total": seen.total,
        "consumed": seen.consumed,
        "remaining": seen.remaining,
        "observed_at": moment(seen.observed_at),
    }


def _limit(seen: Seen[Limit]) -> Any:
    if not isinstance(seen, Limit):
        return plain.value(seen)
    return {
        "tokens": seen.tokens,
        "used": seen.used,
        "effective_at": moment(seen.effective_at),
        "observed_at": moment(seen.observed_at),
    }


def _rate(seen: Seen[Rate]) -> Any:
    return {"rpm": seen.rpm, "tpm": seen.tpm} if isinstance(seen, Rate) else plain.value(seen)


def _endpoints(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [_endpoint(endpoint, snapshot) for _, endpoint in sorted(snapshot.endpoints.items())]


def _endpoint(endpoint: Endpoint, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "model": endpoint.model,
        "model_version": endpoint.model_version,
        "status": endpoint.status,
        "override": _rate(endpoint.override),
        "effective": _rate(snapshot.effective_rate(endpoint)),
        "scale_tier": plain.value(endpoint.scale_tier),
        "model_units": plain.value(endpoint.model_units),
        "batch_only": plain.value(endpoint.batch_only),
    }


def _target(item: Target, snapshot: Snapshot | None) -> dict[str, Any]:
    """Which item, with the name that the platform has for it."""
    endpoint = snapshot.endpoints.get(item.name) if snapshot else None
    return plain.target(item, endpoint.name if endpoint else "")


def _resource(status: ResourceStatus, snapshot: Snapshot | None) -> dict[str, Any]:
    return {
        "address": status.address,
        "kind": status.kind,
        "target": _target(status.target, snapshot) if status.target else None,
        "conditions": [plain_condition(condition) for condition in status.conditions],
        "details": dict(status.details),
        "observed_generation": status.observed_generation,
        "next_attempt": moment(status.next_attempt),
    }


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
