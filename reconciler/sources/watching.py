"""Tells when policy files changed: at once by the system's own events, and by a slow look for what events miss.

Events alone miss a root that is deleted and made again, a root that is not there yet, and a mounted ConfigMap whose symlink is
swapped to another directory. So every `LOOK_S` seconds the roots are surveyed, and the event watch is armed again where a root
moved. Reads nothing, writes nothing; what it costs is bounded whatever happens under the roots.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciler.sources.survey import Fingerprint, Survey, survey

LOOK_S: Final = 5.0
MISSING_LOOK_S: Final = 0.5  # while no root is there at all
SOONEST_S: Final = 0.05
DEBOUNCE_MS: Final = 50  # how long a burst of events is collected before it is told, in milliseconds
REST: Final = 4.0  # for how many times the processor time of a look there is no other
LONGEST_REST_S: Final = 2.0


def watch(
    roots: Sequence[str],
    seen: Fingerprint,
    changed: Callable[[], None],
    stop: threading.Event,
    again_s: Callable[[], float] = lambda: math.inf,
) -> None:
    """Call `changed` soon after anything under `roots` (files or directories) differs from `seen`, until `stop` is set. Blocks.

    `again_s` says in how many seconds `changed` is to be called though nothing did; it is asked after each look.
    """
    while not stop.is_set():
        for found in _looks(roots, stop, again_s):
            if found.entries != seen or again_s() <= 0:
                seen = found.entries
                changed()


def fingerprint(roots: Sequence[str]) -> Fingerprint:
    """What is under the roots, without opening a file: equal as long as no policy file changed."""
    return survey(roots).entries


def _looks(roots: Sequence[str], stop: threading.Event, again_s: Callable[[], float]) -> Iterator[Survey]:
    """What is there at each moment worth looking at: after an event that concerns a policy file, every `LOOK_S` seconds, and when
    `again_s` says. Ends when the roots moved, or another rhythm is wanted."""
    from watchfiles import Change  # a compiled module that only a running loop needs
    from watchfiles import watch as events

    armed = _armed(roots)
    found = survey(roots)
    yield found  # what changed between two watches
    wait_s = _wait_s(again_s)
    if not armed:
        stop.wait(min(wait_s, MISSING_LOOK_S))
        return
    looked, folders = time.monotonic(), tuple(armed)
    try:
        for burst in events(
            *armed,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=DEBOUNCE_MS // 5,
            stop_event=stop,
            rust_timeout=int(wait_s * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=any(Path(root).is_dir() for root in roots),
        ):
            late = (
                time.monotonic() - looked >= wait_s
            )  # a stream of events that concern nobody must not put the slow look off
            concerned = (found.concerns(path, folders, added=change is Change.added) for change, path in burst)
            if burst and not late and not any(concerned):
                continue
            began = time.thread_time()
            found = survey(roots)
            yield found
            looked = time.monotonic()
            if _armed(roots) != armed or _wait_s(again_s) != wait_s:
                return
            stop.wait(min(LONGEST_REST_S, REST * (time.thread_time() - began)))
    except FileNotFoundError:
        return  # a root went away between looking and arming


def _wait_s(again_s: Callable[[], float]) -> float:
    """How long to wait for events: to the next slow look, or until something is due before it."""
    due_s = again_s()
    return LOOK_S if due_s >= LOOK_S else max(SOONEST_S, due_s)


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
