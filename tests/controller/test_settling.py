"""A loop on files that are edited, away or half saved for a moment writes nothing for it; what stays so it carries out."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import activation, limit, override
from looping import Looping, Start

from reconciler.controller import Controller, Pass
from reconciler.errors import Transient
from reconciler.kinds.declared import DeclarationSet
from reconciler.plan import kind_of
from reconciler.reasons import Reason
from reconciler.sources.folders import Folders
from reconciler.state import Result
from reconciler.status import ConditionType

SETTLE_S = 1.0
HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
RETAINED = HEAD + "kind: ModelActivation\nmetadata: {name: a}\nspec: {model: a, deletionPolicy: Retain}\n"
LIMITED = HEAD + "kind: InferenceLimit\nmetadata: {name: a}\nspec: {model: a, tokens: 9000, renewal: one}\n"


def rate(name: str, rpm: int | str, more: str = "  tpm: 900\n") -> str:
    meta = f"metadata:\n  name: {name}\nspec:\n  endpoint: {{id: {name}}}\n"
    return f"{HEAD}kind: EndpointRateOverride\n{meta}  deletionPolicy: Revert\n{more}  rpm: {rpm}\n"


# On the stage, in a time of its own.


def rpm(loop: Looping, endpoint: str = "ep-1") -> int | None:
    override = loop.stage.engine.snapshot().endpoints[endpoint].override
    return override.rpm if override else None


def test_a_lower_rate_is_carried_out_at_a_second_look_and_says_so_until_then(start: Start) -> None:
    loop = start(settle_s=5.0)
    loop.look(override("ep-1", rpm=12_000))
    loop.wait()
    loop.look(override("ep-1", rpm=12_000))
    loop.stage.forward(seconds=10)
    done = loop.look(override("ep-1", rpm=12))
    assert done is not None
    (outcome,), (status,) = done.report.outcomes, done.report.statuses[:1]
    assert (outcome.result, outcome.reason, rpm(loop)) == (Result.DEFERRED, Reason.SETTLING, 12_000)
    ready = status.condition(ConditionType.READY)
    assert ready is not None
    assert (ready.reason, "if it is declared so until then" in ready.message) == (Reason.SETTLING, True)
    assert loop.seat.looks_again
    assert loop.seat.again_after_s == pytest.approx(5.0)
    loop.wait()
    loop.look(override("ep-1", rpm=12))
    assert rpm(loop) == 12
    loop.look(override("ep-1", rpm=12))
    assert not loop.seat.looks_again


def test_what_was_otherwise_in_between_has_to_stand_anew(start: Start) -> None:
    loop = start(settle_s=5.0)
    high, low = override("ep-1", rpm=12_000), override("ep-1", rpm=12)
    loop.look(high)
    loop.wait()
    loop.look(high)
    for wanted, seconds in ((low, 4), (high, 0.5), (low, 4.9), (override("ep-1", rpm=13), 4.9), (low, 4.9)):
        loop.look(wanted)
        loop.stage.forward(seconds=seconds)
        assert rpm(loop) == 12_000
    loop.stage.forward(seconds=0.2)
    loop.look(low)
    assert rpm(loop) == 12


def test_raises_and_additions_wait_for_nothing(start: Start) -> None:
    loop = start(settle_s=5.0)
    loop.look(activation("a"), limit("a", 1000))
    assert loop.stage.platform.done == ["activate a", "set-limit a"]
    loop.look(activation("a"), limit("a", 1000), override("ep-1", rpm=12_000))
    loop.wait()
    loop.look(activation("a"), limit("a", 1000), override("ep-1", rpm=12_000))
    assert rpm(loop) == 12_000
    loop.look(activation("a"), limit("a", 1000), override("ep-1", rpm=12_001))
    assert rpm(loop) == 12_001


def test_a_clock_that_is_set_forward_shortens_nothing(start: Start) -> None:
    loop = start(settle_s=5.0)
    loop.look(override("ep-1", rpm=12_000))
    loop.wait()
    loop.look(override("ep-1", rpm=12_000))
    ours = [0.0]
    loop.seat._world = loop.world(monotonic=lambda: ours[0])
    loop.look(override("ep-1", rpm=12))
    loop.stage.forward(hours=1)
    ours[0] += 4
    loop.look(override("ep-1", rpm=12))
    assert rpm(loop) == 12_000
    ours[0] += 1
    loop.look(override("ep-1", rpm=12))
    assert rpm(loop) == 12


def test_while_the_platform_cannot_be_seen_nothing_begins_anew(start: Start) -> None:
    loop = start(settle_s=5.0, interval_s=2)
    loop.look(override("ep-1", rpm=12_000))
    loop.wait()
    loop.look(override("ep-1", rpm=12_000))
    loop.stage.forward(seconds=3)
    loop.look(override("ep-1", rpm=12))
    loop.stage.forward(seconds=3)
    loop.on_sweep = [Transient("away", retry_after_s=1)]
    loop.look(override("ep-1", rpm=12))
    loop.stage.forward(seconds=3)
    loop.look(override("ep-1", rpm=12))
    assert rpm(loop) == 12


def test_in_a_cluster_objects_are_whole_and_nothing_settles(start: Start) -> None:
    loop = start()
    loop.look(override("ep-1", rpm=12_000))
    loop.look(override("ep-1", rpm=12))
    assert rpm(loop) == 12


# On real files, in real time.


class Source(Folders):
    """Folders as the loop wants them, and every pass."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths, None, settle_s=SETTLE_S)
        self.passes: list[Pass] = []

    def publish(self, done: Pass) -> None:  # type: ignore[override]
        self.passes.append(done)


