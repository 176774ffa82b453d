"""Ports: whoever comes to an open port and whatever they send, the loop beside it converges in its usual time, /livez answers, the
log stays short, and a stop is a stop.
"""

import http.client
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import account, activation, declared, override
from served import MODEL, Rig, serve
from torture.conftest import Effort
from torture.crowds import ALL, Crowd, connects, crowding, nonsense, silent, slow_chunks, slow_heads
from watching import Watch

from reconciler import reconcile
from reconciler.ledger import open_ledger
from reconciler.platforms import Connection, Credentials, ReadOnly
from reconciler.platforms.embedded import lifecycle
from reconciler.platforms.embedded.engine import open_engine
from reconciler.state import Rate

POLICY = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {{name: default}}
spec: {{platform: embedded}}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {{name: prod}}
spec: {{endpoint: {{name: prod}}, rpm: {rpm}, tpm: 1000}}
"""
SOON_S = 10.0  # where a processor is shared with a hundred attackers; alone it is a tenth of a second


@contextmanager
def descriptors(limit: int) -> Iterator[None]:
    """What is started meanwhile may have so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Loop:
    """`watch --listen` in a process with few descriptors, and an endpoint whose rate is edited."""

    def __init__(self, home: Path, limit: int) -> None:
        (home / "policies").mkdir()
        (home / ".modelpolicy").mkdir()
        self._policy, self._rpm = home / "policies" / "prod.yaml", 10
        engine = open_engine(home / ".modelpolicy" / "platform.db", lambda: datetime.now(UTC))
        with engine.store.write() as tx:
            lifecycle.create(tx, lifecycle.New(name="prod", model=MODEL), engine.now())
        engine.close()
        self._write()
        with descriptors(limit):
            self.watch = Watch(home, "--listen", ":0", "--interval", "2s")
        found = self.watch.says(r"on http://127\.0\.0\.1:(\d+):")
        assert found, self.watch.log.read_text()
        self.port, self.limit = int(found[1]), limit
        assert self.watch.says("applied"), self.watch.log.read_text()

    def _write(self) -> None:
        whole = self._policy.with_suffix(".new")
        whole.write_text(POLICY.format(rpm=self._rpm))
        whole.rename(self._policy)

    def edit(self) -> float:
        """The seconds from an edit to what it makes so."""
        began = time.monotonic()
        self._rpm += 1
        self._write()
        assert self.watch.says(rf"-> {self._rpm}\b", SOON_S), self.watch.log.read_text()[-3000:]
        return time.monotonic() - began

    def lives(self) -> float:
        """The seconds that /livez takes; one connection in a flood may be closed for another, as a kubelet allows too."""
        for attempt in range(3):
            began = time.monotonic()
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SOON_S)
            try:
                asked.request("GET", "/livez")
                answer = asked.getresponse()
                assert (answer.status, answer.read()) == (200, b"ok\n")
            except (OSError, http.client.HTTPException):
                if attempt == 2:
                    raise
            else:
                return time.monotonic() - began
            finally:
                asked.close()
        raise AssertionError

    def descriptors(self) -> int:
        listed = Path(f"/proc/{self.watch.process.pid}/fd")
        return len(list(listed.iterdir())) if listed.is_dir() else 0

    def is_well(self) -> None:
        """While a crowd is there."""
        assert self.edit() < SOON_S
        assert self.lives() < SOON_S
        assert self.descriptors() <= self.limit // 2 + 40

    def said_little(self) -> None:
        text = self.watch.log.read_text()
        warned = re.findall(r"warning +(.*)", text)
        assert len(warned) == len({line.split(":")[0] for line in warned}) <= 4, warned
        assert "Traceback" not in text, text[-6000:]
        assert len(text) < 20_000


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Callable[[int], Loop]]:
    made: list[Loop] = []

    def start(limit: int) -> Loop:
        home = tmp_path / str(len(made))
        home.mkdir()
        made.append(Loop(home, limit))
        return made[-1]

    yield start
    for each in made:
        each.watch.process.kill()
        each.watch.process.wait()


