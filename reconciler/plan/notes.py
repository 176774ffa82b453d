"""Sentences for the person who reviews a change or does it by hand. No decisions here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeGuard

from reconciler.kinds import registry
from reconciler.plan import prices
from reconciler.plan.costs import bound
from reconciler.plan.items import Step
from reconciler.plan.values import FieldChange
from reconciler.state import (
    UNOBSERVABLE,
    Capability,
    FreeTokens,
    Limit,
    Model,
    Operation,
    Snapshot,
    Support,
    Value,
    Write,
)


@dataclass(frozen=True, slots=True)
class Item:
    """What a person is told of an item: the declaring resource's address, an endpoint's name, and from when on it may be set.
    `declared` False: nothing declares it any more."""

    address: str
    title: str
    waits: datetime | None
    declared: bool = True


def how_to(step: Step, item: Item, capabilities: Mapping[Operation, Support]) -> str:
    """The page and the exact values for a person, "" where the platform does it by itself."""
    if step.capability is Capability.NATIVE:
        return ""
    support = next(
        found
        for write in step.writes
        if (found := capabilities.get(write.operation)) and found.capability is step.capability
    )
    wanted = "; ".join(_instruction(write, item.title) for write in step.writes)
    if step.capability is Capability.UNSUPPORTED:
        return f"The platform cannot do this: {wanted}." + (f" {support.note}" if support.note else "")
    place = f"On {support.page} " if support.page else ""
    ever = "".join(f" ({why})" for why in irreversible(step))
    when = f", from {item.waits.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC on" if item.waits else ""
    return f"{place}{wanted}{when}{ever}. {_afterwards(step, item)}"


def _afterwards(step: Step, item: Item) -> str:
    """How what a person did becomes known: only what is declared and cannot be seen is attested."""
    if not item.declared or all(field.before is not UNOBSERVABLE for field in step.fields):
        return "The next run sees it."
    in_cluster = item.address.count("/") == 2  # its address has a namespace
    record = "kubectl modelpolicy attest" if in_cluster else "modelpolicy attest"
    return f"Then record it: {record} {item.address}"


def of_step(step: Step, snapshot: Snapshot, now: datetime, not_before: datetime | None) -> tuple[str, ...]:
    """What the reviewer should know of the step beside its fields and its time: what restarts, what it costs, why it waits."""
    said = irreversible(step)
    for write in step.writes:
        model = snapshot.models.get(write.target.name)
        if model is not None and write.operation in _NOTES:
            said += _NOTES[write.operation](model)
    if not_before is not None and not_before > now:
        said.append("a model's limit is set at most once in two hours")
    return tuple(said)


def irreversible(step: Step) -> list[str]:
    """What of the step could never be set back, unless it is seen to be so already."""
    kinds = registry()
    found = (
        kinds[write.target.kind].irreversible(field.path, field.after)
        for write in step.writes[:1]
        for field in step.fields
        if field.before != field.after
    )
    return [why for why in found if why]


def costs(step: Step, model: Model | None, limit: int | None, services: Iterable[str]) -> tuple[str, ...]:
    """What the step lets the model cost at most: `limit` is the declared one's tokens, None where none is; `services` are the
    declared sub-services. Nothing where a price is not known."""
    if model is None:
        return ()
    said: list[str] = []
    for write in step.writes:
        tokens = write.arguments.get("tokens")
        if write.operation is Operation.SET_LIMIT and _is_number(tokens):
            most = bound(model, tokens, services)
            said += [f"online use costs at most {most} until the limit pauses it, {most.basis}"] if most else []
        if write.operation is Operation.ACTIVATE and limit is None:
            live = model.limit.tokens - (model.limit.used or 0) if isinstance(model.limit, Limit) else None
            most = bound(model, max(0, live), services) if live is not None else None
            said += [f"online use costs at most {most} until the limit it has pauses it, {most.basis}"] if most else []
            said += ["no limit is declared or set, so nothing bounds what it costs"] if model.limit is None else []
    return tuple(said)


def loosening(fields: tuple[FieldChange, ...]) -> tuple[str, ...]:
    """What taking an item back lets happen again: each cap that rises or goes."""
    risen = [
        f"{field.path} {field.before:,} -> {'none' if field.after is None else f'{field.after:,}'}"
        for field in fields
        if _is_number(field.before)
        and (field.after is None or (_is_number(field.after) and field.after > field.before))
    ]
    return (f"this loosens a cap, so spend may rise: {', '.join(risen)}",) if risen else ()


def _is_number(value: Value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _limit_set(model: Model) -> list[str]:
    if model.limit is None:
        return []
    used = model.limit.used if isinstance(model.limit, Limit) else None
    return ["counting restarts at 0" + (f" ({used:,} tokens used so far)" if used is not None else "")]


def _limit_removed(model: Model) -> list[str]:
    return [f"nothing stops the use of {model.name} at a total any more"]


def _activated(model: Model) -> list[str]:
    inference = dict(prices.groups(price for price in model.prices if price.amount is not None))["inference"]
    said = ["a consent to pay: " + ("its prices are not known" if inference == prices.UNKNOWN else inference)]
    free = model.free_tokens
    if isinstance(free, FreeTokens) and free.remaining > 0:
        said.append(f"{free.remaining:,} free tokens are used up first")
    return said


def _deactivated(model: Model) -> list[str]:
    free = model.free_tokens
    left = free.remaining if isinstance(free, FreeTokens) else 0
    after = f"once its {left:,} free tokens are used up" if left > 0 else "at once"
    if free is UNOBSERVABLE:
        after = "once its free quota, which is not known, is used up"
    return [f"calls to {model.name} are refused {after}"]


_NOTES: Final = {
    Operation.SET_LIMIT: _limit_set,
    Operation.REMOVE_LIMIT: _limit_removed,
    Operation.ACTIVATE: _activated,
    Operation.DEACTIVATE: _deactivated,
}


def _instruction(write: Write, title: str) -> str:
    """One call as a sentence for a person."""
    name, values = write.target.name, write.arguments
    endpoint = f"endpoint {title} ({name})" if title and title != name else f"endpoint {name}"
    switch = "on" if values.get("enabled") else "off"
    rates = ", ".join(f"{half.upper()} {values.get(half) or 'inherited'}" for half in ("rpm", "tpm"))
    return {
        Operation.ACTIVATE: f"activate model {name}",
        Operation.DEACTIVATE: f"deactivate model {name}",
        Operation.ADD_SUB_SERVICE: f"switch {values.get('subService')} of model {name} on",
        Operation.DROP_SUB_SERVICE: f"switch {values.get('subService')} of model {name} off",
        Operation.SET_LIMIT: f"set the inference limit of model {name} to {values.get('tokens')} tokens",
        Operation.REMOVE_LIMIT: f"remove the inference limit of model {name}",
        Operation.SET_OVERRIDE: f"set the rate limit of {endpoint} to {rates}",
        Operation.CLEAR_OVERRIDE: f"take the rate limit of {endpoint} back to {rates}",
        Operation.SET_FREE_TOKENS_ONLY: f"switch Free Tokens Only Mode {switch}",
        Operation.SET_AUTO_ACTIVATION: f"switch automatic activation of new models {switch}",
    }[write.operation]
