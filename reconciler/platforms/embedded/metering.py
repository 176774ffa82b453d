"""What a call meets, in order, and what it is charged; a refusal consumes nothing. No clock, no SQLite of its own.

    exists -> endpoint running -> activation or free quota -> free-tokens-only or limit -> endpoint's rate -> model's rate

Tokens of one call are shared out before it is charged:

    tokens ─┬─ covered   by model units, or by the minute's TPM guarantee        outside pool, free quota, limit and bill
            └─ metered   online and paid by token ─┬─ free      free quota, spent first, before and after activation
                                                   ├─ billed    the rest, on an activated model
                                                   └─ unbilled  the rest of the call that crossed the quota's end, else
    batch, plug-in and knowledge-base tokens are billed whole: no free quota, no limit, no pool.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.platforms.embedded.control import account_row
from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.platforms.embedded.store import Row, Transaction

MINUTE_S: Final = 60
HOUR_S: Final = 3600
MINUTES_KEPT: Final = 60
ENDPOINT: Final = "endpoint"
MODEL: Final = "model"
GUARANTEE: Final = "guarantee"
_RATE_CODES: Final = {
    ENDPOINT: (Code.ENDPOINT_RPM, Code.ENDPOINT_TPM),
    MODEL: (Code.MODEL_RPM, Code.MODEL_TPM),
}
MAX_CALL_TOKENS: Final = 10**12
MAX_CALL_REQUESTS: Final = 10**6


class UseKind(StrEnum):
    """What the tokens are spent on. Free quota and inference limits know online use only (S13, S22)."""

    ONLINE = "online"
    BATCH = "batch"
    PLUGIN = "plugin"
    KNOWLEDGE_BASE = "knowledge-base"


@dataclass(frozen=True, slots=True)
class Call:
    """One use: `target` is a model name, a Model ID (name-version), an endpoint id or an endpoint name.

    Several requests are admitted or refused as one, and `tokens` is what they use together.
    """

    target: str
    tokens: int
    requests: int = 1
    kind: UseKind = UseKind.ONLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What an admitted call was charged. `tokens` = covered + free + billed + unbilled.

    `counted` is what it added to the use of the limit. The figures after it are live, ahead of what is displayed (S18):
    free tokens left (negative after a crossing, None where the quota is unknown) and the limit with its use.
    """

    model: str
    endpoint: str | None
    kind: UseKind
    requests: int
    tokens: int
    covered: int = 0
    free: int = 0
    billed: int = 0
    unbilled: int = 0
    counted: int = 0
    free_total: int | None = None
    free_remaining: int | None = None
    limit_tokens: int | None = None
    limit_used: int | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class _Met:
    """A call with what it met: its tokens are shared out between what capacity covers and what is metered by token."""

    tx: Transaction
    call: Call
    now: int
    model: Row
    endpoint: Row | None
    guaranteed: int = 0
    by_unit: bool = False
    metered: int = 0

    @property
    def online(self) -> bool:
        return self.call.kind is UseKind.ONLINE

    @property
    def by_token(self) -> bool:
        """Online and paid by token: what free quota, limit and pool are about."""
        return self.online and not self.by_unit

    @property
    def in_pool(self) -> bool:
        """Whether it takes from what all endpoints of the model share: all but what a guarantee covers whole."""
        guarantee = self.endpoint is not None and self.endpoint["scale_tpm"] is not None
        return self.by_token and (self.metered > 0 or not guarantee)


def use(tx: Transaction, call: Call, now: int) -> Charge:
    """Admit and charge one call, or raise `Refusal` with nothing written but, at the free-tokens-only boundary, the pause."""
    _check_values(call)
    met = _meet(tx, call, now)
    _check_endpoint(met)
    _check_open(met)
    _check_pause(met)
    _check_rates(met)
    return _charge(met)


def resolve(tx: Transaction, target: str) -> tuple[Row, Row | None]:
    """The model and, where one is named, the endpoint that `target` means: an id, else a model, else an endpoint's name."""
    endpoint = tx.one("SELECT * FROM endpoints WHERE id = ?", target)
    if endpoint is None:
        model = _model(tx, target)
        if model is not None:
            return model, None
        named = tx.all("SELECT * FROM endpoints WHERE name = ? ORDER BY id", target)
        if len(named) > 1:
            ids = ", ".join(row["id"] for row in named)
            raise Refusal(Code.AMBIGUOUS_NAME, f"{len(named)} endpoints are named {target}: {ids}; use an id")
        endpoint = named[0] if named else None
    model = None if endpoint is None else _model(tx, endpoint["model"])
    if endpoint is None or model is None:
        raise Refusal(Code.NOT_FOUND, f"the model or endpoint {target} does not exist or you do not have access to it")
    return model, endpoint


