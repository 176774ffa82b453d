"""A served embedded platform, one for each test module, over real HTTP on loopback; and clients signed for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx

from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, Platform, connect
from reconciler.platforms.embedded import lifecycle
from reconciler.platforms.embedded.engine import Engine, open_engine
from reconciler.platforms.embedded.keys import Keys, make
from reconciler.platforms.embedded.server import Served, in_background
from reconciler.platforms.embedded.signing import Request, Scope, signature

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
    http: httpx.Client

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
    with in_background(served) as url, httpx.Client(trust_env=False) as http:
        yield Rig(url, served.keys, served, clock, http)
    engine.close()


def post(rig: Rig, action: str, body: bytes | dict[str, object] = b"{}", **headers: str) -> httpx.Response:
    """A control-plane call, signed over its host, date and digest; `headers` replace what would be sent."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    query = urlencode({"Action": action, "Version": "2024-01-01"})
    sent = {"host": rig.url.removeprefix("http://"), "x-date": now, "content-type": "application/json"}
    signed = "content-type;host;x-date"
    scope = Scope(rig.keys.access_key, now[:8], "cn-beijing", "ark")
    made = signature(Request("POST", query, sent, content), signed, scope, rig.keys.secret_key)
    sent["authorization"] = (
        f"HMAC-SHA256 Credential={scope.access_key}/{scope}, SignedHeaders={signed}, Signature={made}"
    )
    return rig.http.post(f"{rig.url}/?{query}", content=content, headers={**sent, **headers})


def code_of(answer: httpx.Response) -> str:
    """The error code of a control-plane answer, "" for a success."""
    return answer.json()["ResponseMetadata"].get("Error", {}).get("Code", "")
