"""What the kinds share: the base of every spec and the field types whose bounds hold in files and in a cluster alike.

pydantic lives here and in `load` and `schema` only.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MAX_TOKENS: Final = 2**53 - 1  # the largest integer that every JSON reader keeps exactly
MAX_RATE: Final = 2**31 - 1  # Ark's Rpm and Tpm are 32-bit (A7)
QUANTITY: Final = r"^[0-9]{1,16}(\.[0-9]{1,12})?[kMG]$"
_UNITS: Final = {"k": 10**3, "M": 10**6, "G": 10**9}
_CITED: Final = re.compile(r"\s*\(([SDA]\d+(?:, [SDA]\d+)*)\)")
NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


def cited(text: str) -> tuple[str, ...]:
    """The numbers of the facts that a text stands on, "(S16, S17)" in it, in their order there."""
    return tuple(number for numbers in _CITED.findall(text) for number in numbers.split(", "))


def uncited(text: str) -> str:
    """The text without them, for readers who have no way to look a number up: kubectl, editors."""
    return _CITED.sub("", text)


class Strict(BaseModel):
    """Frozen, camelCase outside, no unknown keys. Numbers and booleans are never coerced: use Int, Flag and Moment."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, defer_build=True)


def build(model: type[BaseModel]) -> None:
    """Build the models that stand as a default in it, and in these: pydantic before 2.14 cannot write one out unbuilt."""
    for default in (field.default for field in model.model_fields.values()):
        if isinstance(default, BaseModel):
            type(default).model_rebuild()
            build(type(default))


class Management(StrEnum):
    """Whether the controller may write: Observe reads and reports, never writes."""

    MANAGE = "Manage"
    OBSERVE = "Observe"


class DeletionPolicy(StrEnum):
    """What happens to the item when its declaration goes away."""

    REVERT = "Revert"
    RETAIN = "Retain"


def _tokens(value: object) -> int:
    """An integer of tokens from an integer or a decimal quantity ("500k", "2M", "1.5G")."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("tokens", 'must be an integer or a quantity such as "500k", "2M" or "1.5G"')
    if isinstance(value, str):
        if re.fullmatch(r"[0-9]{1,16}", value):
            raise PydanticCustomError(
                "tokens_quoted", "is a quoted number; write it without quotes, or with a unit such as {unit}",
                {"unit": '"500k"'},
            )  # fmt: skip
        if not re.fullmatch(QUANTITY, value):
            raise PydanticCustomError(
                "tokens", 'must be an integer or a quantity such as "500k", "2M" or "1.5G" (k = 1000)'
            )
        exact = Decimal(value[:-1]) * _UNITS[value[-1]]
        if exact != int(exact):
            raise PydanticCustomError("tokens", "is not a whole number of tokens")
        value = int(exact)
    if not 1 <= value <= MAX_TOKENS:
        raise PydanticCustomError(
            "tokens_range", "must be from 1 to {most}; leave the document out for no limit", {"most": MAX_TOKENS}
        )
    return value


Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_TOKENS},
                {"type": "string", "pattern": QUANTITY, "maxLength": 32},
            ]
        },
        mode="validation",  # once read it is a number
    ),
]


def _moment(value: Any) -> Any:
    """Only text may be a time: pydantic alone would read a number as seconds since 1970."""
    if isinstance(value, str | datetime):
        return value
    raise PydanticCustomError("moment", "must be a time with a zone, such as 2026-12-01T00:00:00Z")


def _in_utc(value: datetime) -> datetime:
    """Only a time that UTC has: whatever tells a time tells it in UTC, where these would be of the year 0 or 10000."""
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(
            "moment", "is out of range: in UTC it is before the year 1 or after the year 9999"
        ) from None
    return value


Flag = Annotated[bool, Field(strict=True)]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64}),
]
RatePerMinute = Annotated[int, Field(strict=True, ge=1, le=MAX_RATE)]
ModelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="The platform's FoundationModelName, without a version date, e.g. doubao-seed-1-6.",
    ),
]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=NAME)]


def fixed(what: str) -> dict[str, Any]:
    """The schema of a field that a cluster does not let change: another value is another declaration."""
    message = f"{what} cannot be changed; delete this resource and create another"
    return {"x-kubernetes-validations": [{"rule": "self == oldSelf", "message": message}]}


class AccountRef(Strict):
    """The PlatformAccount this resource belongs to."""

    name: ObjectName = Field(default="default", description="Name of the PlatformAccount.")
    namespace: ObjectName | None = Field(
        default=None,
        description="In a cluster only: the account's namespace; absent means the resource's own. "
        "The account must list this resource's namespace in allowedNamespaces.",
    )


class Spec(Strict):
    """Base of every kind's spec."""


class PolicySpec(Spec):
    """Base of the kinds that govern an item: whose account, whether to write, and what happens at the end."""

    account_ref: AccountRef = Field(
        default=AccountRef.model_construct(),
        description="Which account; `default` when absent.",
        json_schema_extra=fixed("the account"),
    )
    management: Management | None = Field(
        default=None, description="Manage or Observe (read and report, never write); absent: the account's."
    )
