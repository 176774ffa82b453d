"""A platform on a fresh database with a clock of its own, and words to set it up and to spend on it."""

from dataclasses import dataclass
from typing import Any

import pytest
from clock import Clock

from reconciler.platforms.embedded.calls import Call, Charge, UseKind
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.refusals import Refusal
from reconciler.state import Endpoint, Model


@dataclass
class Small:
    """A small Ark under test."""

    engine: Engine
    clock: Clock

    def add(self, *entries: ModelEntry | EndpointEntry, **account: Any) -> None:
        models = tuple(entry for entry in entries if isinstance(entry, ModelEntry))
        endpoints = tuple(entry for entry in entries if isinstance(entry, EndpointEntry))
        with self.engine.store.write() as tx:
            put(tx, Contents(models=models, endpoints=endpoints, account=account), self.engine.now())

    def model(self, name: str = "chat", **columns: Any) -> None:
        """A language model with a free quota of 500,000 tokens, unless said otherwise."""
        self.add(ModelEntry(name=name, columns={"domain": "LLM", "free_total": 500_000, **columns}))

    def endpoint(self, endpoint: str = "ep-1", **columns: Any) -> None:
        self.add(EndpointEntry(id=endpoint, columns={"name": endpoint, "model": "chat", **columns}))

    def activated(self, name: str = "chat", **columns: Any) -> None:
        self.model(name, **columns)
        self.engine.activate(name)

    def use(self, target: str = "chat", tokens: int = 1000, requests: int = 1, kind: str = "online") -> Charge:
        return self.engine.use(Call(target, tokens, requests, UseKind(kind)))

    def refused(self, target: str = "chat", tokens: int = 1000, requests: int = 1, kind: str = "online") -> str:
        """The code with which a call is refused."""
        with pytest.raises(Refusal) as caught:
            self.use(target, tokens, requests, kind)
        return caught.value.code.value

    def seen(self, name: str = "chat") -> Model:
        return self.engine.model(name).models[name]

    def seen_endpoint(self, endpoint: str = "ep-1") -> Endpoint:
        return self.engine.endpoint(endpoint).endpoints[endpoint]


@pytest.fixture
def small(tmp_path):
    clock = Clock()
    engine = open_engine(tmp_path / "platform.db", clock)
    yield Small(engine, clock)
    engine.close()
