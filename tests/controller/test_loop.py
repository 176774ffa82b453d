"""The whole loop on real files and the embedded platform: edits, broken files, accounts, and an end that loses nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from looping import Looping, Start

from reconciler.controller import Controller, Pass
from reconciler.sources.folders import Folders

OVERRIDE = """\
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {{name: one}}
spec: {{endpoint: {{id: ep-1}}, rpm: {rpm}, tpm: 1000}}
"""


class Source(Folders):
    """Folders as the loop wants them."""

    def publish(self, done: Pass) -> None:  # type: ignore[override]
        super().publish(done.report)


@contextmanager
def running(loop: Looping, policies: Path) -> Iterator[Controller]:
    source = Source([str(policies)], loop.stage.home / "status.json")
    controller = Controller(source, loop.world(monotonic=time.monotonic), loop.settings)
    thread = threading.Thread(target=controller.run, args=(loop.stop,))
    thread.start()
    try:
        yield controller
    finally:
        loop.stop.set()
        thread.join(20)
        assert not thread.is_alive()


def soon(true: Callable[[], bool], within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


def rpm(loop: Looping) -> int | None:
    override = loop.stage.engine.snapshot().endpoints["ep-1"].override
    return override.rpm if override else None


def test_an_edit_is_carried_out_at_once_and_the_status_file_says_so(start: Start, policies: Path) -> None:
    loop = start()
    (policies / "a.yaml").write_text(OVERRIDE.format(rpm=60))
    with running(loop, policies) as controller:
        assert soon(lambda: rpm(loop) == 60)
        assert soon(lambda: controller.ready)
        (policies / "a.yaml").write_text(OVERRIDE.format(rpm=61))
        assert soon(lambda: rpm(loop) == 61)
        assert soon(lambda: '"rpm": 61' in (loop.stage.home / "status.json").read_text())


def test_a_broken_file_is_held_until_it_is_mended(start: Start, policies: Path) -> None:
    loop = start()
    (policies / "a.yaml").write_text(OVERRIDE.format(rpm=60))
    with running(loop, policies):
        assert soon(lambda: rpm(loop) == 60)
        (policies / "a.yaml").write_text(OVERRIDE.format(rpm=61).replace("kind:", "kind"))
        (policies / "b.yaml").write_text(OVERRIDE.format(rpm=7).replace("ep-1", "ep-2").replace("one", "two"))
        time.sleep(0.3)
        assert rpm(loop) == 60
        (policies / "a.yaml").write_text(OVERRIDE.format(rpm=62))
        assert soon(lambda: rpm(loop) == 62)
        assert soon(lambda: loop.stage.engine.snapshot().endpoints["ep-2"].override is not None)


def test_an_edit_that_changes_nothing_wakes_nobody(start: Start, policies: Path) -> None:
    loop = start()
    (policies / "a.yaml").write_text(OVERRIDE.format(rpm=60))
    with running(loop, policies):
        assert soon(lambda: rpm(loop) == 60)
        time.sleep(0.2)
        writes, sweeps = len(loop.stage.platform.writes), loop.sweeps
        (policies / "a.yaml").write_text("# the same, with a comment\n" + OVERRIDE.format(rpm=60))
        time.sleep(0.3)
        assert (len(loop.stage.platform.writes), loop.sweeps) == (writes, sweeps)


def test_a_defect_met_in_one_pass_is_told_without_its_text_and_the_loop_goes_on(start: Start, policies: Path) -> None:
    loop = start()
    (policies / "a.yaml").write_text(OVERRIDE.format(rpm=60))
    loop.on_sweep = [ValueError("AKIDSECRET")]
    with running(loop, policies):
        assert soon(lambda: bool(loop.ear.troubles))
        (policies / "a.yaml").write_text(OVERRIDE.format(rpm=61))
        assert soon(lambda: rpm(loop) == 61)
    assert "ValueError" in loop.ear.troubles[0]
    assert "AKIDSECRET" not in " ".join(loop.ear.troubles)


def test_once_looks_at_every_account_and_lets_go_of_the_lock(start: Start, policies: Path) -> None:
    loop = start()
    (policies / "a.yaml").write_text(OVERRIDE.format(rpm=60))
    source = Source([str(policies)], None)
    done = Controller(source, loop.world(), loop.settings).once(loop.stop)
    assert [each.report.account.name for each in done] == ["default"]
    assert [outcome.address for outcome in done[0].report.outcomes] == ["EndpointRateOverride/one"]
    with loop.stage.ledger.lock("default", "test"):
        pass