class Watched:
    """A loop on a folder that is converged."""

    def __init__(self, loop: Looping, root: Path) -> None:
        self.loop, self.root, self.source = loop, root, Source([str(root)])

    @property
    def writes(self) -> list[str]:
        return list(self.loop.stage.platform.done)

    def owned(self) -> set[str]:
        records = self.loop.stage.ledger.history("default").records
        return {f"{target.kind}/{target.name}" for target, record in records.items() if record.owner}

    def rests(self, seconds: float) -> None:
        """For that long nothing is written and nothing is given up."""
        before, owned = self.writes, self.owned()
        time.sleep(seconds)
        assert (self.writes, self.owned()) == (before, owned)


@pytest.fixture
def watched(start: Start, tmp_path: Path) -> Iterator[Watched]:
    root = tmp_path / "repository" / "policies"
    root.mkdir(parents=True)
    loop = start(settle_s=SETTLE_S, prune=True, declaration_set=DeclarationSet(under=(root.as_posix().lstrip("/"),)))
    (root / "search.yaml").write_text(rate("ep-1", 12_000))
    (root / "other.yaml").write_text("---\n".join((rate("ep-2", 70), RETAINED, LIMITED)))
    it = Watched(loop, root)
    controller = Controller(it.source, loop.world(monotonic=time.monotonic, clock=clock_of(loop)), loop.settings)
    thread = threading.Thread(target=controller.run, args=(loop.stop,))
    thread.start()
    try:
        assert soon(lambda: len(it.owned()) == 4 and rpm(loop) == 12_000), it.writes
        time.sleep(0.3)
        yield it
    finally:
        loop.stop.set()
        thread.join(20)
        assert not thread.is_alive()


