"""A seat and a loop on the stage: virtual time, a source that holds what it is given, an ear that remembers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from builders import NOW, declared
from stage import Stage

from reconciler.controller import Pass, Settings, World
from reconciler.controller.seat import Seat
from reconciler.finding import Finding
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.state import Outcome, Snapshot


@dataclass(frozen=True)
class Set:
    """What a source loaded."""

    declared: Declared
    findings: tuple[Finding, ...] = ()


@dataclass
class Heard:
    """An ear that remembers."""

    leads: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def led(self, account: str, holder: str) -> None:
        self.leads.append(holder)

    def outcome(self, account: str, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def trouble(self, account: str, message: str) -> None:
        self.troubles.append(message)


class Looping:
    """One account's seat on a stage of its own."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.stage = Stage(home)
        self.ear = Heard()
        self.sweeps = 0
        self.on_sweep: list[Exception] = []
        real = self.stage.platform.observe

        def observe(limited_models: frozenset[str]) -> Snapshot:
            self.sweeps += 1
            if self.on_sweep:
                raise self.on_sweep.pop(0)
            return real(limited_models)

        self.stage.platform.observe = observe  # type: ignore[method-assign]
        self.stop = threading.Event()
        self.settings = Settings(**settings)
        self.seat = Seat("default", self.world(), self.settings)

    def world(self, **other: Any) -> World:
        mine = World(
            clock=lambda: self.stage.now,
            monotonic=self.elapsed_s,
            random=lambda: 0.5,
            connect=lambda account: self.stage.platform,
            ledger=self.stage.ledger,
            actor="ada",
            revision=lambda: "",
            ear=self.ear,
        )
        return replace(mine, **other)

    def elapsed_s(self) -> float:
        return (self.stage.now - NOW).total_seconds()

    def look(self, *resources: Resource[Any] | Declared) -> Pass | None:
        """One look at what is declared."""
        whole = resources[0] if resources and isinstance(resources[0], Declared) else declared(*resources)  # type: ignore[arg-type]
        return self.seat.look(Set(whole), self.stop)

    def wait(self) -> float:
        """Let the time pass that the seat wants to wait; how long that was, in seconds."""
        seconds = self.seat.again_after_s
        self.stage.forward(seconds=seconds)
        return seconds

    def idle(self, resources: tuple[Resource[Any], ...], hours: float) -> int:
        """Loop for that long; how many looks there were."""
        until, looks = self.stage.now.timestamp() + hours * 3600, 0
        while self.stage.now.timestamp() < until:
            self.wait()
            self.look(*resources)
            looks += 1
            assert looks < 10_000, "a hot loop"
        return looks


Start = Callable[..., Looping]