def test_every_crowd_at_once_holds_up_neither_the_loop_nor_its_probes_nor_a_stop(
    loop: Callable[[int], Loop], effort: Effort
) -> None:
    it = loop(256)
    for_s = effort.pick(4.0, 60.0)
    with crowding(it.port, effort.pick(400, 2000), for_s, *ALL) as crowds:
        time.sleep(1.0)
        while not crowds[0].over():
            it.is_well()
            time.sleep(0.5)
        effort.tried(sum(crowd.made for crowd in crowds))
    with crowding(it.port, 300, 20.0, slow_heads, silent):
        time.sleep(0.5)
        began = time.monotonic()
        assert it.watch.end() == 143
        assert time.monotonic() - began < SOON_S
    it.said_little()


def test_no_path_of_a_loop_answers_to_a_foreign_name(loop: Callable[[int], Loop]) -> None:
    it = loop(1024)
    for path in ("/", "/metrics", "/livez", "/readyz", "/assets/console.css", "/models/default", "/nothing"):
        for host, foreign in (("evil.example", True), ("localhost", False)):
            asked = http.client.HTTPConnection("127.0.0.1", it.port, timeout=SOON_S)
            asked.request("GET", path, headers={"Host": host})
            answer = asked.getresponse()
            assert (answer.status == 421) is foreign, path
            assert len(answer.read()) < 200 or not foreign
            asked.close()
    assert it.watch.says("a name that is not among its own: see --listen-name: evil.example")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_one_crowd_alone_for_long(loop: Callable[[int], Loop], effort: Effort, kind: Callable[[Crowd], None]) -> None:
    if not effort.long:
        pytest.skip("make torture tries each crowd alone")
    it = loop(1024)
    with crowding(it.port, 2000, 15.0, kind) as crowds:
        time.sleep(2.0)
        while not crowds[0].over():
            it.is_well()
            time.sleep(0.5)
        effort.tried(crowds[0].made)
    it.is_well()
    assert it.watch.end() == 143
    it.said_little()


@pytest.mark.parametrize("limit", [64, 1024])
def test_a_port_of_few_descriptors_is_a_port_of_few_clients(
    loop: Callable[[int], Loop], effort: Effort, limit: int
) -> None:
    if not effort.long:
        pytest.skip("make torture tries it with few and many descriptors")
    it = loop(limit)
    with crowding(it.port, 1100, 26.0, slow_heads) as crowds:
        time.sleep(2.0)
        while not crowds[0].over():
            it.is_well()
        effort.tried(crowds[0].made)
    it.said_little()


def test_a_served_platform_under_a_crowd_is_converged_all_the_same(tmp_path: Path, effort: Effort) -> None:
    for rig in serve(tmp_path / "platform.db"):
        port = int(rig.url.rpartition(":")[2])
        endpoint = rig.endpoint("prod")
        with crowding(
            port, effort.pick(300, 2000), 60.0, silent, slow_heads, slow_chunks, connects, nonsense
        ) as crowds:
            time.sleep(0.5)
            for rpm in range(100, effort.pick(102, 130)):
                converge(rig, tmp_path, endpoint, rpm)
            effort.tried(sum(crowd.made for crowd in crowds))


def converge(rig: Rig, home: Path, endpoint: str, rpm: int) -> None:
    """A few passes, as a loop makes them, until the platform is as declared."""
    to = account(platform="ark", ark={"endpoint": rig.url}, allow_activation=True)
    wanted = declared(to, activation(MODEL), override(endpoint, rpm=rpm, tpm=6000))
    ledger = open_ledger(str(home / "ledger.db"))
    try:
        for _ in range(5):
            one_pass(rig, to, wanted, ledger)
            if rig.engine.snapshot().endpoints[endpoint].override == Rate(rpm, 6000):
                return
    finally:
        ledger.close()
    pytest.fail("it did not converge")


def one_pass(rig: Rig, to, wanted, ledger) -> None:
    keys = Credentials(rig.keys.access_key, rig.keys.secret_key)
    connected = reconcile.connect(to, Connection(rig.clock, keys))
    asked = reconcile.Asked(account="default", everything=wanted)
    try:
        seen = reconcile.look(
            asked,
            ReadOnly(connected),
            ledger.history("default"),
            reconcile.previous_statuses(ledger, "default"),
            rig.clock(),
        )
        acting = reconcile.Acting(
            operation="apply",
            actor="ada",
            clock=rig.clock,
            stop=lambda: False,
            progress=lambda _: None,
            sleep=time.sleep,
        )
        reconcile.act(seen, asked, connected, ledger, acting)
    finally:
        connected.close()
