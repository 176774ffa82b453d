"""What is true on a platform, what we know of it, and what can be done to it: frozen values, no I/O, no clock.

    Snapshot ─┬─ models:    name -> Model      (activation, free tokens, limit, prices, rate, use)
              ├─ endpoints: id   -> Endpoint   (override, capacity)
              └─ switches:  Switches           (the account's own)

A field that a sweep could not see is UNOBSERVABLE, which is not the same as absent (None): what is unobservable never
plans a revert and never shows as drift. Times are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from reconciler.identity import Identity
from reconciler.reasons import Reason
from reconciler.usage import Hours, Reading


class Unobservable(Enum):
    """The type of UNOBSERVABLE, for annotations."""

    UNOBSERVABLE = "unobservable"

    def __repr__(self) -> str:
        return "UNOBSERVABLE"


UNOBSERVABLE: Final = Unobservable.UNOBSERVABLE
Unseen: TypeAlias = Literal[Unobservable.UNOBSERVABLE]

T = TypeVar("T")
Seen: TypeAlias = T | None | Unseen  # a value, absent, or not to be seen

# One field of an item, as plans compare and print it.
Value: TypeAlias = str | int | bool | tuple[str, ...] | None | Unseen
Fields: TypeAlias = Mapping[str, Value]
NOTHING: Final[Fields] = MappingProxyType({})


class ActivationState(StrEnum):
    """The three states of the platform's page (S4)."""

    NOT_ACTIVATED = "NotActivated"
    ACTIVATED = "Activated"
    INVITE_ONLY = "InviteOnly"


class Billing(StrEnum):
    """How a model is paid for; inference limits exist for PayByToken only (S25)."""

    PAY_BY_TOKEN = "PayByToken"
    MODEL_UNIT = "ModelUnit"


class PauseReason(StrEnum):
    """Why the platform itself stopped serving a model."""

    LIMIT_REACHED = "LimitReached"
    FREE_TOKENS_ONLY = "FreeTokensOnly"
    FREE_QUOTA_EXHAUSTED = "FreeQuotaExhausted"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Which item: `kind` is the policy kind that governs it; `name` is a model name, an endpoint id or an account name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests and tokens a calendar minute; None where that half is not set (or not known, on a model)."""

    rpm: int | None = None
    tpm: int | None = None


@dataclass(frozen=True, slots=True)
class FreeTokens:
    """The displayed free quota of a model in tokens. It lags by up to an hour (S18); `remaining` may be negative (D7)."""

    total: int
    consumed: int
    remaining: int
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A model's inference limit in tokens; `used` counts from `effective_at` (S16), and was read at `observed_at`."""

    tokens: int
    used: int | None = None
    effective_at: datetime | None = None
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """One charge: `item` is Ark's charge item (InferencePrompt, LoraFinetune, Finetune ...), `amount` a decimal as text.

    `amount` is None where nobody knows it. `unit` is the platform's own, e.g. "CNY/1M tokens".
    """

    item: str
    amount: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The platform stopped serving a model since then."""

    reason: PauseReason
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that one sweep saw of a model. Read-only: nothing here is written back."""

    name: str
    display_name: str = ""
    domain: str = ""  # LLM | VLM | Audio | ComputerVision | MultiModal | Embedding | "" unknown
    task_types: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    deprecated: bool = False
    billing: Billing | Unseen = Billing.PAY_BY_TOKEN
    state: ActivationState | Unseen = UNOBSERVABLE
    sub_services: tuple[str, ...] | Unseen = ()
    free_tokens: Seen[FreeTokens] = None
    limit: Seen[Limit] = None
    rate_limit: Seen[Rate] = None
    prices: tuple[Price, ...] = ()
    docs_url: str = ""
    pause: Pause | None = None
    hourly_use: Hours | Unseen = ()  # of all its endpoints together
    reading: Reading | None = None  # of the meter that `hourly_use` comes from; None: metered as it happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """All that one sweep saw of an inference endpoint. `override` None means it inherits the model's rate."""

    id: str
    name: str
    model: str
    model_version: str = ""
    status: str = "Running"
    override: Seen[Rate] = None
    scale_tier: Seen[str] = None  # the TPM guarantee package's id or size
    model_units: Seen[str] = None  # the model unit's id or count
    batch_only: bool | Unseen = False
    hourly_use: Hours | Unseen = UNOBSERVABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The platform's own pages for who works with an account, "" where it has none or nobody knows it: its list of models with
    their documentation, what is charged for, what the account was charged, where activations and limits are set, where tickets
    are opened."""

    models: str = ""
    prices: str = ""
    bills: str = ""
    activations: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The account's own switches and facts; None where the platform has no such switch."""

    free_tokens_only: Seen[bool] = None
    free_tokens_only_ended: Seen[bool] = None  # it was on and was switched off, which is for ever (S10)
    auto_activation: Seen[bool] = None
    ever_activated: Seen[bool] = None
    verified: Seen[bool] = None


