"""Volcengine Ark as a platform: sweeps by list calls, writes by published or configured actions, never by a guessed one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from reconciler.errors import ModelPolicyError, Permanent, Unsupported
from reconciler.kinds.platform_account import Ark
from reconciler.platforms.ark import actions, mapping, pages
from reconciler.platforms.ark.account import Whose
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.details import Details
from reconciler.platforms.ark.endpoints import Endpoints
from reconciler.platforms.ark.models import ACTIVATIONS, LIMITS, Models
from reconciler.platforms.ark.parallel import parallel
from reconciler.platforms.ark.usage import Meter
from reconciler.reasons import Reason
from reconciler.state import (
    UNOBSERVABLE,
    ActivationState,
    Limit,
    Listing,
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
# The parts of a model that an item of each kind is.
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "ModelActivation": ("activations", "charges"),
    "InferenceLimit": (LIMITS,),
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world, handed in."""

    client: Client
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    whose: Whose
    details: Details


class ArkPlatform:
    """One account of Ark. Safe to call from several threads at once."""

    def __init__(self, settings: Ark, tools: Tools) -> None:
        self.settings = settings
        self.client = tools.client
        self._clock = tools.clock
        self._sleep = tools.sleep
        self.whose = tools.whose
        self._supports = actions.supports(settings)
        self._models = Models(tools.client, settings)
        self._endpoints = Endpoints(tools.client, settings.project, tools.details)
        self._meter = Meter(tools.client, settings.project, tools.clock, tools.whose.identity.place)

    # ---- reading

    def capabilities(self) -> Mapping[Operation, Support]:
        """See `Reader.capabilities`."""
        return self._supports

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """See `Reader.observe`. A list that is not whole was asked for twice."""
        observed_at = self._clock()
        self.whose.ask()
        with parallel(self.client.concurrency) as beside:
            metered, listed = beside.start(self._meter.read), beside.start(self._endpoints.listed, beside)
            switches = beside.start(self._switches, ever_activated=UNOBSERVABLE)
            models, models_flaw = self._models.every(beside)
            limited = limited_models | {name for name, model in models.items() if isinstance(model.limit, Limit)}
            endpoints = self._endpoints.every(listed.result(), limited, beside)
            use = metered.result()
        self.whose.told(use.account)
        models, endpoints = use.over(models, endpoints)
        activated = any(model.state is ActivationState.ACTIVATED for model in models.values())
        flaws = {Listing.MODELS: models_flaw, Listing.ENDPOINTS: listed.result().flaw}
        return Snapshot(
            observed_at=observed_at,
            identity=self.whose.wait(),
            models=models,
            endpoints=endpoints,
            switches=replace(switches.result(), ever_activated=True if activated else UNOBSERVABLE),
            links=pages.links(self.settings.endpoint, self.settings.region),
            not_whole={listing: flaw for listing, flaw in flaws.items() if flaw},
            use_unread=use.unread,
        )

    def read(self, target: Target) -> Snapshot:
        """See `Reader.read`. What of a model the item is not is as the last sweep saw it, which saves calls."""
        seen = self._read(target)
        models, endpoints = self._meter.last.over(seen.models, seen.endpoints)
        return replace(seen, models=models, endpoints=endpoints)

    def _read(self, target: Target) -> Snapshot:
        seen = Snapshot(observed_at=self._clock(), identity=self.whose.identity)
        if target.kind == "PlatformAccount":
            return replace(seen, switches=self._switches(ever_activated=UNOBSERVABLE))
        with parallel(self.client.concurrency) as beside:
            if target.kind != "EndpointRateOverride":
                return replace(seen, models=self._models.one(target.name, _PARTS[target.kind], beside))
            endpoint = self._endpoints.one(target.name)
            if endpoint is None:
                return seen
            models = self._models.known(endpoint.model, beside)
            return replace(seen, models=models, endpoints={target.name: endpoint})

    def close(self) -> None:
        """See `Reader.close`."""
        self.client.close()

    def _switches(self, *, ever_activated: Seen[bool]) -> Switches:
        return Switches(
            free_tokens_only=self._switch(Operation.READ_FREE_TOKENS_ONLY),
            free_tokens_only_ended=UNOBSERVABLE,
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
            if write.operation is Operation.SET_LIMIT:
                with parallel(self.client.concurrency) as beside:
                    self._endpoints.check_capacity(write.target.name, beside)
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
                with parallel(self.client.concurrency) as beside:
                    found = self.client.listed(ACTIVATIONS, beside).items.get(model, {})
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
