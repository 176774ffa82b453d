"""What changes under the roots is told soon, however it was changed; what did not change is not."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.sources import watching


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
