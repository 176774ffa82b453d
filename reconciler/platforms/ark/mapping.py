"""Ark's replies become models, endpoints and switches. Pure: JSON values in, state values out.

What Ark did not say becomes UNOBSERVABLE, never absent. A state that the platform's page does not have (S4) is not seen either.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.platforms.ark import pages
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Billing,
    Endpoint,
    FreeTokens,
    Limit,
    Model,
    Pause,
    PauseReason,
    Price,
    Rate,
    Seen,
    Unseen,
)

Json = dict[str, Any]
BASE: Final = "base"
_STATES: Final = {"Available": ActivationState.ACTIVATED, "Unavailable": ActivationState.NOT_ACTIVATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What one look at the models brought, by FoundationModelName; None where the action could not be asked. `limits` has an
    entry for every model that was asked for. `flaws` says of a list, by its part, why it does not show all it has."""

    activations: Mapping[str, Json] | None = None
    charges: Mapping[str, Json] | None = None
    rates: Mapping[str, Json] | None = None
    catalogue: Mapping[str, Json] | None = None
    limits: Mapping[str, Seen[Limit]] | None = None
    flaws: Mapping[str, str] = field(default_factory=dict)
    pages: str = ""  # where the account's console pages begin

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that any reply knows, sorted."""
        known = (self.activations, self.charges, self.catalogue)
        return tuple(sorted({name for found in known if found is not None for name in found}))

    @property
    def flaw(self) -> str:
        """Why there may be models beside `names`, "" where there are none: the first list that the deployment has names every
        model, and no list falls short. One that this key may not ask for leaves open what it would name."""
        lists = (("activations", self.activations), ("charges", self.charges), ("catalogue", self.catalogue))
        short = next((self.flaws[part] for part, found in lists if found is not None and part in self.flaws), "")
        leading = next((part for part, found in lists if found is not None or part in self.flaws), "")
        return short or self.flaws.get(leading, "" if leading else "no list of models may be asked for")


def by_name(items: Iterable[Json]) -> dict[str, Json]:
    """The items by their FoundationModelName; those without one are left out."""
    return {name: item for item in items if isinstance(name := item.get("FoundationModelName"), str) and name}


def model(name: str, replies: Replies) -> Model:
    """One model out of all that was said of it."""
    activation = (replies.activations or {}).get(name, {})
    charge = (replies.charges or {}).get(name, {})
    known = (replies.catalogue or {}).get(name, {})
    tag = _object(known, "FoundationModelTag")
    limit: Seen[Limit] = UNOBSERVABLE if replies.limits is None else replies.limits.get(name, UNOBSERVABLE)
    return Model(
        name=name,
        display_name=_text(activation, "DisplayName") or _text(charge, "DisplayName") or _text(known, "DisplayName"),
        domain=next(iter(_texts(tag, "Domains")), ""),
        task_types=_texts(tag, "TaskTypes"),
        versions=tuple(version for version in (_text(known, "PrimaryVersion"),) if version),
        deprecated=activation.get("IsDeprecated") is True,
        billing=_billing(activation, charge),
        state=_state(activation, charge),
        sub_services=_sub_services(charge) if charge else UNOBSERVABLE,
        free_tokens=_free_tokens(activation, charge),
        limit=limit,
        rate_limit=UNOBSERVABLE if replies.rates is None else _model_rate(replies.rates.get(name, {})),
        prices=_prices(charge) or _prices(activation),
        docs_url=pages.of_model(replies.pages, name) if replies.pages else "",
        pause=_pause(limit),
    )


def endpoint(item: Json, details: Json | None) -> Endpoint:
    """An endpoint from its List item; `details` is its GetEndpoint reply, without which its capacity is not to be seen."""
    reference = _object(item, "ModelReference")
    base = _object(reference, "FoundationModel")
    listed = Endpoint(
        id=_text(item, "Id"),
        name=_text(item, "Name"),
        model=_text(base, "Name"),
        model_version=_text(base, "ModelVersion"),
        status=_text(item, "Status"),
        override=_override(_object(item, "RateLimit")),
        scale_tier=UNOBSERVABLE,
        model_units=_text(item, "ModelUnitId") or None,
        batch_only=UNOBSERVABLE,
    )
    if details is None:
        return listed
    return replace(
        listed,
        scale_tier=_text(details, "ScaleTierId") or None,
        model_units=_text(details, "ModelUnitId") or listed.model_units,
        batch_only=details.get("BatchOnly") is True,
    )


def limits(result: Json, keys: Mapping[str, str], models: Iterable[str]) -> dict[str, Seen[Limit]]:
    """The limit of each of `models` out of a private action's reply; `keys` says which of its keys holds which of our fields.

    A model that the reply leaves out has no limit, but only where the reply has a list at all and all of it can be read.
    """
    listed = dig(result, keys["items"])
    found: dict[str, Seen[Limit]] = {}
    legible = isinstance(listed, list)
    for item in listed if isinstance(listed, list) else ():
        name = dig(item, keys["model"])
        if isinstance(name, str) and name:
            found[name] = _limit(item, keys)
        else:
            legible = False
    return {model: found.get(model, None if legible else UNOBSERVABLE) for model in models}


def _limit(item: Json, keys: Mapping[str, str]) -> Seen[Limit]:
    said = dig(item, keys["tokens"])
    tokens = whole(said)
    if tokens is None:
        return None if said is None else UNOBSERVABLE
    if tokens <= 0:
        return None
    return Limit(
        tokens=tokens,
        used=whole(dig(item, keys["used"])) if "used" in keys else None,
        effective_at=moment(dig(item, keys["effectiveAt"])) if "effectiveAt" in keys else None,
        observed_at=moment(dig(item, keys["observedAt"])) if "observedAt" in keys else None,
    )


def objects(reply: Json, key: str) -> list[Json]:
    """The objects of a list; [] where there is no list."""
    listed = reply.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def dig(value: Any, path: str) -> Any:
    """The value at a dotted path; None where it does not lead anywhere."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def whole(value: object) -> int | None:
    """An integer that came as a number or as numeric text; None otherwise."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,30}", value.strip()):
        return int(value)  # by way of a float the last digits of a long one would be lost
    try:
        return int(value) if isinstance(value, int) else int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> datetime | None:
    """A time in RFC 3339, in UTC; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else None


