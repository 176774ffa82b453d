"""What a person sees who waits: a line that comes after a second and goes when the work is done. Only on a terminal, on stderr.

with waiting("looking at account default"):            how long it has taken
with Waiting(terminal, "applying", 120) as line:       a bar as well, as `line.done` grows
"""

import threading
import time
from types import TracebackType
from typing import Final, Self

import click

from reconciler.cli.terminal import Terminal

AFTER_S: Final = 1.0
EVERY_S: Final = 0.2
BAR: Final = 24


class Waiting:
    """Shows `what` is being done while its block runs. `done` may be set from any thread; `total` 0: nobody knows how much."""

    def __init__(self, terminal: Terminal | None, what: str, total: int = 0) -> None:
        self.done = 0
        self._terminal = terminal if terminal is not None and terminal.watched else None
        self._what, self._total = what, total
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._terminal is not None:
            self._thread = threading.Thread(target=self._show, args=(self._terminal,), name="waiting", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self, terminal: Terminal) -> None:
        started, wait_s = time.monotonic(), AFTER_S
        while not self._over.wait(wait_s):
            terminal.passing(self._line(time.monotonic() - started))
            wait_s = EVERY_S
        terminal.passing("")

    def _line(self, took_s: float) -> str:
        if not self._total:
            return f"  {self._what} ... {took_s:.0f} s"
        share = min(1.0, self.done / self._total)
        bar = "#" * int(share * BAR)
        return f"  {self._what} [{bar:<{BAR}}] {self.done:,} of {self._total:,}, {took_s:.0f} s"


def waiting(what: str) -> Waiting:
    """The same on the terminal of the verb that runs; nothing where none does."""
    context = click.get_current_context(silent=True)
    return Waiting(context.find_object(Terminal) if context is not None else None, what)