class Listing(StrEnum):
    """What a platform lists. Only a list that is whole proves that what it does not name is not there."""

    MODELS = "models"
    ENDPOINTS = "endpoints"


@dataclass(frozen=True, kw_only=True)  # no slots: an index is kept once it was asked for
class Snapshot:
    """One account as one sweep saw it. `identity` is whose account the platform says it is, None where it does not say.
    A partial snapshot (`Reader.read`) holds only the item's model, endpoint or switches.

    What is seen is true; what is not seen is absent only where `absence_unproven` answers "". `not_whole` are the lists that
    did not show all they have, each with the sentence that says why; `unconfirmed` are items that a whole list did not name
    and that could not be asked for one by one, with why.
    """

    observed_at: datetime
    identity: Identity | None = None
    models: Mapping[str, Model] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    switches: Switches = Switches()
    links: Links = Links()
    not_whole: Mapping[Listing, str] = field(default_factory=dict)
    unconfirmed: Mapping[Target, str] = field(default_factory=dict)
    use_unread: str = ""  # why the meter could not be read, "" where it was

    def absence_unproven(self, listing: Listing, target: Target | None = None) -> str:
        """Why an item of that list, or this one, may be there although it is not seen; "" where it is proven to be absent."""
        return self.not_whole.get(listing, "") or (self.unconfirmed.get(target, "") if target is not None else "")

    @cached_property
    def endpoint_ids_by_name(self) -> Mapping[str, tuple[str, ...]]:
        """The sorted ids of the endpoints that bear each name; a name is not unique on the platform."""
        found: dict[str, list[str]] = {}
        for endpoint in self.endpoints.values():
            found.setdefault(endpoint.name, []).append(endpoint.id)
        return {name: tuple(sorted(ids)) for name, ids in found.items()}

    @cached_property
    def endpoints_by_model(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """The endpoints of each base model, by id."""
        found: dict[str, list[Endpoint]] = {}
        for _, endpoint in sorted(self.endpoints.items()):
            found.setdefault(endpoint.model, []).append(endpoint)
        return {model: tuple(endpoints) for model, endpoints in found.items()}

    def effective_rate(self, endpoint: Endpoint) -> Seen[Rate]:
        """How fast the endpoint may run: its override, never above the model's rate that all its endpoints share (S28, S30).

        UNOBSERVABLE where one of the two cannot be seen; a half is None where nobody knows it, and all is None where neither is.
        """
        model = self.models.get(endpoint.model)
        pool = model.rate_limit if model else None
        if endpoint.override is UNOBSERVABLE or pool is UNOBSERVABLE:
            return UNOBSERVABLE
        own, shared = endpoint.override or Rate(), pool or Rate()
        rate = Rate(_lower(own.rpm, shared.rpm), _lower(own.tpm, shared.tpm))
        return None if rate == Rate() else rate


def _lower(one: int | None, other: int | None) -> int | None:
    return min((rate for rate in (one, other) if rate is not None), default=None)


class Operation(StrEnum):
    """Everything a platform may be asked to do or to show; `Reader.capabilities` answers for each."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    ADD_SUB_SERVICE = "add-sub-service"
    DROP_SUB_SERVICE = "drop-sub-service"
    SET_LIMIT = "set-limit"
    REMOVE_LIMIT = "remove-limit"
    SET_OVERRIDE = "set-override"
    CLEAR_OVERRIDE = "clear-override"
    SET_FREE_TOKENS_ONLY = "set-free-tokens-only"
    SET_AUTO_ACTIVATION = "set-auto-activation"
    READ_ACTIVATION = "read-activation"
    READ_LIMIT = "read-limit"
    READ_OVERRIDE = "read-override"
    READ_FREE_TOKENS_ONLY = "read-free-tokens-only"
    READ_AUTO_ACTIVATION = "read-auto-activation"
    READ_USAGE = "read-usage"


class Capability(StrEnum):
    """native: an API action does it. manual: a person does it on a page. unsupported: it cannot be done at all."""

    NATIVE = "native"
    MANUAL = "manual"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Support:
    """How one operation is done here; `page` is the console URL where `capability` is manual, `note` says why."""

    capability: Capability
    page: str = ""
    note: str = ""


NATIVE: Final = Support(Capability.NATIVE)


@dataclass(frozen=True, slots=True)
class Write:
    """One call to a platform: `operation` on `target` with `arguments`:

    add/drop-sub-service {"subService": str}; set-limit {"tokens": int}; set-override {"rpm": int|None, "tpm": int|None}
    (None keeps that half inherited); set-free-tokens-only and set-auto-activation {"enabled": bool}; the rest {}.
    """

    operation: Operation
    target: Target
    arguments: Fields = field(default_factory=dict)


class Result(StrEnum):
    """What a change became. deferred: waits for `not_before`; manual: waits for a person."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the change at `address` on `target`. `message` is a sentence for the user; `code` the platform's own.

    `confirmed` is True only when a read-back saw the platform equal to what was wanted; `accepted` where it took the write
    and cannot show it, so that no later look will prove more. `not_before` says when it is
    worth looking again. `stale` marks a precondition that no longer held.
    """

    address: str
    target: Target
    result: Result
    message: str = ""
    reason: Reason | None = None
    code: str = ""
    confirmed: bool = False
    accepted: bool = False
    stale: bool = False
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of the world as data, for reports: what an exception said, its reason and the platform's own code."""

    message: str
    reason: Reason
    code: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person said that they did a manual change: the fields as they set them, who and when."""

    fields: Fields
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the ledger (or a resource's status) remembers of one item.

    `baseline` is what the item was before we first wrote it (None: unknown); `applied` what we last proved it to be;
    `source` the declaring file relative to the repository root; `renewal` the renewal string last set with a limit;
    `renewal_unknown`: it came out of a backup, so a later one may have been set since, and an equal limit counts as set.
    `set_name` is the declaration set that owns it: "" in a cluster, and in what the first version wrote (unclaimed).
    `refused_until` is until when the platform said that it takes no other set. `reverting`: taking it back has begun, and some
    of it is still to do. `corrections` are the latest moments at which drift was written over.
    """

    target: Target
    owner: str = ""  # the declaring resource's address; "" when released
    set_name: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)  # of the declaration, so that a removal can be selected
    deletion_policy: str = "Retain"
    protected: bool = False
    baseline: Fields | None = None
    applied: Fields | None = None
    equal_at: datetime | None = None
    set_at: datetime | None = None
    removed_at: datetime | None = None
    refused_until: datetime | None = None
    reverting: bool = False
    corrections: tuple[datetime, ...] = ()
    renewal: str | None = None
    renewal_unknown: bool = False
    attestation: Attestation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A change that was intended and never settled: its run was killed, or is at it right now.

    `hoped` is the record that holds if its writes happened; `before` what the item was when it was intended.
    """

    run: str
    sequence: int
    at: datetime
    hoped: Record
    before: Fields


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of one account. `exists` False means no ledger was ever written: nothing is pruned then.
    `identity` is which account of the platform the records are of, None where that was never remembered."""

    records: Mapping[Target, Record] = field(default_factory=dict)
    exists: bool = False
    pending: tuple[Pending, ...] = ()
    identity: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a writing verb: who, what, why and when; `result` is "" while it runs or was killed.

    `plan` is the content digest of the saved plan it carries out, "" where it made its own; `set_name` is the declaration
    set it worked for; `link` leads to the job that ran it, "" outside a CI.
    """

    id: str
    account: str
    operation: str
    actor: str
    revision: str = ""  # the git revision of the declarations, "" outside a repository
    reason: str = ""
    plan: str = ""
    set_name: str = ""
    link: str = ""
    started_at: datetime
    finished_at: datetime | None = None
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One journaled change of a run: the intent, written before the platform is called, and the result, None until known."""

    run: str
    sequence: int
    at: datetime
    address: str
    target: str
    action: str
    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    result: str | None = None
    message: str = ""
    finished_at: datetime | None = None
