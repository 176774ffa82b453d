"""What the account's owner may change, and every rule the platform itself holds them to. No clock, no SQLite of its own.

Each function works inside the caller's transaction and raises `Refusal` before it changes anything. What is so already
succeeds without a change, except that setting a limit always restarts its counting.
"""

from typing import Final

from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.platforms.embedded.store import Row, Transaction

SUB_SERVICES: Final = ("context-cache", "fast-infer")
LIMIT_INTERVAL_S: Final = 7200
MAX_TOKENS: Final = 2**53 - 1
MAX_RATE: Final = 2**31 - 1  # Ark's Rpm and Tpm are 32-bit
TICKET: Final = "https://console.volcengine.com/workorder/create?step=2&SubProductID=P00000165"
# Model types without an inference limit, as the platform's page lists them: speech, vision, multimodal embedding.
UNLIMITED_DOMAINS: Final = ("Audio", "ComputerVision")
UNLIMITED_TASK: Final = "MultimodalEmbedding"
# Free-tokens-only mode covers neither embedding nor video generation nor simultaneous interpretation; the last has no task
# type of its own that is known, so speech to speech stands for it.
NOT_COVERED_DOMAINS: Final = ("Embedding",)
NOT_COVERED_TASKS: Final = frozenset(
    ("TextEmbedding", "ImageEmbedding", "MultimodalEmbedding", "TextToVideo", "ImageToVideo", "SpeechToSpeech")
)
GIFT_TOKENS: Final = 500_000


def model_row(tx: Transaction, name: str) -> Row:
    """The model's row."""
    row = tx.one("SELECT * FROM models WHERE name = ?", name)
    if row is None:
        raise Refusal(Code.NOT_FOUND, f"model {name} does not exist on this platform")
    return row


def endpoint_row(tx: Transaction, endpoint: str) -> Row:
    """The endpoint's row, by id."""
    row = tx.one("SELECT * FROM endpoints WHERE id = ?", endpoint)
    if row is None:
        raise Refusal(Code.NOT_FOUND, f"endpoint {endpoint} does not exist on this platform")
    return row


def activate(tx: Transaction, model: str) -> None:
    """Open the model's paid service (S2). Free tokens that are left stay, and are still used up first (S7). Possible while
    free-tokens-only mode is on, which then keeps the model from being billed (S10)."""
    row = model_row(tx, model)
    if row["activated"]:
        return
    account = account_row(tx)
    if row["invite_only"]:
        raise Refusal(
            Code.INVITE_ONLY,
            f"model {model} is by invitation only and cannot be activated here; open a ticket: {TICKET}",
        )
    if not account["verified"]:
        raise Refusal(
            Code.DENIED, f"model {model} cannot be activated: the account is not verified (NotVerifiedAccount)"
        )
    tx.run("UPDATE models SET activated = 1 WHERE name = ?", model)
    if not account["ever_activated"]:
        tx.run("UPDATE account SET ever_activated = 1")


def deactivate(tx: Transaction, model: str) -> None:
    """Close the model's paid service (S2) and its sub-services with it."""
    row = model_row(tx, model)
    if not row["activated"]:
        return
    if row["limit_tokens"] is not None:
        raise Refusal(
            Code.LIMIT_IS_SET,
            f"model {model} has an inference limit of {row['limit_tokens']} tokens, which needs an activated model; "
            "remove the limit first",
        )
    tx.run("UPDATE models SET activated = 0, sub_services = '' WHERE name = ?", model)


def set_sub_service(tx: Transaction, model: str, service: str, enabled: bool) -> None:
    """Switch one sub-service of an activated model on or off."""
    row = model_row(tx, model)
    services = set(filter(None, row["sub_services"].split(",")))
    if service not in SUB_SERVICES:
        raise Refusal(Code.SUB_SERVICES, f"sub-service {service} does not exist; there are {', '.join(SUB_SERVICES)}")
    if (service in services) == enabled:
        return
    if enabled and not row["activated"]:
        raise Refusal(
            Code.SERVICE_NOT_OPEN,
            f"sub-service {service} needs model {model} to be activated, and it is not; activate it",
        )
    if enabled and service == "context-cache" and account_row(tx)["free_tokens_only"]:
        raise Refusal(
            Code.FREE_TOKENS_ONLY_ON,
            f"the inference cache of model {model} cannot be switched on while the account's free-tokens-only mode is on; "
            "switching the mode off is for ever",
        )
    if enabled and service == "context-cache" and row["limit_tokens"] is not None:
        raise Refusal(
            Code.LIMIT_PREFIX_CACHE,
            f"model {model} has an inference limit of {row['limit_tokens']} tokens, and prefix cache and an inference "
            "limit exclude each other; remove the limit first",
        )
    services ^= {service}
    tx.run("UPDATE models SET sub_services = ? WHERE name = ?", ",".join(sorted(services)), model)


def set_limit(tx: Transaction, model: str, tokens: int, now: int) -> None:
    """Set the model's inference limit; counting starts at 0 now, and a model that a limit had paused resumes (S15-S17)."""
    row = model_row(tx, model)
    if not _whole(tokens, MAX_TOKENS):
        raise Refusal(Code.INVALID_VALUE, f"tokens {tokens} must be a whole number from 1 to {MAX_TOKENS}")
    _limitable(tx, row)
    last = row["limit_set_at"]
    if last is not None and now - last < LIMIT_INTERVAL_S:
        wait = LIMIT_INTERVAL_S - (now - last)
        raise Refusal(
            Code.LIMIT_INTERVAL,
            f"model {model} had its inference limit set less than 2 hours ago; the next set is accepted in {wait} s",
            retry_after_s=wait,
        )
    tx.run(
        "UPDATE models SET limit_tokens = ?, limit_used = 0, limit_effective_at = ?, limit_set_at = ?, "
        "limit_reached_at = NULL WHERE name = ?",
        tokens,
        now,
        now,
        model,
    )


