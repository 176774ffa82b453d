"""PlatformAccount: where policies are carried out, how to reach it, and what may be done to it."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from reconciler.kinds import Kind, Resource
from reconciler.kinds.common import Flag, Management, ObjectName, Spec, Strict, fixed
from reconciler.state import Fields, Operation, Snapshot, Target, Value, Write

FREE_TOKENS_ONLY: Final = "freeTokensOnly"
AUTO_ACTIVATION: Final = "autoActivation"


class PlatformName(StrEnum):
    """The platforms there are."""

    EMBEDDED = "embedded"
    ARK = "ark"


class Embedded(Strict):
    """The embedded platform: a faithful small Ark in one SQLite file."""

    path: str = Field(
        default=".modelpolicy/platform.db", min_length=1, max_length=1024,
        description="The SQLite file, relative to the working directory.",
    )  # fmt: skip


class Credentials(Strict):
    """Where the access key is found; the key itself never stands in a policy file."""

    secret_name: ObjectName | None = Field(
        default=None, description="In a cluster: a Secret in the account's namespace with keys accessKey and secretKey."
    )
    file: str | None = Field(
        default=None, min_length=1, max_length=1024,
        description="In files: a JSON file with access_key and secret_key, readable by its owner only.",
    )  # fmt: skip


class Action(Strict):
    """A private action of the platform for an operation that has no published one: configuration, never guessed."""

    action: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9]*$", description="The Action name.")
    request: Annotated[dict[str, Any], Field(max_length=64)] = Field(
        default_factory=dict,
        description="The JSON body, nested as the action wants it. A string that is one placeholder, such as "
        "{model}, becomes the value itself; within longer text it becomes the value's text.",
    )
    response: Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=8)] = Field(
        default_factory=dict,
        description="For a read: which key of the Result (dots go deeper) holds which of our fields.",
    )


# Per operation: the placeholders its request may hold beside {project}, and its response's keys (True: required).
_LIMIT_FIELDS: Final = {
    "items": True, "model": True, "tokens": True, "used": False, "effectiveAt": False, "observedAt": False,
}  # fmt: skip
ACTION_SHAPES: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, bool]]]] = {
    "activate": (("model",), {}),
    "deactivate": (("model",), {}),
    "add_sub_service": (("model", "subService"), {}),
    "drop_sub_service": (("model", "subService"), {}),
    "set_limit": (("model", "tokens"), {}),
    "remove_limit": (("model",), {}),
    "read_limit": (("models",), _LIMIT_FIELDS),
    "clear_override": (("endpoint", "rpm", "tpm"), {}),
    "set_free_tokens_only": (("enabled",), {}),
    "read_free_tokens_only": ((), {"enabled": True}),
    "set_auto_activation": (("enabled",), {}),
    "enable_auto_activation": ((), {}),
    "disable_auto_activation": ((), {}),
    "read_auto_activation": ((), {"enabled": True}),
}
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z]*)\}")


class Actions(Strict):
    """Private actions of the platform, by operation. What is not named here and has no published action is done by hand."""

    activate: Action | None = Field(default=None, description="Instead of OpenModelChargeItem. {model}")
    deactivate: Action | None = Field(default=None, description="Deactivates a model. {model}")
    add_sub_service: Action | None = Field(
        default=None, description="Instead of OpenModelChargeItem. {model}, {subService}"
    )
    drop_sub_service: Action | None = Field(default=None, description="Drops a sub-service. {model}, {subService}")
    set_limit: Action | None = Field(default=None, description="Sets an inference limit. {model}, {tokens}")
    remove_limit: Action | None = Field(default=None, description="Removes an inference limit. {model}")
    read_limit: Action | None = Field(
        default=None,
        description="Lists the limits of {models} (a list of names). response: items (the key of the list), and within "
        "an item model, tokens, and where there are such used, effectiveAt, observedAt.",
    )
    clear_override: Action | None = Field(
        default=None, description="Takes an endpoint back to inherited. {endpoint}, {rpm}, {tpm} (null: inherited)"
    )
    set_free_tokens_only: Action | None = Field(default=None, description="Switches free-tokens-only. {enabled}")
    read_free_tokens_only: Action | None = Field(default=None, description="Reads free-tokens-only. response: enabled.")
    set_auto_activation: Action | None = Field(default=None, description="Switches auto-activation. {enabled}")
    enable_auto_activation: Action | None = Field(
        default=None, description="Switches auto-activation on, where on and off are two actions."
    )
    disable_auto_activation: Action | None = Field(
        default=None, description="Switches auto-activation off, where on and off are two actions."
    )
    read_auto_activation: Action | None = Field(default=None, description="Reads auto-activation. response: enabled.")

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        for operation, (placeholders, keys) in ACTION_SHAPES.items():
            action: Action | None = getattr(self, operation)
            if action is not None:
                _check_shape(to_camel(operation), action, (*placeholders, "project"), keys)
        return self


def _check_shape(operation: str, action: Action, placeholders: tuple[str, ...], keys: Mapping[str, bool]) -> None:
    for name in sorted(_placeholders(action.request) - set(placeholders)):
        raise PydanticCustomError(
            "action_placeholder",
            "{operation}.request holds {name}, which has no value there; it may hold {allowed}",
            {
                "operation": operation,
                "name": f"{{{name}}}",
                "allowed": ", ".join(f"{{{known}}}" for known in placeholders),
            },
        )
    missing = sorted(key for key, required in keys.items() if required and key not in action.response)
    unknown = sorted(set(action.response) - set(keys))
    if missing or unknown:
        raise PydanticCustomError(
            "action_response",
            "{operation}.response {what}",
            {
                "operation": operation,
                "what": f"needs {', '.join(missing)}" if missing else f"has no field {', '.join(unknown)}",
            },
        )


def _placeholders(template: Any) -> set[str]:
    """Every placeholder within the strings of a template."""
    if isinstance(template, str):
        return set(_PLACEHOLDER.findall(template))
    if isinstance(template, dict):
        template = list(template.values())
    if isinstance(template, list):
        return {name for part in template for name in _placeholders(part)}
    return set()


class Ark(Strict):
    """Volcengine Ark. Credentials absent: the SDK's environment variables VOLCENGINE_ACCESS_KEY and _SECRET_KEY."""

    region: str = Field(default="cn-beijing", min_length=1, max_length=64, description="The platform's region.")
    project: str = Field(default="default", min_length=1, max_length=128, description="The platform's project.")
    account_id: str | None = Field(
        default=None, max_length=20, pattern=r"^[0-9]{1,20}$",
        description="The id of the account that is meant, in quotes, as `modelpolicy doctor` shows it: an assertion. Where "
        "the key turns out to be another account's, nothing is carried out.",
    )  # fmt: skip
    endpoint: str | None = Field(
        default=None, max_length=1024, pattern=r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$",
        description="The API's URL; absent: the SDK's for the region. http://127.0.0.1:8900 for the served one; for BytePlus "
        "https://ark.ap-southeast-1.byteplusapi.com, with its region.",
    )  # fmt: skip
    actions: Actions = Field(default=Actions.model_construct(), description="Private actions by operation.")
    credentials: Credentials | None = Field(default=None, description="Where the access key is found.")


