"""How an account stands, as plain values: the `accounts` of `status -o json` and of status.json. Pure."""

from typing import Any

from reconciler.report import Report, plain
from reconciler.report.by_model import Account
from reconciler.report.plain import FORMAT_VERSION, moment
from reconciler.report.problems import Problem
from reconciler.report.selection import Chosen, Selection, choose, problems
from reconciler.report.status_words import STEPS, WHO
from reconciler.report.steps import Step
from reconciler.state import UNOBSERVABLE, Endpoint, FreeTokens, Limit, Model, Rate, Seen, Snapshot, Target
from reconciler.status import ResourceStatus
from reconciler.status.codec import plain_condition


def of(report: Report, selection: Selection) -> dict[str, Any]:
    """One account: what is asked for of its models, endpoints and resources, and all that is wrong with those."""
    account, snapshot = Account(report), report.snapshot
    chosen = choose(account, selection.names) if selection.names else None
    found = problems(account, selection, chosen)
    if selection.problems:
        chosen = _wrong(found)
    models = sorted(snapshot.models.items()) if snapshot else []
    endpoints = sorted(snapshot.endpoints.items()) if snapshot else []
    return {
        "format_version": FORMAT_VERSION,
        "account": report.plan.account,
        "platform": report.account.spec.platform.value,
        "observed_at": moment(snapshot.observed_at) if snapshot else None,
        "problems": [_problem(one) for one in found],
        "switches": _switches(snapshot) if snapshot else None,
        "links": _links(snapshot) if snapshot else None,
        "models": [_model(one) for name, one in models if chosen is None or name in chosen.models | chosen.around],
        "endpoints": [
            _endpoint(one, snapshot)
            for id_, one in endpoints
            if snapshot and (chosen is None or id_ in chosen.endpoints)
        ],
        "resources": [
            _resource(one, snapshot) for one in report.statuses if chosen is None or one.address in chosen.addresses
        ],
        "capabilities": {
            operation.value: {"capability": support.capability.value, "page": support.page, "note": support.note}
            for operation, support in sorted(report.capabilities.items())
        },
        "findings": [plain.finding(one) for one in report.relevant],
        "errors": plain.failures((*report.plan.errors, *report.failures)),
    }


def target(item: Target, snapshot: Snapshot | None) -> dict[str, Any]:
    """Which item, with the name that the platform has for it."""
    endpoint = snapshot.endpoints.get(item.name) if snapshot else None
    return plain.target(item, endpoint.name if endpoint else "")


def _wrong(found: tuple[Problem, ...]) -> Chosen:
    """What the problems are about."""
    return Chosen(
        models=frozenset(one.model for one in found if one.model),
        endpoints=frozenset(one.endpoint for one in found if one.endpoint),
        addresses=frozenset(one.address for one in found if one.address),
    )


def _problem(one: Problem) -> dict[str, Any]:
    kind = "resource" if one.address else "endpoint" if one.endpoint else "model"
    return {
        "kind": kind,
        "name": one.address or one.endpoint or one.model,
        "model": one.model,
        "reason": one.word,
        "message": one.message,
        "fails": one.fails,
        "since": moment(one.since),
        "expected": moment(one.expected),
        "next": _step(one.step),
    }


def _step(step: Step) -> dict[str, Any]:
    values = {key: f"{value:,}" if isinstance(value, int) else value for key, value in step.values.items()}
    return {
        "id": step.key,
        "text": STEPS[step.key][0].format(**values),
        "by": step.who,
        "who": WHO[step.who][0],
        "where": plain.location(step.where),
        "page": step.url,
        "not_before": moment(step.not_before),
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


def _resource(status: ResourceStatus, snapshot: Snapshot | None) -> dict[str, Any]:
    return {
        "address": status.address,
        "kind": status.kind,
        "target": target(status.target, snapshot) if status.target else None,
        "conditions": [plain_condition(condition) for condition in status.conditions],
        "details": dict(status.details),
        "observed_generation": status.observed_generation,
        "next_attempt": moment(status.next_attempt),
    }