def _model(tx: Transaction, target: str) -> Row | None:
    """A model by its name or by its Model ID, which is the name with one of its versions."""
    row = tx.one("SELECT * FROM models WHERE name = ?", target)
    cut = target.rfind("-")
    while row is None and cut > 0:
        candidate = tx.one("SELECT * FROM models WHERE name = ?", target[:cut])
        if candidate is not None and target[cut + 1 :] in candidate["versions"].split(","):
            row = candidate
        cut = target.rfind("-", 0, cut)
    return row


def _check_values(call: Call) -> None:
    for word, value, least, most in (
        ("tokens", call.tokens, 0, MAX_CALL_TOKENS),
        ("requests", call.requests, 1, MAX_CALL_REQUESTS),
    ):
        if not least <= value <= most:
            raise Refusal(Code.INVALID_VALUE, f"{word} {value} must be from {least} to {most}")


def _meet(tx: Transaction, call: Call, now: int) -> _Met:
    model, endpoint = resolve(tx, call.target)
    if call.kind is not UseKind.ONLINE:
        return _Met(tx, call, now, model, endpoint)
    if model["billing"] != "PayByToken" or (endpoint is not None and endpoint["model_units"] is not None):
        return _Met(tx, call, now, model, endpoint, by_unit=True)
    guaranteed = 0
    if endpoint is not None and endpoint["scale_tpm"] is not None:
        _, used = used_this_minute(tx, GUARANTEE, endpoint["id"], now)
        guaranteed = max(0, min(call.tokens, endpoint["scale_tpm"] - used))
    return _Met(tx, call, now, model, endpoint, guaranteed=guaranteed, metered=call.tokens - guaranteed)


def _check_endpoint(met: _Met) -> None:
    endpoint = met.endpoint
    if endpoint is None:
        return
    if endpoint["status"] != "Running":
        raise Refusal(
            Code.ENDPOINT_CLOSED,
            f"endpoint {endpoint['id']} is {endpoint['status']} and serves nothing; start it first",
        )
    if endpoint["batch_only"] and met.call.kind is not UseKind.BATCH:
        raise Refusal(Code.BATCH_ONLY, f"endpoint {endpoint['id']} serves batch inference only")


def _check_open(met: _Met) -> None:
    """Activated, or with free quota left that may pay for this call."""
    model = met.model
    if model["activated"]:
        return
    name, total = model["name"], model["free_total"] or 0
    if met.by_token and total > 0:
        if total > model["free_used"]:
            return
        raise Refusal(
            Code.QUOTA_EXCEEDED,
            f"your account has exhausted its free trial quota for the [{name}] model; activate the model to continue",
        )
    raise Refusal(Code.NOT_OPEN, f"your account has not activated the model {name}; activate the model service first")


def _check_pause(met: _Met) -> None:
    """The inference limit and the free-tokens-only boundary; batch use meets neither."""
    model = met.model
    if not met.by_token:
        return
    if model["limit_tokens"] is not None and model["limit_used"] >= model["limit_tokens"]:
        raise _paused(model["name"])
    if model["activated"] or not account_row(met.tx)["free_tokens_only"]:
        return
    if model["boundary_at"] is None:
        total = model["free_total"]
        # The last hundredth of the quota stays unspent, so that a lagging bill never finds anything to charge.
        if 100 * met.metered <= 100 * (total - model["free_used"]) - total:
            return
        met.tx.run("UPDATE models SET boundary_at = ? WHERE name = ?", met.now, model["name"])
    raise _paused(model["name"])


def _paused(model: str) -> Refusal:
    return Refusal(
        Code.LIMIT_EXCEEDED,
        f"your account has reached the set inference limit for the [{model}] model, and the model service has been "
        'paused; to continue, set a new limit, remove it, or adjust or close the "Safe Experience Mode"',
    )


def _check_rates(met: _Met) -> None:
    """The endpoint's own rate first, then the model's pool."""
    if met.online and met.endpoint is not None:
        _check_rate(met, met.endpoint, (ENDPOINT, met.endpoint["id"], met.call.tokens))
    if met.in_pool:
        _check_rate(met, met.model, (MODEL, met.model["name"], met.metered))