class Writes(Strict):
    """How fast the account may be written to."""

    concurrency: Annotated[int, Field(strict=True, ge=1, le=64)] = Field(
        default=4, description="Writes in flight at once."
    )
    per_second: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        default=10, description="Writes a second at most."
    )


class Reads(Strict):
    """How fast the account may be read from. Either is halved while the platform asks for fewer calls."""

    concurrency: Annotated[int, Field(strict=True, ge=1, le=64)] = Field(
        default=8, description="Reads in flight at once."
    )
    per_second: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        default=None,
        description="Reads a second at most; absent: as fast as answers come, until the platform throttles.",
    )


class MaxReverts(Strict):
    """How many reverts one plan may hold before it needs a word from a person: over count and over percent."""

    count: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = Field(
        default=5, description="Reverts that are always fine."
    )
    percent: Annotated[int, Field(strict=True, ge=0, le=100)] = Field(
        default=30, description="Share of the owned items, in percent, that may be reverted at once."
    )


class Guards(Strict):
    """The thresholds of the guards that judge a whole plan before its first write."""

    max_reverts: MaxReverts = Field(
        default=MaxReverts.model_construct(), description="Above both, the plan is refused."
    )
    min_hours_to_limit: Annotated[int, Field(strict=True, ge=0, le=720)] = Field(
        default=1,
        description="A limit that the recent rate would reach sooner than this many hours is refused; 0 turns it off.",
    )


