"""Volcengine Ark as a platform: sweeps by list calls, writes by published or configured actions, never by a guessed one."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reconciler.errors import ModelPolicyError, Permanent, Unsupported
from reconciler.kinds.platform_account import Ark
from reconciler.platforms.ark import actions, mapping
from reconciler.platforms.ark.client import Client, Page
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Endpoint,
    Limit,
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


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world, handed in."""

    client: Client
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    identity: str


class ArkPlatform:
    """One account of Ark. Safe to call from several threads at once."""

    def __init__(self, settings: Ark, tools: Tools) -> None:
        self.settings = settings
        self.client = tools.client
        self._clock = tools.clock
        self._sleep = tools.sleep
        self._identity = tools.identity
        self._supports = actions.supports(settings.actions)
        # GetEndpoint replies by endpoint id, with the UpdateTime they belong to.
        self._details: dict[str, tuple[str, dict[str, Any]]] = {}

    # ---- reading

    def capabilities(self) -> Mapping[Operation, Support]:
        """See `Reader.capabilities`."""
        return self._supports

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """See `Reader.observe`."""
        observed_at = self._clock()
        models = self._models(None)
        limited = limited_models | {name for name, model in models.items() if isinstance(model.limit, Limit)}
        items = list(self.client.pages(self._endpoints_page()))
        endpoints = {}
        for item in items:
            listed = mapping.endpoint(item, None)
            details = self._endpoint(listed.id, str(item.get("UpdateTime"))) if listed.model in limited else None
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
        """See `Reader.read`."""
        observed_at = self._clock()
        if target.kind == "PlatformAccount":
            switches = self._switches(ever_activated=UNOBSERVABLE)
            return Snapshot(observed_at=observed_at, identity=self._identity, switches=switches)
        endpoints: dict[str, Endpoint] = {}
        model = target.name
        if target.kind == "EndpointRateOverride":
            details = self._endpoint(target.name, None)
            if details is None:
                return Snapshot(observed_at=observed_at, identity=self._identity)
            endpoints[target.name] = mapping.endpoint(details, details)
            model = endpoints[target.name].model
        models = self._models(model) if model else {}
        return Snapshot(observed_at=observed_at, identity=self._identity, models=models, endpoints=endpoints)

    def close(self) -> None:
        """See `Reader.close`."""
        self.client.close()

    def _endpoints_page(self) -> Page:
        # By creation, oldest first: what is made during the sweep comes last and shifts no page.
        request = {"ProjectName": self.settings.project, "SortBy": "CreateTime", "SortOrder": "Asc"}
        return Page("ListEndpoints", "Id", request)

    def _models(self, only: str | None) -> dict[str, Any]:
        """Every model, or the only one asked for (the lists are short, and their filters by name are not published)."""
        name = "FoundationModelName"
        request = {"WithPrice": True, "WithFreeUsage": True, "Filter": {"IncludeDeprecatedModels": True}}
        rates = {"FoundationModelNames": [only] if only else []}
        activations = self._known(
            lambda: mapping.by_name(self.client.pages(Page("ListModelActivations", name, request)))
        )
        charges = self._known(lambda: mapping.by_name(self.client.pages(Page("ListModelChargeItems", name, {}))))
        rated = self._known(
            lambda: mapping.by_name(mapping.objects(self.client.read("ListModelRateLimit", rates), "Items"))
        )
        catalogue = self._known(
            lambda: mapping.by_name(self.client.pages(Page("ListFoundationModels", "Name", {})), "Name")
        )
        found = mapping.Replies(activations=activations, charges=charges, rates=rated, catalogue=catalogue)
        names = found.names if only is None else tuple(known for known in found.names if known == only)
        limits = self._limits(names)
        replies = mapping.Replies(
            activations=activations, charges=charges, rates=rated, catalogue=catalogue, limits=limits
        )
        return {known: mapping.model(known, replies) for known in names}

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

    def _endpoint(self, id_: str, updated: str | None) -> dict[str, Any] | None:
        """The GetEndpoint reply; the one kept where `updated` is what it was. None where there is no such endpoint."""
        kept = self._details.get(id_)
        if kept is not None and updated is not None and kept[0] == updated:
            return kept[1]
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
                page = Page(
                    "ListModelActivations", "FoundationModelName", {"Filter": {"IncludeDeprecatedModels": True}}
                )
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


def identity_of(settings: Ark, access_key: str) -> str:
    """The platform account's identity as far as it can be told: its API and a digest of the access key."""
    digest = hashlib.sha256(access_key.encode()).hexdigest()[:16]
    return f"ark:{settings.endpoint or settings.region}:{digest}"
