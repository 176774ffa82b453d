"""A second, independent telling of docs/platform.md: what the platform takes and refuses, as plain values. Shares no code with us.

It covers S2, S5-S8, S15-S17, S20-S23, S25 and S30 for language models that are paid by token, without free quota.
"""

from dataclasses import dataclass, field

INTERVAL_S = 2 * 60 * 60


@dataclass
class Model:
    invited: bool = False  # S8: by invitation only
    activated: bool = False
    services: set[str] = field(default_factory=set)
    limit: int | None = None
    used: int = 0
    effective_s: int | None = None
    set_s: int | None = None  # when the platform took the last set; a removal does not reset it (S21)
    ours_s: int | None = None  # when we last set or removed it


@dataclass
class World:
    """The account as it must be. Each verb answers "" and does it, or the rule that forbids it and does nothing."""

    models: dict[str, Model]
    endpoints: dict[str, tuple[int | None, int | None]]
    sets: dict[str, list[int]] = field(default_factory=dict)

    def activate(self, name: str, _: object = None) -> str:
        model = self.models[name]
        if model.invited and not model.activated:
            return "S8: by invitation only"
        model.activated = True
        return ""

    def deactivate(self, name: str, _: object = None) -> str:
        model = self.models[name]
        if model.activated and model.limit is not None:
            return "S25: a limit needs an activated model"
        model.activated, model.services = False, set()
        return ""

    def add_service(self, name: str, service: str) -> str:
        model = self.models[name]
        if service in model.services:
            return ""
        if not model.activated:
            return "S2: not activated"
        if service == "context-cache" and model.limit is not None:
            return "S23: prefix cache and a limit exclude each other"
        model.services.add(service)
        return ""

    def drop_service(self, name: str, service: str) -> str:
        self.models[name].services.discard(service)
        return ""

    def set_limit(self, name: str, tokens: int, now_s: int) -> str:
        model = self.models[name]
        if not model.activated:
            return "S25: not activated"
        if "context-cache" in model.services:
            return "S23: prefix cache and a limit exclude each other"
        if model.set_s is not None and now_s - model.set_s < INTERVAL_S:
            return "S21: two hours"
        model.limit, model.used, model.effective_s, model.set_s = tokens, 0, now_s, now_s
        self.sets.setdefault(name, []).append(now_s)
        return ""

    def remove_limit(self, name: str) -> str:
        model = self.models[name]
        model.limit, model.used, model.effective_s = None, 0, None
        return ""

    def override(self, endpoint: str, rpm: int | None, tpm: int | None) -> str:
        self.endpoints[endpoint] = (rpm, tpm)
        return ""

    def use(self, name: str, tokens: int) -> str:
        model = self.models[name]
        if not model.activated:
            return "S6: not activated and no free quota left"
        if model.limit is not None and model.used >= model.limit:
            return "S17: the limit is reached"
        if model.limit is not None:
            model.used += tokens
        return ""

    def too_early_to_try(self, name: str, now_s: int) -> bool:
        """Whether anybody who reads the platform and remembers their own writes knows that a set comes too early."""
        model = self.models[name]
        known = [at for at in (model.effective_s, model.ours_s) if at is not None]
        return bool(known) and now_s - max(known) < INTERVAL_S
