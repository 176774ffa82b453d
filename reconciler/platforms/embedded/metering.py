"""What a call meets, in order; a refusal consumes nothing. No clock, no SQLite of its own.

exists -> endpoint running -> activation or free quota -> free-tokens-only or limit -> endpoint's rate -> model's rate
"""

from typing import Final

from reconciler.platforms.embedded.calls import Call, Charge, Met, UseKind
from reconciler.platforms.embedded.charging import ENDPOINT, GUARANTEE, MINUTE_S, MODEL, charge
from reconciler.platforms.embedded.control import gift, in_free_tokens_only
from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.platforms.embedded.store import Row, Transaction

_RATE_CODES: Final = {
    ENDPOINT: (Code.ENDPOINT_RPM, Code.ENDPOINT_TPM),
    MODEL: (Code.MODEL_RPM, Code.MODEL_TPM),
}
MAX_CALL_TOKENS: Final = 10**12
MAX_CALL_REQUESTS: Final = 10**6


def use(tx: Transaction, call: Call, now: int) -> Charge:
    """Admit and charge one call, or raise `Refusal` with nothing written but, where free-tokens-only mode ends, the pause."""
    _check_values(call)
    met = _meet(tx, call, now)
    _check_endpoint(met)
    _check_open(met)
    _check_pause(met)
    _check_rates(met)
    return charge(met)


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


def _meet(tx: Transaction, call: Call, now: int) -> Met:
    model, endpoint = resolve(tx, call.target)
    if call.kind is not UseKind.ONLINE:
        return Met(tx, call, now, model, endpoint)
    if model["billing"] != "PayByToken" or (endpoint is not None and endpoint["model_units"] is not None):
        return Met(tx, call, now, model, endpoint, by_unit=True)
    guaranteed = 0
    if endpoint is not None and endpoint["scale_tpm"] is not None:
        _, used = used_this_minute(tx, GUARANTEE, endpoint["id"], now)
        guaranteed = max(0, min(call.tokens, endpoint["scale_tpm"] - used))
    metered = call.tokens - guaranteed
    capped = gift(model) if in_free_tokens_only(tx, model) else None
    return Met(tx, call, now, model, endpoint, guaranteed=guaranteed, metered=metered, gift=capped)


def _check_endpoint(met: Met) -> None:
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


def _check_open(met: Met) -> None:
    """Activated, or with free quota left that may pay for this call."""
    model = met.model
    if model["activated"]:
        return
    name, total = model["name"], model["free_total"] or 0
    if met.by_token and total > 0:
        if total > model["free_used"] or met.gift is not None:  # at the gift's end the mode pauses it
            return
        raise Refusal(
            Code.QUOTA_EXCEEDED,
            f"your account has exhausted its free trial quota for the [{name}] model; activate the model to continue",
        )
    raise Refusal(Code.NOT_OPEN, f"your account has not activated the model {name}; activate the model service first")


def _check_pause(met: Met) -> None:
    """The inference limit and the end of the gift in free-tokens-only mode; batch use meets neither."""
    model = met.model
    if not met.by_token:
        return
    if model["limit_tokens"] is not None and model["limit_used"] >= model["limit_tokens"]:
        raise _paused(model["name"])
    if met.gift is not None and model["free_used"] >= met.gift:
        met.tx.run("UPDATE models SET boundary_at = ? WHERE name = ? AND boundary_at IS NULL", met.now, model["name"])
        raise _paused(model["name"])


def _paused(model: str) -> Refusal:
    return Refusal(
        Code.LIMIT_EXCEEDED,
        f"your account has reached the set inference limit for the [{model}] model, and the model service has been "
        'paused; to continue, set a new limit, remove it, or adjust or close the "Safe Experience Mode"',
    )


def _check_rates(met: Met) -> None:
    """The endpoint's own rate first, then the model's pool."""
    if met.online and met.endpoint is not None:
        _check_rate(met, met.endpoint, (ENDPOINT, met.endpoint["id"], met.call.tokens))
    if met.in_pool:
        _check_rate(met, met.model, (MODEL, met.model["name"], met.metered))


def _check_rate(met: Met, bounds: Row, what: tuple[str, str, int]) -> None:
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
