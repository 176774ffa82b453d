"""What changes under the roots is told soon, however it was changed; what did not change is not."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.sources import survey, watching


class Watched:
    """A watch in its own thread, and how often it told."""

    def __init__(self, *roots: Path) -> None:
        self.told = threading.Semaphore(0)
        self.stop = threading.Event()
        paths = [str(root) for root in roots]
        seen = watching.fingerprint(paths)
        self._thread = threading.Thread(
            target=watching.watch, args=(paths, seen, self.told.release, self.stop), daemon=True
        )
        self._thread.start()

    def tells(self, within_s: float = 8.0) -> bool:
        return self.told.acquire(timeout=within_s)

    def settle(self) -> None:
        """Let the watch be armed, and drop what it told so far."""
        while self.told.acquire(timeout=0.3):
            pass

    def close(self) -> None:
        self.stop.set()
        self._thread.join(10)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.5)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    running: list[Watched] = []

    def start(*roots: Path) -> Watched:
        running.append(Watched(*roots))
        running[-1].settle()
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_an_edit_a_new_file_and_a_deletion_are_told(tmp_path: Path, watched: Callable[..., Watched]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")
    watch = watched(tmp_path)
    file.write_text("a: 22\n")
    assert watch.tells()
    watch.settle()
    (tmp_path / "b.yaml").write_text("b: 1\n")
    assert watch.tells()
    watch.settle()
    file.unlink()
    assert watch.tells()


def test_an_editors_atomic_rename_over_a_single_file_is_told(tmp_path: Path, watched: Callable[..., Watched]) -> None:
    file = tmp_path / "only.yaml"
    file.write_text("a: 1\n")
    watch = watched(file)
    swap = tmp_path / ".only.yaml.swp"
    swap.write_text("a: 2\n")
    swap.rename(file)
    assert watch.tells()


def test_a_swapped_symlink_as_a_mounted_configmap_has_is_told(tmp_path: Path, watched: Callable[..., Watched]) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "policy.yaml").write_text(f"a: {version}\n")
    (tmp_path / "..data").symlink_to("v1")
    mounted = tmp_path / "policy.yaml"
    mounted.symlink_to("..data/policy.yaml")
    watch = watched(mounted)
    (tmp_path / "..data_tmp").symlink_to("v2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert watch.tells()


def test_a_root_that_is_deleted_and_made_again_is_watched_again(
    tmp_path: Path, watched: Callable[..., Watched]
) -> None:
    root = tmp_path / "policies"
    root.mkdir()
    file = root / "a.yaml"
    file.write_text("a: 1\n")
    watch = watched(root)
    file.unlink()
    root.rmdir()
    assert watch.tells()
    watch.settle()
    root.mkdir()
    file.write_text("a: 1\n")
    assert watch.tells()
    watch.settle()
    file.write_text("a: 333\n")
    assert watch.tells(), "the new directory is watched, not only the old one's inode"


def test_a_root_that_is_not_there_yet_is_told_once_it_is(tmp_path: Path, watched: Callable[..., Watched]) -> None:
    root = tmp_path / "later"
    watch = watched(root)
    root.mkdir()
    (root / "a.yaml").write_text("a: 1\n")
    assert watch.tells()


def test_what_is_no_policy_file_wakes_nobody(tmp_path: Path, watched: Callable[..., Watched]) -> None:
    watch = watched(tmp_path)
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "a.yaml~").write_text("a: 1\n")
    assert not watch.tells(within_s=0.8)


def test_a_symlink_loop_ends_the_look(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(watching.fingerprint([str(tmp_path)])) == 1


def test_a_file_that_became_readable_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("kind: x\n")
    file.chmod(0)
    before = watching.fingerprint([str(tmp_path)])
    time.sleep(0.02)  # the file system's clock may tick a few milliseconds apart
    file.chmod(0o644)
    assert watching.fingerprint([str(tmp_path)]) != before


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the roots were walked."""
    walked: list[float] = []

    def counted(roots: list[str]) -> survey.Survey:
        walked.append(time.monotonic())
        return survey.survey(roots)

    monkeypatch.setattr(watching, "survey", counted)
    return walked


