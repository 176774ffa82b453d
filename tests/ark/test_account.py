"""Whose account of Ark a key belongs to: asked of STS at the platform's own host only, and never in the way of a pass."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import urllib3
from served import Rig

from reconciler import rules
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, connect
from reconciler.platforms.ark import account as whose
from reconciler.platforms.ark.account import asks_sts, unread
from reconciler.platforms.ark.platform import ArkPlatform

REPLY = (
    b'{"ResponseMetadata": {"RequestId": "r"}, "Result": {"AccountId": 2100123456, "Trn": "trn:iam::2100123456:root"}}'
)
REFUSED = b'{"ResponseMetadata": {"RequestId": "r", "Error": {"Code": "AccessDenied", "Message": "no"}}}'


@dataclass
class Wire:
    """What would go out to the network, answered here; `hold` keeps an answer back until it is set."""

    sent: list[str] = field(default_factory=list)
    answer: bytes = REPLY
    hold: threading.Event | None = None

    def request(self, _method: str, url: str, **_: object) -> object:
        self.sent.append(url)
        if self.hold is not None and "GetCallerIdentity" in url:
            self.hold.wait(5)
        body = self.answer if "GetCallerIdentity" in url else b'{"ResponseMetadata": {}, "Result": {"TotalCount": 0}}'
        return urllib3.HTTPResponse(
            body, status=200, headers={"Content-Type": "application/json"}, preload_content=True
        )

    @property
    def asked_whose(self) -> int:
        return sum("GetCallerIdentity" in url for url in self.sent)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    it = Wire()
    monkeypatch.setattr(urllib3.PoolManager, "request", it.request)
    yield it
    if it.hold is not None:
        it.hold.set()


def opened(**ark: object) -> ArkPlatform:
    spec = PlatformAccountSpec.model_validate({"platform": "ark", "ark": ark})
    found = connect(spec, Connection(lambda: datetime.now(UTC), Credentials("AKLTcanaryid", "CANARY-SECRET")))
    assert isinstance(found, ArkPlatform)
    return found


@pytest.mark.parametrize("endpoint", [None, "https://open.volcengineapi.com/"])
def test_at_the_platforms_own_host_the_id_is_asked_once_for_a_connection(wire: Wire, endpoint: str | None) -> None:
    platform = opened(endpoint=endpoint, project="search")
    for _ in range(3):
        seen = platform.observe(frozenset()).identity
    assert (seen.platform, seen.account, seen.scope) == ("ark", "2100123456", "cn-beijing/search")
    assert seen.at == "open.volcengineapi.com"
    assert wire.asked_whose == 1
    assert all(url.startswith("https://open.volcengineapi.com/?") for url in wire.sent)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://open.volcengineapi.com",
        "https://open.volcengineapi.com:8443",
        "https://open.volcengineapi.com.evil.example",
        "https://ark.ap-southeast-1.byteplusapi.com",
        "https://gateway.internal",
        "http://127.0.0.1:8900",
    ],
)
def test_behind_any_other_host_sts_is_never_asked(wire: Wire, endpoint: str) -> None:
    platform = opened(endpoint=endpoint)
    assert not asks_sts(platform.settings)
    seen = platform.whose
    seen.ask()
    assert seen.wait().account == ""
    assert seen.why_not
    assert wire.sent == []


def test_a_rehearsal_sends_nothing_to_sts(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: list[str] = []
    sent = urllib3.PoolManager.request

    def counted(pool: urllib3.PoolManager, method: str, url: str, **more: object) -> object:
        hosts.append(url.split("/?")[0])
        return sent(pool, method, url, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(urllib3.PoolManager, "request", counted)
    rig.connect().observe(frozenset())
    assert set(hosts) == {rig.url}


def test_that_the_id_cannot_be_read_fails_nothing_and_is_not_asked_again_at_once(wire: Wire) -> None:
    wire.answer = REFUSED
    platform = opened()
    for _ in range(3):
        seen = platform.observe(frozenset())
    assert seen.identity.account == ""
    assert seen.identity.key
    assert wire.asked_whose == 1
    assert "AccessDenied" in platform.whose.why_not


@pytest.mark.parametrize("said", [b'"2100-1"', b"true", b"null", b"{}", b'""', b"-5"])
def test_what_is_no_id_is_no_id(wire: Wire, said: bytes) -> None:
    wire.answer = REPLY.replace(b"2100123456,", said + b",", 1)
    assert opened().observe(frozenset()).identity.account == ""


def test_a_sweep_does_not_wait_for_an_answer_that_does_not_come(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whose, "WAIT_S", 0.05)
    wire.hold = threading.Event()
    platform = opened()
    assert platform.observe(frozenset()).identity.account == ""
    wire.hold.set()
    assert platform.whose.wait().account == "2100123456"


def test_a_key_is_told_by_a_digest_of_its_id_and_never_shown() -> None:
    settings = PlatformAccountSpec.model_validate({"platform": "ark"}).ark
    one, two = unread(settings, "AKLTcanaryid"), unread(settings, "AKLTother")
    assert one.key != two.key
    assert "canary" not in f"{one!r} {one}".lower()


def test_a_declared_account_id_is_held_against_the_one_that_was_read(wire: Wire) -> None:
    from tests.builders import account, declared
    from tests.rules.helpers import context

    seen = opened().observe(frozenset())
    for meant, said in (("2100123456", []), ("2200000000", ["2100123456", "2200000000"])):
        everything = declared(account(platform="ark", ark={"accountId": meant}))
        found = [each for each in rules.check(context(everything, seen)) if each.rule == "account-mismatch"]
        assert [word in found[0].message for word in said] == [True] * len(said) if said else found == []
