"""Volcengine Ark as a platform: sweeps by list calls, writes by published or configured actions, never by a guessed one."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from reconciler.errors import ModelPolicyError, Permanent, Unsupported
from reconciler.identity import Identity
from reconciler.kinds.platform_account import Ark
from reconciler.platforms.ark import actions, mapping
from reconciler.platforms.ark.client import Client, Page
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Endpoint,
    Limit,
    Model,
    Operation,
    Seen,
    Snapshot,
    Support,
    Switches,
    Target,
    Write,
)

ACTIVATION_LOOKS: Final = 10  # the vendor's own tool looks for five seconds and takes a timeout as harmless
ACTIVATION_PAUSE_S: Final = 0.5
_DENIED: Final = (Reason.PERMISSION_DENIED,)
_NAME: Final = "FoundationModelName"
_ALSO_RETIRING: Final = {"Filter": {"IncludeDeprecatedModels": True}}
# The lists of models, by the part of `mapping.Replies` that each is.
_LISTS: Final[Mapping[str, Page]] = {
    "activations": Page("ListModelActivations", _NAME, {"WithPrice": True, "WithFreeUsage": True, **_ALSO_RETIRING}),
    "charges": Page("ListModelChargeItems", _NAME, {}),
    "rates": Page("ListModelRateLimit", _NAME, {"FoundationModelNames": []}),
    "catalogue": Page("ListFoundationModels", "Name", {}),
}
# The parts of a model that an item of each kind is.
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "ModelActivation": ("activations", "charges"),
    "InferenceLimit": ("limits",),
    "EndpointRateOverride": (),
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world, handed in."""

    client: Client
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    identity: Identity