def _state(activation: Json, charge: Json) -> ActivationState | Unseen:
    state = _STATES.get(_text(activation, "State") or _text(charge, "State"), UNOBSERVABLE)
    if state is ActivationState.NOT_ACTIVATED and activation.get("IsLimitedActivation") is True:
        return ActivationState.INVITE_ONLY
    return state


def _sub_services(charge: Json) -> tuple[str, ...] | Unseen:
    listed = charge.get("SubServices")
    if not isinstance(listed, list):
        return UNOBSERVABLE
    found: set[str] = set()
    for item in listed:
        status = _text(item, "Status") if isinstance(item, dict) else ""
        if status not in _STATES:
            return UNOBSERVABLE
        if status == "Available" and _text(item, "SubService") not in ("", BASE):
            found.add(_text(item, "SubService"))
    return tuple(sorted(found))


def _free_tokens(activation: Json, charge: Json) -> Seen[FreeTokens]:
    """The initial quota while it is shown, else the sum of the free packs; remaining may be negative (D7). None only where a
    reply lists packs and has none that is free: a reply that says nothing of them does not say that there is none."""
    told = False
    for reply, initial, packs in (
        (activation, "InitialInferenceFreeUsage", "FreeResourcePackItems"),
        (charge, "InferenceFreeUsage", "ResourcePackItems"),
    ):
        told = told or isinstance(reply.get(packs), list)
        free = [item for item in objects(reply, packs) if _text(item, "Type") in ("", "FreeInference")]
        usages = [_object(reply, initial)] if whole(_object(reply, initial).get("Total")) is not None else free
        if usages:
            total = sum(whole(usage.get("Total")) or 0 for usage in usages)
            consumed = sum(whole(usage.get("Consumed")) or 0 for usage in usages)
            reclaimed = sum(whole(usage.get("Reclaimed")) or 0 for usage in usages)
            synced = [at for usage in usages if (at := moment(usage.get("SyncTime")))]
            return FreeTokens(total, consumed, total - consumed - reclaimed, min(synced, default=None))
    return None if told else UNOBSERVABLE


def _model_rate(item: Json) -> Seen[Rate]:
    current = _object(item, "CurrentRateLimit")
    return _override(current) if current else UNOBSERVABLE


def _override(rate: Json) -> Rate | None:
    """-1, 0, null and absent all mean: nothing set (0 is undocumented, and nobody runs at 0)."""
    rpm, tpm = whole(rate.get("Rpm")), whole(rate.get("Tpm"))
    rpm = rpm if rpm is not None and rpm > 0 else None
    tpm = tpm if tpm is not None and tpm > 0 else None
    return None if rpm is None and tpm is None else Rate(rpm, tpm)


def _billing(activation: Json, charge: Json) -> Billing | Unseen:
    """A model with a price for tokens is paid for by token; of any other nothing is known."""
    items = [*objects(charge, "ChargeItems"), *objects(activation, "ChargeItems")]
    return Billing.PAY_BY_TOKEN if any(_text(item, "Type").startswith("Inference") for item in items) else UNOBSERVABLE


def _prices(reply: Json) -> tuple[Price, ...]:
    items = objects(reply, "ChargeItems")
    return tuple(
        sorted(
            (
                Price(_text(item, "Type"), None if item.get("Price") is None else str(item["Price"]), _text(item, "UnitCode"))
                for item in items
                if _text(item, "Type")
            ),
            key=lambda price: price.item,
        )
    )  # fmt: skip


def _pause(limit: Seen[Limit]) -> Pause | None:
    """A limit that is used up has paused its model (S17); other pauses are not to be seen."""
    if isinstance(limit, Limit) and limit.used is not None and limit.used >= limit.tokens:
        return Pause(PauseReason.LIMIT_REACHED)
    return None


def _object(item: Json, key: str) -> Json:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _texts(item: Json, key: str) -> tuple[str, ...]:
    value = item.get(key)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
