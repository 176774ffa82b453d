"""Rows of the database become a Snapshot: all that can be seen of the account, in as few queries as there are tables.

Does not write. The displayed free quota is the one of the last full hour (S18).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from reconciler.identity import Identity
from reconciler.platforms.embedded.control import TICKET, account_row
from reconciler.platforms.embedded.store import Row, Transaction
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Billing,
    Endpoint,
    FreeTokens,
    Limit,
    Links,
    Model,
    Pause,
    PauseReason,
    Price,
    Rate,
    Snapshot,
    Switches,
    Unseen,
)

HOUR_S: Final = 3600
# Where the shipped catalogue's models are described and priced; nothing is billed here, so there are no bills.
LINKS: Final = Links(
    models="https://www.volcengine.com/docs/82379/1330310",
    prices="https://www.volcengine.com/docs/82379/1099320",
    ticket=TICKET,
)
HOURS_SHOWN: Final = 48

# What free quota, limits and rates are about: online use that no capacity paid for in advance.
_USES: Final = (
    "SELECT model, endpoint, hour, tokens FROM uses WHERE hour > ? AND kind = 'online' "
    "AND status NOT IN ('free_for_model_unit', 'free_for_viptier')"
)

HourlyUse = Mapping[str, tuple[tuple[datetime, int], ...]]


def whole(tx: Transaction, now: int) -> Snapshot:
    """The whole account."""
    recent = tx.all(f"{_USES} ORDER BY hour", _first_hour(now))
    uses, through = _hourly_use(recent, "model"), _hourly_use(recent, "endpoint")
    return _snapshot(
        tx,
        now,
        models=(_model(row, uses, now) for row in tx.all("SELECT * FROM models ORDER BY name")),
        endpoints=(_endpoint(row, through) for row in tx.all("SELECT * FROM endpoints ORDER BY id")),
    )


def of_models(tx: Transaction, now: int) -> Snapshot:
    """Every model and the switches, without the endpoints, which are many."""
    uses = _hourly_use(tx.all(f"{_USES} ORDER BY hour", _first_hour(now)), "model")
    return _snapshot(tx, now, models=(_model(row, uses, now) for row in tx.all("SELECT * FROM models ORDER BY name")))


def of_model(tx: Transaction, name: str, now: int) -> Snapshot:
    """One model alone; nothing where there is no such model."""
    return _snapshot(tx, now, models=_named(tx, name, now))


def of_endpoint(tx: Transaction, endpoint: str, now: int) -> Snapshot:
    """One endpoint and its model; nothing where there is no such endpoint."""
    row = tx.one("SELECT * FROM endpoints WHERE id = ?", endpoint)
    if row is None:
        return _snapshot(tx, now)
    through = _hourly_use(tx.all(f"{_USES} AND endpoint = ? ORDER BY hour", _first_hour(now), endpoint), "endpoint")
    return _snapshot(tx, now, models=_named(tx, row["model"], now), endpoints=(_endpoint(row, through),))


def of_account(tx: Transaction, now: int) -> Snapshot:
    """The switches alone."""
    return _snapshot(tx, now)


def pause_of(row: Row) -> Pause | None:
    """Why the platform does not serve the model, if so."""
    if row["limit_reached_at"] is not None:
        return Pause(PauseReason.LIMIT_REACHED, _time(row["limit_reached_at"]))
    if row["boundary_at"] is not None:
        return Pause(PauseReason.FREE_TOKENS_ONLY, _time(row["boundary_at"]))
    if row["free_out_at"] is not None and not row["activated"]:
        return Pause(PauseReason.FREE_QUOTA_EXHAUSTED, _time(row["free_out_at"]))
    return None


def _snapshot(
    tx: Transaction, now: int, *, models: Iterable[Model] = (), endpoints: Iterable[Endpoint] = ()
) -> Snapshot:
    account = account_row(tx)
    return Snapshot(
        observed_at=_time(now),
        identity=Identity(platform="embedded", account=account["identity"]) if account["identity"] else None,
        links=LINKS,
        models={model.name: model for model in models},
        endpoints={endpoint.id: endpoint for endpoint in endpoints},
        switches=Switches(
            free_tokens_only=bool(account["free_tokens_only"]),
            auto_activation=bool(account["auto_activation"]),
            free_tokens_only_ended=bool(account["free_tokens_only_ended"]),
            ever_activated=bool(account["ever_activated"]),
            verified=bool(account["verified"]),
        ),
    )


def _named(tx: Transaction, name: str, now: int) -> tuple[Model, ...]:
    row = tx.one("SELECT * FROM models WHERE name = ?", name)
    if row is None:
        return ()
    uses = _hourly_use(tx.all(f"{_USES} AND model = ? ORDER BY hour", _first_hour(now), name), "model")
    return (_model(row, uses, now),)


def _hourly_use(rows: Iterable[Row], by: str) -> HourlyUse:
    """The rows, which are in order of hours, summed up by model or by endpoint."""
    found: dict[str, dict[int, int]] = {}
    for row in rows:
        hours = found.setdefault(row[by], {})
        hours[row["hour"]] = hours.get(row["hour"], 0) + row["tokens"]
    return {name: tuple((_time(hour * HOUR_S), used) for hour, used in hours.items()) for name, hours in found.items()}


def _first_hour(now: int) -> int:
    return now // HOUR_S - HOURS_SHOWN


def _model(row: Row, uses: HourlyUse, now: int) -> Model:
    return Model(
        name=row["name"],
        display_name=row["display_name"],
        domain=row["domain"],
        task_types=_words(row["task_types"]),
        versions=_words(row["versions"]),
        deprecated=bool(row["deprecated"]),
        billing=Billing(row["billing"]),
        state=_state(row),
        sub_services=_words(row["sub_services"]),
        free_tokens=_free_tokens(row, now),
        limit=_limit(row, now),
        rate_limit=_rate(row),
        prices=_prices(row["prices"]),
        docs_url=row["docs_url"],
        pause=pause_of(row),
        hourly_use=uses.get(row["name"], ()),
    )


def _state(row: Row) -> ActivationState:
    if row["activated"]:
        return ActivationState.ACTIVATED
    return ActivationState.INVITE_ONLY if row["invite_only"] else ActivationState.NOT_ACTIVATED


def _free_tokens(row: Row, now: int) -> FreeTokens | Unseen:
    """A quota that nobody knows, as most in the shipped catalogue, is not to be seen; that there is none is a total of 0."""
    total = row["free_total"]
    if total is None:
        return UNOBSERVABLE
    hour = now - now % HOUR_S
    consumed, at = (
        (row["free_shown"], row["free_shown_at"]) if row["free_shown_at"] >= hour else (row["free_used"], hour)
    )
    return FreeTokens(total=total, consumed=consumed, remaining=total - consumed, observed_at=_time(at))


def _limit(row: Row, now: int) -> Limit | None:
    if row["limit_tokens"] is None:
        return None
    return Limit(
        tokens=row["limit_tokens"],
        used=row["limit_used"],
        effective_at=_time(row["limit_effective_at"]),
        observed_at=_time(now),
    )


def _rate(row: Row) -> Rate | None:
    return None if row["rpm"] is None and row["tpm"] is None else Rate(row["rpm"], row["tpm"])


def _endpoint(row: Row, through: HourlyUse) -> Endpoint:
    return Endpoint(
        id=row["id"],
        name=row["name"],
        model=row["model"],
        model_version=row["model_version"],
        status=row["status"],
        override=_rate(row),
        scale_tier=None if row["scale_tpm"] is None else f"{row['scale_tpm']} tpm",
        model_units=None if row["model_units"] is None else str(row["model_units"]),
        batch_only=bool(row["batch_only"]),
        hourly_use=through.get(row["id"], ()),
    )


@lru_cache(maxsize=1024)
def _prices(text: str) -> tuple[Price, ...]:
    return tuple(Price(item, amount, unit) for item, amount, unit in json.loads(text))


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


@lru_cache(maxsize=4096)
def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
