"""The platforms that keep the contract: each is a factory of a rehearsal account with known contents and its own clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clock import Clock
from served import PRIVATE

from reconciler.kinds.platform_account import Embedded, PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, Platform, connect
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.faults import Faults
from reconciler.platforms.embedded.keys import make
from reconciler.platforms.embedded.server import Served, in_background

# What every platform of the suite is given: a language model, a second one, one by invitation, and two endpoints.
CONTENTS = Contents(
    models=(
        ModelEntry(name="contract-chat", columns={"domain": "LLM", "rpm": 600, "tpm": 100_000, "free_total": 500_000}),
        ModelEntry(name="contract-other", columns={"domain": "LLM", "rpm": 600, "tpm": 100_000, "free_total": 0}),
        ModelEntry(name="contract-invited", columns={"domain": "LLM", "invite_only": 1, "free_total": 0}),
    ),
    endpoints=(
        EndpointEntry(id="ep-contract-1", columns={"name": "search-prod", "model": "contract-chat"}),
        EndpointEntry(id="ep-contract-2", columns={"name": "search-dev", "model": "contract-chat"}),
    ),
)


@dataclass
class Bench:
    """A platform under test, the engine behind it, and its clock; `faults` are those of the lists it is asked by, if any."""

    platform: Platform
    engine: Engine
    clock: Clock
    faults: Faults[Engine] | None = None


def filled(path: Path, clock: Clock) -> Engine:
    """An engine on a fresh database that holds CONTENTS beside the catalogue."""
    engine = open_engine(path, clock)
    with engine.store.write() as tx:
        put(tx, CONTENTS, engine.now())
    return engine


def _embedded(tmp_path: Path) -> Iterator[Bench]:
    clock, path = Clock(), tmp_path / "platform.db"
    engine = filled(path, clock)
    platform = connect(PlatformAccountSpec(embedded=Embedded(path=str(path))), Connection(clock))
    yield Bench(platform, engine, clock)
    platform.close()
    engine.close()


def _served(tmp_path: Path, **ark: object) -> Iterator[Bench]:
    """Ark by its SDK, over the embedded platform served with Ark's protocol."""
    clock = Clock()
    engine = filled(tmp_path / "platform.db", clock)
    keys = make()
    private = PlatformAccountSpec.model_validate({"platform": "ark", "ark": ark}).ark.actions
    served = Served(engine=engine, keys=keys, actions=private)
    with in_background(served) as url:
        spec = PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"endpoint": url, **ark}})
        platform = connect(spec, Connection(clock, Credentials(keys.access_key, keys.secret_key)))
        yield Bench(platform, engine, clock, served.faults)
        platform.close()
    engine.close()


def _ark_with_private_actions(tmp_path: Path) -> Iterator[Bench]:
    yield from _served(tmp_path, actions=PRIVATE)


FACTORIES: dict[str, Callable[[Path], Iterator[Bench]]] = {
    "ark": _served,
    "ark-with-private-actions": _ark_with_private_actions,
    "embedded": _embedded,
}


@pytest.fixture(params=sorted(FACTORIES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from FACTORIES[request.param](tmp_path)
