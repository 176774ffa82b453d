"""Ctrl-C and SIGTERM while something is written: the first lets what is in flight finish, the second ends at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from reconciler.cli.endings import Terminated
from reconciler.cli.exits import Exit

WORDS: Final = "Stopping: what is in flight is finished first. Once more stops at once."


@dataclass(slots=True)
class Stopping:
    """Whether to stop, and by which signal; `words` are said on the first."""

    words: Callable[[], str]
    event: threading.Event = field(default_factory=threading.Event)
    signal: int = 0

    def now(self) -> bool:
        """Whether what is in flight is to be the last."""
        return self.event.is_set()

    def sleep(self, seconds: float) -> bool:
        """Wait, or return early once it is time to stop."""
        return self.event.wait(seconds)

    def code(self, code: Exit) -> Exit:
        """An interruption by SIGTERM has an exit code of its own."""
        return Exit.TERMINATED if code is Exit.INTERRUPTED and self.signal == signal.SIGTERM else code

    def _hear(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the shape a handler has
        if self.event.is_set():
            raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt
        self.signal = signum
        self.event.set()
        with contextlib.suppress(OSError):  # nobody can be told
            os.write(2, self.words().encode())  # not print: a handler may run in the middle of one


@contextmanager
def stopping(words: Callable[[], str] = lambda: f"\n{WORDS}\n") -> Iterator[Stopping]:
    """Hear both signals for the length of the context; outside the main thread nothing is heard."""
    heard = Stopping(words)
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = {one: signal.signal(one, heard._hear) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