def _limitable(tx: Transaction, row: Row) -> None:
    """Refuse what can have no limit: S23 to S26."""
    model = row["name"]
    if row["domain"] in UNLIMITED_DOMAINS or UNLIMITED_TASK in row["task_types"].split(","):
        raise Refusal(
            Code.LIMIT_MODALITY,
            f"model {model} ({row['domain']}) is a speech, vision or multimodal embedding model, which have no inference limit",
        )
    if row["billing"] != "PayByToken":
        raise Refusal(
            Code.LIMIT_BILLING, f"model {model} is paid by {row['billing']}; an inference limit needs payment by token"
        )
    if not row["activated"]:
        raise Refusal(
            Code.SERVICE_NOT_OPEN, f"model {model} is not activated, and an inference limit needs an activated model"
        )
    if "context-cache" in row["sub_services"].split(","):
        raise Refusal(
            Code.LIMIT_PREFIX_CACHE,
            f"model {model} has prefix cache (context-cache) on, and prefix cache and an inference limit exclude each other",
        )
    blocking = tx.one(
        "SELECT id FROM endpoints WHERE model = ? AND (scale_tpm IS NOT NULL OR model_units IS NOT NULL) ORDER BY id",
        model,
    )
    if blocking:
        raise Refusal(
            Code.LIMIT_CAPACITY,
            f"endpoint {blocking['id']} of model {model} has a TPM guarantee package or model units, which exclude an "
            "inference limit",
        )


def remove_limit(tx: Transaction, model: str) -> None:
    """Take the limit away; the model resumes at once. The clock between two sets keeps running (S20, S21)."""
    if model_row(tx, model)["limit_tokens"] is not None:
        tx.run(
            "UPDATE models SET limit_tokens = NULL, limit_used = 0, limit_effective_at = NULL, limit_reached_at = NULL "
            "WHERE name = ?",
            model,
        )


def set_override(tx: Transaction, endpoint: str, rpm: int | None, tpm: int | None, now: int) -> None:
    """Set both halves of the endpoint's own rate (S30); None inherits the model's."""
    row = endpoint_row(tx, endpoint)
    for word, value in (("rpm", rpm), ("tpm", tpm)):
        if value is not None and not _whole(value, MAX_RATE):
            raise Refusal(Code.INVALID_VALUE, f"{word} {value} must be a whole number from 1 to {MAX_RATE}")
    if (row["rpm"], row["tpm"]) != (rpm, tpm):
        tx.run("UPDATE endpoints SET rpm = ?, tpm = ?, updated_at = ? WHERE id = ?", rpm, tpm, now, endpoint)


def set_free_tokens_only(tx: Transaction, enabled: bool) -> None:
    """Safe Experience Mode, for accounts that never activated a model without it and never had it before (S10). Off is for
    ever, and resumes what it had paused."""
    account = account_row(tx)
    if enabled == bool(account["free_tokens_only"]):
        return
    if not enabled:
        tx.run("UPDATE account SET free_tokens_only = 0, free_tokens_only_ended = 1")
        tx.run("UPDATE models SET boundary_at = NULL WHERE boundary_at IS NOT NULL")
        return
    why = _not_eligible(tx, account)
    if why:
        raise Refusal(Code.FREE_TOKENS_ONLY_USED_UP, f"free-tokens-only mode cannot be switched on: {why}")
    tx.run("UPDATE account SET free_tokens_only = 1")


def _not_eligible(tx: Transaction, account: Row) -> str:
    """Why the mode cannot be switched on, "" where it can (S10, D6)."""
    if account["free_tokens_only_ended"]:
        return "it was switched off before, which is for ever"
    if account["ever_activated"]:
        return "the account activated a model without it"
    taken = capacity_or_cache(tx)
    return f"{taken}, which exclude it" if taken else ""


def capacity_or_cache(tx: Transaction) -> str:
    """What of the account excludes free-tokens-only mode: capacity paid for in advance or the inference cache; "" where nothing."""
    bought = tx.one("SELECT id FROM endpoints WHERE scale_tpm IS NOT NULL OR model_units IS NOT NULL ORDER BY id")
    if bought is not None:
        return f"endpoint {bought['id']} has a TPM guarantee package or model units"
    cached = tx.one("SELECT name FROM models WHERE ',' || sub_services || ',' LIKE '%,context-cache,%' ORDER BY name")
    return f"model {cached['name']} has the inference cache on" if cached is not None else ""


def in_free_tokens_only(tx: Transaction, model: Row) -> bool:
    """Whether free-tokens-only mode is on and this is a model that it covers (D6)."""
    outside = model["domain"] in NOT_COVERED_DOMAINS or bool(NOT_COVERED_TASKS & set(model["task_types"].split(",")))
    return not outside and bool(account_row(tx)["free_tokens_only"])


def gift(model: Row) -> int:
    """How many tokens free-tokens-only mode lets a model use: the gift, whatever more its free packs hold (S11)."""
    return min(GIFT_TOKENS, model["free_total"] or 0)


def set_auto_activation(tx: Transaction, enabled: bool) -> None:
    """Whether models that appear later are activated by themselves."""
    tx.run("UPDATE account SET auto_activation = ?", int(enabled))


def account_row(tx: Transaction) -> Row:
    """The account's one row."""
    row = tx.one("SELECT * FROM account")
    if row is None:
        raise Refusal(Code.NOT_FOUND, "the database has no account")
    return row


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
