"""A sweep does not wait for one answer before it asks for the next, and no reply makes it ask without end."""

import threading
import time
from collections import Counter
from typing import Any

import pytest
from served import MODEL, PRIVATE, Rig

from reconciler.errors import Transient
from reconciler.kinds.platform_account import Ark, Reads
from reconciler.platforms import Credentials
from reconciler.platforms.ark import client
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.paging import PAGE_SIZE, Listed, Page
from reconciler.platforms.ark.parallel import parallel
from reconciler.platforms.embedded.httpfaults import Fault, FaultKind

PAGE = Page("ListThings", "Id", {})


class Account:
    """A list of so many things, served by the page, that says of itself what it likes; and how it was asked."""

    def __init__(self, things: int, *, says: Any = None, most_a_page: int = PAGE_SIZE, takes_s: float = 0.0) -> None:
        self.things, self.says, self.most, self.takes_s = things, things if says is None else says, most_a_page, takes_s
        self.pages: list[int] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, action: str, request: dict, *_: Any) -> tuple[dict, dict]:
        with self._lock:
            self.pages.append(request["PageNumber"])
            self._now += 1
            self.most_at_once = max(self._now, self.most_at_once)
        time.sleep(self.takes_s)
        with self._lock:
            self._now -= 1
        first = (request["PageNumber"] - 1) * self.most
        items = [{"Id": f"t-{number}"} for number in range(first, min(first + self.most, self.things))]
        return {"Items": items, "TotalCount": self.says}, {}


def listed(account: Account, monkeypatch: pytest.MonkeyPatch, **reads: int) -> Listed:
    made = Client(Ark(), Credentials("a" * 8, "s" * 8), time.sleep, Reads(**reads))
    monkeypatch.setattr(made, "_send", account)
    with parallel(made.concurrency) as beside:
        return made.listed(PAGE, beside)


def test_the_pages_after_the_first_are_asked_for_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(1_750, takes_s=0.02)
    found = listed(account, monkeypatch)
    assert (len(found.items), found.flaw) == (1_750, "")
    assert sorted(account.pages) == list(range(1, 19))  # each once
    assert account.pages[0] == 1
    assert account.most_at_once == 8


def test_no_more_are_under_way_than_the_account_says(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(1_000, takes_s=0.005)
    assert not listed(account, monkeypatch, concurrency=2).flaw
    assert account.most_at_once == 2


def test_what_is_listed_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found = listed(Account(950, takes_s=0.002), monkeypatch)
    assert list(found.items) == [f"t-{number}" for number in range(950)]


@pytest.mark.parametrize("said", [10**9, 2**63, -5, 0, 1])
def test_a_total_that_lies_is_no_reason_to_ask_without_end(monkeypatch: pytest.MonkeyPatch, said: int) -> None:
    account = Account(250, says=said)
    assert listed(account, monkeypatch).flaw
    assert len(account.pages) <= 2 * (1 + 4 * 8)  # two sweeps


def test_a_platform_that_gives_less_than_a_page_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(170, most_a_page=20)
    found = listed(account, monkeypatch)
    assert (len(found.items), found.flaw) == (170, "")
    assert len(account.pages) == 9


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_PAGES", 50)
    with pytest.raises(Transient, match="more than 50 pages"):
        listed(Account(10**9), monkeypatch)


def test_the_lists_of_a_sweep_do_not_wait_for_each_other(rig: Rig) -> None:
    rig.served.faults.order(Fault(FaultKind.LATENCY, times=999, seconds=0.15))
    platform = rig.connect()
    started = time.monotonic()
    platform.observe(frozenset())
    assert time.monotonic() - started < 0.15 * 5  # eight calls, one after the other, are 1.2 s
    platform.close()


def test_a_sweep_survives_a_platform_that_throttles(rig: Rig) -> None:
    ids = {rig.endpoint(f"throttled-{number}") for number in range(8)}
    rig.served.faults.order(Fault(FaultKind.THROTTLE, times=3, seconds=1))
    platform = rig.connect()
    seen = platform.observe(frozenset({MODEL}))
    assert ids <= set(seen.endpoints)
    assert not seen.not_whole
    platform.close()


def test_a_longer_wish_of_the_platform_is_left_to_the_next_pass(rig: Rig) -> None:
    rig.served.faults.order(Fault(FaultKind.THROTTLE, times=99, seconds=60))
    platform, started = rig.connect(), time.monotonic()
    with pytest.raises(Transient) as failure:
        platform.observe(frozenset())
    assert failure.value.retry_after_s == 60
    assert time.monotonic() - started < 3
    platform.close()


def test_of_the_endpoints_only_those_of_limited_models_are_asked_for_one_by_one(rig: Rig) -> None:
    rig.endpoint("others", "glm-4-7")
    mine = {rig.endpoint(f"mine-{number}", "doubao-seed-1-8") for number in range(3)}
    asked: Counter[str] = Counter()
    platform = rig.connect()
    send = platform.client._send  # type: ignore[attr-defined]

    def counted(action: str, request: dict, *more: Any) -> Any:
        asked[request.get("Id", "")] += action == "GetEndpoint"
        return send(action, request, *more)

    platform.client._send = counted  # type: ignore[attr-defined, method-assign]
    platform.observe(frozenset({"doubao-seed-1-8"}))
    assert {id_ for id_, times in asked.items() if times} == mine
    platform.close()


@pytest.mark.parametrize("reads", [{"concurrency": 0}, {"concurrency": 65}, {"perSecond": 0}, {"perSecond": "8"}])
def test_a_pace_that_is_none_is_refused(reads: dict) -> None:
    with pytest.raises(ValueError, match=r"concurrency|perSecond"):
        Reads.model_validate(reads)


def test_a_change_of_a_limit_asks_anew_whether_capacity_excludes_it(rig: Rig) -> None:
    """Somebody bought a package after the sweep, and the endpoint's time of update did not tell."""
    from reconciler.errors import Conflict
    from reconciler.state import Operation, Target, Write

    id_ = rig.endpoint("bought-later", "glm-4-7")
    platform = rig.connect(actions=PRIVATE)
    assert platform.observe(frozenset({"glm-4-7"})).endpoints[id_].scale_tier is None
    with rig.engine.store.write() as tx:
        tx.run("UPDATE endpoints SET scale_tpm = 9000 WHERE id = ?", id_)
    with pytest.raises(Conflict, match=f"{id_}.* package or model units"):
        platform.write(Write(Operation.SET_LIMIT, Target("InferenceLimit", "glm-4-7"), {"tokens": 2_000_000}))
    platform.close()
