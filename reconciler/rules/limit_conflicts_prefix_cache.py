"""An inference limit and the prefix cache (sub-service context-cache) exclude each other on one model (S23).

Why: while one of them is on, the platform refuses the other. Both ways, and whether they are declared or live.
What to do: remove the limit, or declare subServices without context-cache.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Severity
from reconciler.kinds.declared import observes
from reconciler.kinds.model_activation import ModelActivationSpec, SubService
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import others
from reconciler.state import Limit

_CACHE = SubService.CONTEXT_CACHE


def _declares_cache(spec: ModelActivationSpec) -> bool:
    return _CACHE in (spec.sub_services or ())


def _limits(context: Context) -> Iterator[Finding]:
    models = context.snapshot.models if context.snapshot else {}
    caches = {one.spec.model for one in context.declared.activations if _declares_cache(one.spec)}
    for limit in context.declared.limits:
        name = limit.spec.model
        if name not in caches and name not in models:
            continue
        activations = context.declared.activations_by_model.get(name, ())
        with_cache = [one for one in activations if _declares_cache(one.spec)]
        managed = any(one.spec.sub_services is not None and not observes(context.account, one) for one in activations)
        services = models[name].sub_services if name in models else ()
        if with_cache:
            why = f"{others(with_cache)} turns its prefix cache on"
        elif not managed and isinstance(services, tuple) and _CACHE in services:
            why = "its prefix cache is on, on the platform"
        else:
            continue
        yield RULE.finding(
            f"{name} cannot have a limit: {why}, and the two exclude each other",
            limit,
            limit.at("spec"),
            hint=f"Remove the limit, or declare subServices of {name} without {_CACHE.value}.",
        )


def _caches(context: Context) -> Iterator[Finding]:
    models = context.snapshot.models if context.snapshot else {}
    for activation in context.declared.activations:
        name = activation.spec.model
        if not _declares_cache(activation.spec):
            continue
        limits = context.declared.limits_by_model.get(name, ())
        live = models[name].limit if name in models else None
        if limits:
            why = f"{others(limits)} limits it"
        elif isinstance(live, Limit):
            why = f"it has a limit of {live.tokens:,} tokens on the platform"
        else:
            continue
        yield RULE.finding(
            f"{name} cannot have the prefix cache: {why}, and the two exclude each other",
            activation,
            activation.at("spec", "subServices"),
            hint=f"Remove {_CACHE.value} from subServices, or remove the limit first.",
        )


def _check(context: Context) -> Iterator[Finding]:
    yield from _limits(context)
    yield from _caches(context)


RULE = Rule(
    id="limit-conflicts-prefix-cache",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S23",),
    phrase="前缀缓存功能与推理限额功能不可同时启用",
    check=_check,
)
