"""What an admitted call is charged, and what is kept of it by the minute, by the hour and on its model. Refuses nothing.

Tokens of one call are shared out before it is charged:

    tokens ─┬─ covered   by model units, or by the minute's TPM guarantee        outside pool, free quota, limit and bill
            └─ metered   online and paid by token ─┬─ free      free quota, spent first, before and after activation
                                                   ├─ billed    the rest, on an activated model
                                                   └─ unbilled  the rest of the call that crossed the quota's end, else;
                                                                in free-tokens-only mode all that is beyond the gift
    batch, plug-in and knowledge-base tokens are billed whole: no free quota, no limit, no pool.
"""

from typing import Final

from reconciler.platforms.embedded.calls import Billed, Charge, Met

MINUTE_S: Final = 60
HOUR_S: Final = 3600
MINUTES_KEPT: Final = 60
ENDPOINT: Final = "endpoint"
MODEL: Final = "model"
GUARANTEE: Final = "guarantee"


def charge(met: Met) -> Charge:
    """Write down everything the admitted call used up."""
    call, model, now = met.call, met.model, met.now
    total = model["free_total"] or 0
    free = max(0, min(met.metered, (total if met.gift is None else met.gift) - model["free_used"]))
    beyond = met.metered - free
    aside = 0 if met.online else call.tokens
    pays = model["activated"] and met.gift is None
    billed = aside + (beyond if pays else 0)
    covered = call.tokens if met.by_unit else met.guaranteed
    free_used = model["free_used"] + free + (0 if pays else beyond)
    limit_used = model["limit_used"] + (met.metered if model["limit_tokens"] is not None else 0)
    _keep_minutes(met)
    _keep_model(met, free_used, limit_used)
    charge = Charge(
        model=model["name"],
        endpoint=met.endpoint["id"] if met.endpoint is not None else None,
        kind=call.kind,
        requests=call.requests,
        tokens=call.tokens,
        covered=covered,
        free=free,
        billed=billed,
        unbilled=call.tokens - covered - free - billed,
        counted=limit_used - model["limit_used"],
        free_total=model["free_total"],
        free_remaining=None if model["free_total"] is None else total - free_used,
        limit_tokens=model["limit_tokens"],
        limit_used=limit_used if model["limit_tokens"] is not None else None,
        paused=met.by_token and _is_out(met, free_used, limit_used),
    )
    _keep_hour(met, charge, now // HOUR_S)
    return charge


def _is_out(met: Met, free_used: int, limit_used: int) -> bool:
    """Whether the next call finds the model paused: its limit reached, its gift used up in free-tokens-only mode, or its free
    quota gone while not activated."""
    model = met.model
    if model["limit_tokens"] is not None and limit_used >= model["limit_tokens"]:
        return True
    if met.gift is not None:
        return free_used >= met.gift
    return not model["activated"] and free_used >= (model["free_total"] or 0)


def _keep_minutes(met: Met) -> None:
    if met.online and met.endpoint is not None:
        _add_to_minute(met, ENDPOINT, met.endpoint["id"], met.call.tokens)
        if met.guaranteed:
            _add_to_minute(met, GUARANTEE, met.endpoint["id"], met.guaranteed)
    if met.in_pool:
        _add_to_minute(met, MODEL, met.model["name"], met.metered)


def _add_to_minute(met: Met, scope: str, name: str, tokens: int) -> None:
    minute = met.now // MINUTE_S
    met.tx.run(
        "DELETE FROM use_by_minute WHERE scope = ? AND name = ? AND minute < ?", scope, name, minute - MINUTES_KEPT
    )
    met.tx.run(
        "INSERT INTO use_by_minute (scope, name, minute, requests, tokens) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens",
        scope,
        name,
        minute,
        met.call.requests,
        tokens,
    )


def _keep_model(met: Met, free_used: int, limit_used: int) -> None:
    """The displayed free quota keeps what was true at the start of the hour until the next one starts (S18)."""
    model, now = met.model, met.now
    hour = now - now % HOUR_S
    shown, shown_at = model["free_shown"], model["free_shown_at"]
    if shown_at < hour:
        shown, shown_at = model["free_used"], hour
    out_at = model["free_out_at"]
    if out_at is None and model["free_total"] and free_used >= model["free_total"]:
        out_at = now
    boundary_at = model["boundary_at"]
    if boundary_at is None and met.gift is not None and free_used >= met.gift:
        boundary_at = now
    reached_at = model["limit_reached_at"]
    if reached_at is None and model["limit_tokens"] is not None and limit_used >= model["limit_tokens"]:
        reached_at = now
    met.tx.run(
        "UPDATE models SET free_used = ?, free_shown = ?, free_shown_at = ?, free_out_at = ?, boundary_at = ?, limit_used = ?, "
        "limit_reached_at = ? WHERE name = ?",
        free_used,
        shown,
        shown_at,
        out_at,
        boundary_at,
        limit_used,
        reached_at,
        model["name"],
    )


def _keep_hour(met: Met, charge: Charge, hour: int) -> None:
    """Each part of the tokens under its billing; the requests, and what the model wrote, with the parts from the last on."""
    output, requests = min(charge.tokens, met.call.output), charge.requests
    for status, tokens in reversed(_parts(met, charge)):
        wrote = min(tokens, output)
        _add_use(met, (hour, status, requests, tokens, wrote))
        output, requests = output - wrote, 0


def _parts(met: Met, charge: Charge) -> list[tuple[Billed, int]]:
    """The call's tokens in the order in which they were paid for; one part at least, for a call without tokens counts."""
    in_mode = met.gift is not None
    paid = Billed.FREE_QUOTA if met.model["activated"] or in_mode else Billed.BEFORE_ACTIVATION
    parts = (
        (Billed.MODEL_UNIT if met.by_unit else Billed.GUARANTEE, charge.covered),
        (paid, charge.free),
        (Billed.BEYOND_GIFT if in_mode else Billed.BEFORE_ACTIVATION, charge.unbilled),
        (Billed.NORMAL, charge.billed),
    )
    return [(status, tokens) for status, tokens in parts if tokens] or [
        (Billed.NORMAL if met.model["activated"] else paid, 0)
    ]


def _add_use(met: Met, use: tuple[int, Billed, int, int, int]) -> None:
    hour, status, requests, tokens, output = use
    met.tx.run(
        "INSERT INTO uses (model, hour, endpoint, kind, status, requests, tokens, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens, "
        "output = output + excluded.output",
        met.model["name"],
        hour,
        met.endpoint["id"] if met.endpoint is not None else "",
        met.call.kind.value,
        status.value,
        requests,
        tokens,
        output,
    )