def scribble(file: Path, seconds: float, *, per_second: int = 20) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with file.open("a") as log:
            log.write("line\n")
        time.sleep(1 / per_second)


def test_what_is_no_policy_file_costs_no_walk(
    tmp_path: Path, watched: Callable[..., Watched], walks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 60.0)
    for folder in (".git", "logs", "policies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "policies" / "a.yaml").write_text("a: 1\n")
    watch = watched(tmp_path)
    before = len(walks)
    for name in ("logs/out.log", ".git/index", ".git/config.yaml", "logs/.hidden.yaml", "a.yaml~", ".a.yaml.swp"):
        scribble(tmp_path / name, 0.2)
        (tmp_path / name).unlink()
    assert (len(walks), watch.tells(within_s=0.2)) == (before, False)
    (tmp_path / "policies" / "a.yaml").write_text("a: 2\n")
    assert watch.tells()


def test_a_stream_of_other_events_does_not_put_off_the_slow_look(
    tmp_path: Path, watched: Callable[..., Watched]
) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (elsewhere / "real.yaml").write_text("a: 1\n")
    (root / "a.yaml").symlink_to(elsewhere / "real.yaml")
    watch = watched(root)
    (elsewhere / "real.yaml").write_text("a: 22\n")  # where no event comes from
    scribble(root / "out.log", 1.5, per_second=200)
    assert watch.tells(within_s=0.1)


def test_a_policy_file_that_never_rests_leaves_most_of_the_processor_alone(
    tmp_path: Path, watched: Callable[..., Watched], walks: list[float]
) -> None:
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text("a: 1\n")
    watched(tmp_path)
    before, used = len(walks), time.process_time()
    scribble(tmp_path / "0.yaml", 1.0, per_second=200)
    assert len(walks) > before
    assert time.process_time() - used < 0.6, "looking rests four times as long as it worked"


def test_a_folder_that_comes_goes_or_is_renamed_is_told_with_what_is_in_it(
    tmp_path: Path, watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    (root / "teams").mkdir(parents=True)
    (root / "teams" / "a.yaml").write_text("a: 1\n")
    monkeypatch.setattr(watching, "LOOK_S", 60.0)
    watch = watched(root)
    (root / "teams").rename(away)
    assert watch.tells(within_s=2)
    watch.settle()
    away.rename(root / "squads")
    assert watch.tells(within_s=2)
    watch.settle()
    (root / "squads" / "a.yaml").write_text("a: 22\n")
    assert watch.tells(within_s=2)
    watch.settle()
    (root / "linked").symlink_to(tmp_path / "nowhere.yaml")
    (root / "data.txt").write_text("a: 1\n")
    (root / "b.yaml").symlink_to("data.txt")
    assert watch.tells(within_s=2)
    watch.settle()
    (root / "data.txt").write_text("a: 333\n")
    assert watch.tells(within_s=2), "what a policy file links to is one, whatever its name"


def test_a_file_root_is_watched_whatever_its_name(
    tmp_path: Path, watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 60.0)
    file = tmp_path / "policies.conf"
    file.write_text("a: 1\n")
    watch = watched(file)
    file.write_text("a: 22\n")
    assert watch.tells(within_s=2)


def test_what_the_source_wants_to_see_again_is_told_though_nothing_changed(tmp_path: Path) -> None:
    due, told, stop = [time.monotonic() + 0.3], threading.Semaphore(0), threading.Event()

    def changed() -> None:
        due[0] = float("inf")
        told.release()

    thread = threading.Thread(
        target=watching.watch,
        args=([str(tmp_path)], watching.fingerprint([str(tmp_path)]), changed, stop),
        kwargs={"again_s": lambda: due[0] - time.monotonic()},
    )
    began = time.monotonic()
    thread.start()
    assert told.acquire(timeout=5)
    assert time.monotonic() - began >= 0.3
    assert not told.acquire(timeout=0.5), "once it was told, it is told no more"
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
