"""A call of the data plane, what it met and what it was charged: values that admission and charging share. No rule of its own."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.platforms.embedded.store import Row, Transaction


class Billed(StrEnum):
    """How a use is billed, as Ark's meter names it (BillingStatus)."""

    NORMAL = "normal"
    BEFORE_ACTIVATION = "no_need_billing"
    FREE_QUOTA = "free_for_free_quota"
    BEYOND_GIFT = "free_for_limit_boundary"
    MODEL_UNIT = "free_for_model_unit"
    GUARANTEE = "free_for_viptier"


class UseKind(StrEnum):
    """What the tokens are spent on. Free quota and inference limits know online use only (S13, S22)."""

    ONLINE = "online"
    BATCH = "batch"
    PLUGIN = "plugin"
    KNOWLEDGE_BASE = "knowledge-base"


@dataclass(frozen=True, slots=True)
class Call:
    """One use: `target` is a model name, a Model ID (name-version), an endpoint id or an endpoint name.

    Several requests are admitted or refused as one, and `tokens` is what they use together; `output` of them the model wrote.
    """

    target: str
    tokens: int
    requests: int = 1
    kind: UseKind = UseKind.ONLINE
    output: int = 0


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
class Met:
    """A call with what it met: its tokens are shared out between what capacity covers and what is metered by token; `gift` is
    what free-tokens-only mode lets the model use in all, None where the mode is off or does not cover it."""

    tx: Transaction
    call: Call
    now: int
    model: Row
    endpoint: Row | None
    guaranteed: int = 0
    by_unit: bool = False
    metered: int = 0
    gift: int | None = None

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
