"""Tells when policy files changed: at once by the system's own events, and by a slow look for what events miss.

Events alone miss a root that is deleted and made again, a root that is not there yet, and a mounted ConfigMap whose symlink is
swapped to another directory. So every `LOOK_S` seconds the roots are fingerprinted by name, inode, size and change
time (no file is opened), and the event watch is armed again where a root moved. Reads nothing, writes nothing.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciler.sources.files import SUFFIXES

LOOK_S: Final = 5.0
MISSING_LOOK_S: Final = 0.5  # while no root is there at all
DEBOUNCE_MS: Final = 50  # how long a burst of events is collected before it is told, in milliseconds

Fingerprint = frozenset[tuple[str, int, int, int]]


def watch(roots: Sequence[str], seen: Fingerprint, changed: Callable[[], None], stop: threading.Event) -> None:
    """Call `changed` soon after anything under `roots` (files or directories) differs from `seen`, until `stop` is set. Blocks."""
    while not stop.is_set():
        for _ in _moments(roots, stop):
            now = fingerprint(roots)
            if now != seen:
                seen = now
                changed()


def _moments(roots: Sequence[str], stop: threading.Event) -> Iterator[None]:
    """A moment worth looking at: after a burst of events, and every `LOOK_S` seconds. Ends when the roots moved."""
    from watchfiles import watch as events  # a compiled module that only a running loop needs

    armed = _armed(roots)
    yield  # what changed between two watches
    if not armed:
        stop.wait(MISSING_LOOK_S)
        return
    try:
        for _ in events(
            *armed,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=DEBOUNCE_MS // 5,
            stop_event=stop,
            rust_timeout=int(LOOK_S * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=any(Path(root).is_dir() for root in roots),
        ):
            yield
            if _armed(roots) != armed:
                return
    except FileNotFoundError:
        return  # a root went away between looking and arming


def fingerprint(roots: Sequence[str]) -> Fingerprint:
    """What is under the roots, without opening a file: name, inode, size and time of change (of content
    or of permissions) of each policy file."""
    return frozenset(entry for root in roots for entry in _entries(Path(root)))


def _entries(root: Path) -> Iterator[tuple[str, int, int, int]]:
    if root.is_file():
        yield from _entry(root)
        return
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        try:
            status = Path(folder).stat()
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in seen:  # a symlink loop
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]  # as reading does
        for name in files:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield from _entry(Path(folder, name))


def _entry(path: Path) -> Iterator[tuple[str, int, int, int]]:
    try:
        status = path.stat()
    except OSError:
        yield (str(path), 0, 0, 0)  # there, but not readable: that is a state too
        return
    yield (str(path), status.st_ino, status.st_size, status.st_ctime_ns)


def _armed(roots: Sequence[str]) -> dict[str, int]:
    """The directories to watch for events, each with its inode: a directory root as it really is, and a file root's
    directory, where the file may be replaced. A root that is not there is left to the slow look."""
    armed: dict[str, int] = {}
    for root in roots:
        folder = Path(root) if Path(root).is_dir() else Path(root).absolute().parent
        try:
            real = folder.resolve(strict=True)
            armed[str(real)] = real.stat().st_ino
        except (OSError, RuntimeError):  # gone, or a symlink loop
            continue
    return dict(sorted(armed.items()))