def clock_of(loop: Looping) -> Callable[[], datetime]:
    """The stage's time, running."""
    began, now = time.monotonic(), loop.stage.now
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def soon(true: Callable[[], bool], within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


@contextmanager
def away(file: Path) -> Iterator[None]:
    elsewhere = file.parent.parent / f"away-{file.name}"
    file.rename(elsewhere)
    yield
    elsewhere.rename(file)


@pytest.mark.parametrize("seconds", [0.02, 0.6])
@pytest.mark.parametrize("name", ["search.yaml", "other.yaml"])
def test_a_file_that_is_away_for_a_moment_changes_nothing(watched: Watched, name: str, seconds: float) -> None:
    with away(watched.root / name):
        time.sleep(seconds)
    watched.rests(SETTLE_S + 0.5)


def test_a_folder_that_is_away_for_a_moment_changes_nothing(watched: Watched) -> None:
    with away(watched.root):
        time.sleep(0.6)
    watched.rests(SETTLE_S + 0.5)


def test_a_folder_that_is_deleted_and_made_again_changes_nothing(watched: Watched) -> None:
    copy = watched.root.parent / "copy"
    shutil.copytree(watched.root, copy)
    shutil.rmtree(watched.root)
    time.sleep(0.5)
    shutil.copytree(copy, watched.root)
    watched.rests(SETTLE_S + 0.5)


@pytest.mark.parametrize("seconds", [0.03, 0.3])
def test_an_emptied_file_is_no_absence(watched: Watched, seconds: float) -> None:
    file = watched.root / "other.yaml"
    text = file.read_text()
    with file.open("w") as opened:
        opened.flush()
        time.sleep(seconds)
        opened.write(text)
    watched.rests(SETTLE_S + 0.5)


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_a_save_that_stops_after_the_first_digits_does_not_lower_the_rate(watched: Watched, seconds: float) -> None:
    text = rate("ep-1", 12_500)
    cut = text.index("12500") + 2
    with (watched.root / "search.yaml").open("w") as opened:
        opened.write(text[:cut])
        opened.flush()
        time.sleep(seconds)
        opened.write(text[cut:])
    assert soon(lambda: rpm(watched.loop) == 12_500)
    sets = [write.arguments["rpm"] for write in watched.loop.stage.platform.writes if write.target.name == "ep-1"]
    assert sets == [12_000, 12_500]
    watched.rests(SETTLE_S + 0.3)


def test_another_branch_and_back_changes_nothing(watched: Watched) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=watched.root.parent, check=True,
            capture_output=True,
        )  # fmt: skip

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-q", "-b", "empty")
    git("rm", "-rq", "policies")
    git("commit", "-qm", "nothing")
    time.sleep(0.3)
    git("checkout", "-q", "main")
    watched.rests(SETTLE_S + 0.5)
    for _ in range(3):
        git("checkout", "-q", "empty")
        time.sleep(0.2)
        git("checkout", "-q", "main")
    watched.rests(SETTLE_S + 0.5)


def test_what_stays_away_is_taken_back_and_let_go_of_and_that_is_said_before(watched: Watched) -> None:
    watched.source.passes.clear()
    began = time.monotonic()
    (watched.root / "other.yaml").unlink()
    assert soon(lambda: any(change.wait for done in watched.source.passes for change in done.report.plan.changes))
    waiting = next(
        done.report for done in watched.source.passes if any(change.wait for change in done.report.plan.changes)
    )
    (change,) = [change for change in waiting.plan.changes if change.wait]
    assert (change.address, kind_of(change, waiting.started_at)) == ("EndpointRateOverride/ep-2", "deferred")
    assert [release.ends for release in waiting.plan.releases] == [False, False]
    assert "released at" in waiting.plan.releases[0].why
    assert soon(lambda: watched.owned() == {"EndpointRateOverride/ep-1"}), watched.owned()
    assert SETTLE_S <= time.monotonic() - began < SETTLE_S + 3
    assert rpm(watched.loop, "ep-2") is None


def test_raises_stay_quick_while_something_settles(watched: Watched) -> None:
    (watched.root / "other.yaml").unlink()
    time.sleep(0.2)
    began = time.monotonic()
    (watched.root / "search.yaml").write_text(rate("ep-1", 12_600))
    assert soon(lambda: rpm(watched.loop) == 12_600)
    assert time.monotonic() - began < SETTLE_S


def test_a_swapped_configmap_is_read_as_one(start: Start, tmp_path: Path) -> None:
    root = tmp_path / "mounted"
    root.mkdir()
    for version, value in (("..1", 12_000), ("..2", 12_700)):
        (root / version).mkdir()
        (root / version / "search.yaml").write_text(rate("ep-1", value))
    (root / "..data").symlink_to("..1")
    (root / "search.yaml").symlink_to("..data/search.yaml")
    loop = start(settle_s=SETTLE_S, prune=True, declaration_set=DeclarationSet(under=(root.as_posix().lstrip("/"),)))
    controller = Controller(Source([str(root)]), loop.world(monotonic=time.monotonic), loop.settings)
    thread = threading.Thread(target=controller.run, args=(loop.stop,))
    thread.start()
    try:
        assert soon(lambda: rpm(loop) == 12_000)
        time.sleep(0.3)
        (root / "..tmp").symlink_to("..2")
        (root / "..tmp").rename(root / "..data")
        shutil.rmtree(root / "..1")
        assert soon(lambda: rpm(loop) == 12_700)
        assert [write.operation.value for write in loop.stage.platform.writes] == ["set-override", "set-override"]
    finally:
        loop.stop.set()
        thread.join(20)