class PlatformAccountSpec(Spec):
    """A platform account that policies refer to. Optional in files: without one, account `default` is the embedded platform."""

    platform: PlatformName = Field(
        default=PlatformName.EMBEDDED, description="embedded or ark.", json_schema_extra=fixed("the platform")
    )
    embedded: Embedded = Field(default=Embedded.model_construct(), description="Settings of the embedded platform.")
    ark: Ark = Field(default=Ark.model_construct(), description="Settings of Volcengine Ark.")
    management: Management = Field(
        default=Management.MANAGE, description="Observe: read and report, never write, whatever a resource says."
    )
    allow_activation: Flag | None = Field(
        default=None,
        description="Activating is a consent to pay: true before one is written. Absent: true on embedded, else false.",
    )
    auto_activation: Flag | None = Field(
        default=None, description="The platform's switch that activates new models by itself; absent: not managed."
    )
    free_tokens_only: Flag | None = Field(
        default=None,
        description="Safe Experience Mode (安心体验模式), for the whole account: the models that it covers use their gift of free "
        "tokens and are then paused. Only for an account that never activated a model without it; once switched off, it is off "
        "for ever. Absent: not managed.",
    )
    reads: Reads = Field(
        default=Reads.model_construct(), description="Pacing of reads; the embedded platform has none."
    )
    writes: Writes | None = Field(default=None, description="Pacing of writes; absent on embedded: none.")
    guards: Guards = Field(default=Guards.model_construct(), description="Thresholds of the guards.")
    allowed_namespaces: Annotated[tuple[ObjectName, ...], Field(max_length=64)] = Field(
        default=(), description="In a cluster: namespaces beside its own whose resources may use this account."
    )

    @property
    def may_activate(self) -> bool:
        """Whether activations may be written, with the platform's default filled in."""
        return self.platform is PlatformName.EMBEDDED if self.allow_activation is None else self.allow_activation


class _PlatformAccount(Kind[PlatformAccountSpec]):
    name: ClassVar[str] = "PlatformAccount"
    plural: ClassVar[str] = "platformaccounts"
    short_names: ClassVar[tuple[str, ...]] = ("pacct",)
    spec: ClassVar[type[Spec]] = PlatformAccountSpec
    columns: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Target", ".spec.platform"),
        ("Desired", ".spec.management"),
        ("Observed", '.status.conditions[?(@.type=="CredentialsValid")].status'),
    )
    selectable: ClassVar[tuple[str, ...]] = ("spec.platform",)
    # Switches are left as they are when nobody declares them any more: there is no safe side to fall to.
    default: ClassVar[Fields] = MappingProxyType({FREE_TOKENS_ONLY: None, AUTO_ACTIVATION: None})
    revert_unknown: ClassVar[bool] = False

    def target(self, resource: Resource[Any], snapshot: Snapshot) -> Target | None:  # noqa: ARG002
        return Target(self.name, resource.account)

    def desired(self, resource: Resource[Any], now: datetime) -> Fields:  # noqa: ARG002  # same at any time
        spec: PlatformAccountSpec = resource.spec
        switches = ((FREE_TOKENS_ONLY, spec.free_tokens_only), (AUTO_ACTIVATION, spec.auto_activation))
        return {path: value for path, value in switches if value is not None}

    def live(self, snapshot: Snapshot, target: Target) -> Fields:  # noqa: ARG002  # an account has one set of switches
        switches = snapshot.switches
        return {FREE_TOKENS_ONLY: switches.free_tokens_only, AUTO_ACTIVATION: switches.auto_activation}

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:
        operations = (
            (FREE_TOKENS_ONLY, Operation.SET_FREE_TOKENS_ONLY),
            (AUTO_ACTIVATION, Operation.SET_AUTO_ACTIVATION),
        )
        return tuple(
            Write(operation, target, {"enabled": wanted[path]})
            for path, operation in operations
            if wanted.get(path) is not None and wanted[path] != live[path]
        )

    def irreversible(self, path: str, after: Value) -> str:
        if path == FREE_TOKENS_ONLY and after is False:
            return "switching free-tokens-only (安心体验模式) off is for ever: it can never be switched on again"
        return ""

    def exists(self, snapshot: Snapshot, target: Target) -> bool:  # noqa: ARG002  # an account always has its switches
        return True

    def model(self, snapshot: Snapshot, target: Target) -> str:  # noqa: ARG002  # switches belong to no model
        return ""


KIND: Final = _PlatformAccount()
