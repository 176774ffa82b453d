"""A stage for whole passes: the embedded platform, a ledger, a clock that stands still, and trouble to order."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import NOW, declared

from reconciler import reconcile
from reconciler.errors import PlatformError
from reconciler.kinds import Resource
from reconciler.kinds.declared import DeclarationSet, Declared
from reconciler.ledger import Ledger, open_ledger
from reconciler.platforms import ReadOnly
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.platform import EmbeddedPlatform
from reconciler.report import Report
from reconciler.state import Outcome, Snapshot, Target, Write


class Recorder(EmbeddedPlatform):
    """The embedded platform, noting every call, and failing where it is told to.

    `before` and `after` hold errors to raise before or after a write of an operation really happens, each once.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.writes: list[Write] = []
        self.before: dict[str, list[PlatformError]] = {}
        self.after: dict[str, list[PlatformError]] = {}
        self.on_read: list[PlatformError] = []
        self.stale_reads: list[Snapshot] = []
        self._lock = threading.Lock()

    def read(self, target: Target) -> Snapshot:
        if self.on_read:
            raise self.on_read.pop(0)
        return self.stale_reads.pop(0) if self.stale_reads else super().read(target)

    def write(self, write: Write) -> None:
        with self._lock:
            self.writes.append(write)
            self._raise(self.before, write)
        super().write(write)
        self._raise(self.after, write)

    @staticmethod
    def _raise(planned: dict[str, list[PlatformError]], write: Write) -> None:
        if planned.get(write.operation.value):
            raise planned[write.operation.value].pop(0)

    @property
    def done(self) -> list[str]:
        """The writes as short words."""
        return [f"{write.operation.value} {write.target.name}" for write in self.writes]


@dataclass
class Stage:
    """Everything one account's passes need, in a folder of its own."""

    home: Path
    now: datetime = NOW
    stop: bool = False
    slept: list[float] = field(default_factory=list)
    told: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = open_engine(self.home / "platform.db", lambda: self.now)
        self.platform = Recorder(self.engine)
        self.ledger: Ledger = open_ledger(str(self.home / "ledger.db"))

    def close(self) -> None:
        self.engine.close()
        self.ledger.close()

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)

    def models(self, *names: str, **columns: Any) -> None:
        """Language models that nobody activated."""
        self._add(tuple(ModelEntry(name=name, columns={"domain": "LLM", **columns}) for name in names), ())

    def endpoints(self, *ids: str, of: str) -> None:
        self._add((), tuple(EndpointEntry(id=each, columns={"name": each, "model": of}) for each in ids))

    def _add(self, models: tuple[ModelEntry, ...], endpoints: tuple[EndpointEntry, ...]) -> None:
        with self.engine.store.write() as tx:
            put(tx, Contents(models=models, endpoints=endpoints, account={}), self.engine.now())

    def asked(self, *resources: Resource[Any] | Declared, **flags: Any) -> reconcile.Asked:
        whole = resources[0] if resources and isinstance(resources[0], Declared) else declared(*resources)  # type: ignore[arg-type]
        mine = DeclarationSet(name=flags.pop("set_name", ""), under=flags.pop("under", ()))
        return reconcile.Asked(account="default", everything=whole, declaration_set=mine, **flags)

    def look(self, asked: reconcile.Asked) -> Report:
        return reconcile.look(asked, ReadOnly(self.platform), self.ledger.history("default"), {}, self.now)

    def act(self, asked: reconcile.Asked, report: Report | None = None, **flags: Any) -> Report:
        return reconcile.act(report or self.look(asked), asked, self.platform, self.ledger, self.acting(**flags))

    def apply(self, *resources: Resource[Any] | Declared, **flags: Any) -> Report:
        """Look and act."""
        return self.act(self.asked(*resources, **flags))

    def acting(self, **flags: Any) -> reconcile.Acting:
        known: Mapping[str, Any] = {
            "operation": "apply", "actor": "ada", "clock": lambda: self.now, "stop": lambda: self.stop,
            "sleep": self.slept.append, "progress": self.told.append,
        }  # fmt: skip
        return reconcile.Acting(**{**known, **flags})