def _check_rate(met: _Met, bounds: Row, what: tuple[str, str, int]) -> None:
    scope, name, tokens = what
    requests, used = used_this_minute(met.tx, scope, name, met.now)
    rpm_code, tpm_code = _RATE_CODES[scope]
    for code, allowed, so_far, asked, unit in (
        (rpm_code, bounds["rpm"], requests, met.call.requests, "requests"),
        (tpm_code, bounds["tpm"], used, tokens, "tokens"),
    ):
        if allowed is not None and so_far + asked > allowed:
            raise Refusal(
                code,
                f"{scope} {name} allows {allowed} {unit} per minute; {so_far} are used and this call needs {asked}",
                retry_after_s=MINUTE_S - met.now % MINUTE_S,
            )


def used_this_minute(tx: Transaction, scope: str, name: str, now: int) -> tuple[int, int]:
    """Requests and tokens of the calendar minute so far, of an endpoint, of a model's pool, or of a guarantee."""
    row = tx.one(
        "SELECT requests, tokens FROM use_by_minute WHERE scope = ? AND name = ? AND minute = ?",
        scope,
        name,
        now // MINUTE_S,
    )
    return (row["requests"], row["tokens"]) if row else (0, 0)


def _charge(met: _Met) -> Charge:
    """Write down everything the admitted call used up."""
    call, model, now = met.call, met.model, met.now
    total = model["free_total"] or 0
    free = max(0, min(met.metered, total - model["free_used"]))
    beyond = met.metered - free
    aside = 0 if met.online else call.tokens
    billed = aside + (beyond if model["activated"] else 0)
    covered = call.tokens if met.by_unit else met.guaranteed
    free_used = model["free_used"] + free + (0 if model["activated"] else beyond)
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
        paused=met.by_token and _is_out(model, free_used, limit_used),
    )
    _keep_hour(met, charge, now // HOUR_S)
    return charge


def _is_out(model: Row, free_used: int, limit_used: int) -> bool:
    """Whether the next call finds the model paused: its limit reached, or its free quota gone while not activated."""
    if model["limit_tokens"] is not None and limit_used >= model["limit_tokens"]:
        return True
    return not model["activated"] and free_used >= (model["free_total"] or 0)


def _keep_minutes(met: _Met) -> None:
    if met.online and met.endpoint is not None:
        _add_to_minute(met, ENDPOINT, met.endpoint["id"], met.call.tokens)
        if met.guaranteed:
            _add_to_minute(met, GUARANTEE, met.endpoint["id"], met.guaranteed)
    if met.in_pool:
        _add_to_minute(met, MODEL, met.model["name"], met.metered)


def _add_to_minute(met: _Met, scope: str, name: str, tokens: int) -> None:
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


def _keep_model(met: _Met, free_used: int, limit_used: int) -> None:
    """The displayed free quota keeps what was true at the start of the hour until the next one starts (S18)."""
    model, now = met.model, met.now
    hour = now - now % HOUR_S
    shown, shown_at = model["free_shown"], model["free_shown_at"]
    if shown_at < hour:
        shown, shown_at = model["free_used"], hour
    out_at = model["free_out_at"]
    if out_at is None and model["free_total"] and free_used >= model["free_total"]:
        out_at = now
    reached_at = model["limit_reached_at"]
    if reached_at is None and model["limit_tokens"] is not None and limit_used >= model["limit_tokens"]:
        reached_at = now
    met.tx.run(
        "UPDATE models SET free_used = ?, free_shown = ?, free_shown_at = ?, free_out_at = ?, limit_used = ?, "
        "limit_reached_at = ? WHERE name = ?",
        free_used,
        shown,
        shown_at,
        out_at,
        limit_used,
        reached_at,
        model["name"],
    )


def _keep_hour(met: _Met, charge: Charge, hour: int) -> None:
    met.tx.run(
        "INSERT INTO use_by_hour (model, hour, kind, requests, tokens, free, billed, unbilled, covered) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, "
        "tokens = tokens + excluded.tokens, free = free + excluded.free, billed = billed + excluded.billed, "
        "unbilled = unbilled + excluded.unbilled, covered = covered + excluded.covered",
        charge.model,
        hour,
        charge.kind.value,
        charge.requests,
        charge.tokens,
        charge.free,
        charge.billed,
        charge.unbilled,
        charge.covered,
    )
