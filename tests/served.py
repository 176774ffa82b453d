"""A served embedded platform, one for each test module, over real HTTP on loopback; and clients signed for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, Platform, connect
from reconciler.platforms.embedded import lifecycle
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.keys import Keys, make
from reconciler.platforms.embedded.server import Served, in_background

MODEL = "doubao-seed-1-6"
OTHER = "doubao-seed-1-6-flash"
# Names made up for these tests: what they are called is the account's configuration, as it would be on Ark.
PRIVATE = {
    "deactivate": {"action": "TestCloseModel", "request": {"Name": "{model}"}},
    "dropSubService": {"action": "TestDropService", "request": {"Name": "{model}", "Service": "{subService}"}},
    "setLimit": {"action": "TestSetLimit", "request": {"Limits": [{"Name": "{model}", "Most": "{tokens}"}]}},
    "removeLimit": {"action": "TestRemoveLimit", "request": {"Names": ["{model}"]}},
    "readLimit": {
        "action": "TestListLimits",
        "request": {"Names": "{models}"},
        "response": {
            "items": "Deep.Limits",
            "model": "Name",
            "tokens": "Most",
            "used": "Used",
            "effectiveAt": "From",
            "observedAt": "At",
        },
    },
    "clearOverride": {
        "action": "UpdateEndpoint",
        "request": {"Id": "{endpoint}", "RateLimit": {"Rpm": "{rpm}", "Tpm": "{tpm}", "Inherit": True}},
    },
    "setFreeTokensOnly": {"action": "TestFreeOnly", "request": {"On": "{enabled}"}},
    "readFreeTokensOnly": {"action": "TestGetFreeOnly", "response": {"enabled": "Mode.On"}},
    "enableAutoActivation": {"action": "TestAutoOn"},
    "disableAutoActivation": {"action": "TestAutoOff"},
    "readAutoActivation": {"action": "TestGetAuto", "response": {"enabled": "On"}},
}


@dataclass
class Clock:
    """The platform's time, which a test may move."""

    offset: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class Rig:
    """A running server with all that a test needs to reach it."""

    url: str
    keys: Keys
    served: Served
    clock: Clock

    @property
    def engine(self) -> Engine:
        return self.served.engine

    def spec(self, **ark: object) -> PlatformAccountSpec:
        return PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"endpoint": self.url, **ark}})

    def connect(self, **ark: object) -> Platform:
        credentials = Credentials(self.keys.access_key, self.keys.secret_key)
        return connect(self.spec(**ark), Connection(clock=self.clock, credentials=credentials))

    def endpoint(self, name: str, model: str = MODEL, **columns: object) -> str:
        """A new endpoint's id."""
        with self.engine.store.write() as tx:
            id_ = lifecycle.create(tx, lifecycle.New(name=name, model=model), self.engine.now())
            for column, value in columns.items():
                tx.run(f"UPDATE endpoints SET {column} = ? WHERE id = ?", value, id_)
            return id_


def serve(path: Path) -> Iterator[Rig]:
    clock = Clock()
    engine = open_engine(path, clock)
    actions = PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"actions": PRIVATE}}).ark.actions
    served = Served(engine=engine, keys=make(), actions=actions)
    with in_background(served) as url:
        yield Rig(url, served.keys, served, clock)
    engine.close()