class ArkPlatform:
    """One account of Ark. Safe to call from several threads at once."""

    def __init__(self, settings: Ark, tools: Tools) -> None:
        self.settings = settings
        self.client = tools.client
        self._clock = tools.clock
        self._sleep = tools.sleep
        self._identity = tools.identity
        self._supports = actions.supports(settings)
        # GetEndpoint replies by endpoint id, with the UpdateTime they belong to.
        self._details: dict[str, tuple[str, dict[str, Any]]] = {}
        self._replies: mapping.Replies | None = None  # what was last said of the models
        self._keeping = threading.Lock()

    # ---- reading

    def capabilities(self) -> Mapping[Operation, Support]:
        """See `Reader.capabilities`."""
        return self._supports

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """See `Reader.observe`."""
        observed_at = self._clock()
        models = self._every_model()
        limited = limited_models | {name for name, model in models.items() if isinstance(model.limit, Limit)}
        items = list(self.client.pages(self._endpoints_page()))
        endpoints = {}
        for item in items:
            listed, updated = mapping.endpoint(item, None), str(item.get("UpdateTime"))
            kept = self._kept_details(listed.id, updated)
            details = self._endpoint(listed.id) if kept is None and listed.model in limited else kept
            endpoints[listed.id] = mapping.endpoint(item, details) if details is not None else listed
        ids = set(endpoints)
        self._details = {id_: kept for id_, kept in self._details.items() if id_ in ids}
        activated = any(model.state is ActivationState.ACTIVATED for model in models.values())
        return Snapshot(
            observed_at=observed_at,
            identity=self._identity,
            models=models,
            endpoints=endpoints,
            switches=self._switches(ever_activated=True if activated else UNOBSERVABLE),
        )

    def read(self, target: Target) -> Snapshot:
        """See `Reader.read`. What of a model the item is not is as the last sweep saw it, which saves calls."""
        observed_at = self._clock()
        if target.kind == "PlatformAccount":
            switches = self._switches(ever_activated=UNOBSERVABLE)
            return Snapshot(observed_at=observed_at, identity=self._identity, switches=switches)
        endpoints: dict[str, Endpoint] = {}
        name = target.name
        if target.kind == "EndpointRateOverride":
            details = self._endpoint(target.name)
            if details is None:
                return Snapshot(observed_at=observed_at, identity=self._identity)
            endpoints[target.name] = mapping.endpoint(details, details)
            name = endpoints[target.name].model
        models = self._model(name, _PARTS[target.kind])
        return Snapshot(observed_at=observed_at, identity=self._identity, models=models, endpoints=endpoints)

    def close(self) -> None:
        """See `Reader.close`."""
        self.client.close()

    def _endpoints_page(self) -> Page:
        # By creation, oldest first: what is made during the sweep comes last and shifts no page.
        request = {"ProjectName": self.settings.project, "SortBy": "CreateTime", "SortOrder": "Asc"}
        return Page("ListEndpoints", "Id", request)

    def _every_model(self) -> dict[str, Model]:
        """Every model, asked anew."""
        found = mapping.Replies(**{part: self._part(part) for part in _LISTS})
        replies = replace(found, limits=self._limits(found.names))
        with self._keeping:
            self._replies = replies
        return {name: mapping.model(name, replies) for name in replies.names}

    def _model(self, name: str, parts: Sequence[str]) -> dict[str, Model]:
        """The model alone, {} where there is none: `parts` asked anew, the others as they were last seen."""
        if self._replies is None:
            return {known: model for known, model in self._every_model().items() if known == name}
        # Whole lists, for they are short and their filters by name are not published; but only this model's part of them is
        # kept: another model's may be older than what its own read has seen meanwhile.
        asked = {part: self._limits((name,)) if part == "limits" else self._part(part) for part in parts}
        with self._keeping:
            known = self._replies
            self._replies = replace(
                known, **{part: _laid(getattr(known, part), found, name) for part, found in asked.items()}
            )
            replies = self._replies
        return {name: mapping.model(name, replies)} if name in replies.names else {}

    def _part(self, part: str) -> dict[str, Any] | None:
        """One list of models, by name; None where it may not be asked."""
        page, items = _LISTS[part], mapping.objects
        if part == "rates":  # it is not paged
            return self._known(lambda: mapping.by_name(items(self.client.read(page.action, page.request), "Items")))
        return self._known(lambda: mapping.by_name(self.client.pages(page), page.key))

    @staticmethod
    def _known(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """What was answered; None where this deployment has no such action or this key may not use it."""
        try:
            return ask()
        except Unsupported:
            return None
        except Permanent as refusal:
            if refusal.reason in _DENIED:
                return None
            raise

    def _limits(self, names: tuple[str, ...]) -> Mapping[str, Limit] | None:
        action = self.settings.actions.read_limit
        if action is None:
            return None
        values = {"models": list(names), "project": self.settings.project}
        return mapping.limits(self.client.read(action.action, actions.filled(action.request, values)), action.response)

    def _kept_details(self, id_: str, updated: str) -> dict[str, Any] | None:
        """The last GetEndpoint reply, while the endpoint was not updated since."""
        kept = self._details.get(id_)
        return kept[1] if kept is not None and kept[0] == updated else None

    def _endpoint(self, id_: str) -> dict[str, Any] | None:
        """The GetEndpoint reply; None where there is no such endpoint."""
        try:
            result = self.client.read("GetEndpoint", {"Id": id_})
        except Permanent as refusal:
            if refusal.reason is Reason.TARGET_NOT_FOUND:
                return None
            raise
        nested = result.get("Endpoint")  # as an older page of the documentation has it
        details = nested if isinstance(nested, dict) else result
        self._details[id_] = (str(details.get("UpdateTime")), details)
        return details

    def _switches(self, *, ever_activated: Seen[bool]) -> Switches:
        return Switches(
            free_tokens_only=self._switch(Operation.READ_FREE_TOKENS_ONLY),
            auto_activation=self._switch(Operation.READ_AUTO_ACTIVATION),
            ever_activated=ever_activated,
            verified=UNOBSERVABLE,
        )

    def _switch(self, operation: Operation) -> Seen[bool]:
        action = actions.of(self.settings.actions, operation)
        if action is None:
            return UNOBSERVABLE
        request = actions.filled(action.request, {"project": self.settings.project})
        value = mapping.dig(self.client.read(action.action, request), action.response["enabled"])
        return value if isinstance(value, bool) else UNOBSERVABLE

    # ---- writing

    def write(self, write: Write) -> None:
        """See `Platform.write`. Nothing is sent twice: where the answer was lost, the caller reads first."""
        support = self._supports[write.operation]
        action = actions.for_write(self.settings.actions, write)
        if action is not None:
            request = actions.filled(action.request, actions.values_of(write, self.settings.project))
            self.client.write(action.action, request)
        elif write.operation is Operation.SET_OVERRIDE:
            self.client.write("UpdateEndpoint", _both_rates(write))
        elif write.operation in (Operation.ACTIVATE, Operation.ADD_SUB_SERVICE):
            service = write.arguments.get("subService", mapping.BASE)
            self.client.write(
                "OpenModelChargeItem", {"FoundationModelName": write.target.name, "SubServices": [service]}
            )
        else:
            raise Unsupported(
                f"{write.operation.value} {write.target.name}: {support.note}", how_to=actions.how_to(write, support)
            )
        if write.operation is Operation.ACTIVATE:
            self._await_activation(write.target.name)

    def _await_activation(self, model: str) -> None:
        """Activation is asynchronous: look a few times. That it takes longer is no failure; the read-back will tell."""
        for _ in range(ACTIVATION_LOOKS):
            try:
                page = Page("ListModelActivations", _NAME, _ALSO_RETIRING)
                found = mapping.by_name(self.client.pages(page)).get(model, {})
            except ModelPolicyError:
                return  # the activation was accepted; what cannot be seen is not its failure
            if found.get("State") == "Available":
                return
            self._sleep(ACTIVATION_PAUSE_S)


def _both_rates(write: Write) -> dict[str, Any]:
    """Ark wants Rpm and Tpm together, so one of them alone cannot be written beside an inherited other."""
    rpm, tpm = write.arguments.get("rpm"), write.arguments.get("tpm")
    if rpm is None or tpm is None:
        missing = "rpm" if rpm is None else "tpm"
        raise Permanent(
            f"set-override {write.target.name}: Ark takes Rpm and Tpm together and {missing} is inherited; declare both",
            reason=Reason.RULE_VIOLATION,
        )
    return {"Id": write.target.name, "RateLimit": {"Rpm": rpm, "Tpm": tpm}}


def _laid(kept: Mapping[str, Any] | None, found: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """What is kept of a list, with what was found of one model in its place."""
    if found is None:
        return None
    others = {known: item for known, item in (kept or {}).items() if known != name}
    return {**others, name: found[name]} if name in found else others


def identity_of(settings: Ark, access_key: str) -> Identity:
    """The platform account's identity as far as it can be told without asking: where it answers, and a digest of the key."""
    digest = hashlib.sha256(access_key.encode()).hexdigest()[:16]
    scope = f"{settings.region}/{settings.project}"
    return Identity(platform="ark", scope=scope, at=settings.endpoint or settings.region, key=digest)
