"""How long work shows that it lives: trouble at once, a count every second, on stderr. Decides nothing."""

import threading
import time
from typing import Final

from reconciler.cli.terminal import Terminal
from reconciler.report import as_text
from reconciler.report.as_text.layout import Layout
from reconciler.state import Outcome, Result

EVERY_S: Final = 1.0


class Progress:
    """Hears each outcome, from several threads at once; quiet about work that is over within a second."""

    def __init__(self, terminal: Terminal, changes: int) -> None:
        self._terminal = terminal
        self._changes = changes
        self._heard = 0
        self._started = self._last = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, outcome: Outcome) -> None:
        with self._lock:
            self._heard += 1
            if outcome.result is Result.FAILED:
                layout = Layout(self._terminal.width, self._terminal.notes_in_color)
                self._terminal.note(as_text.outcome(outcome, layout=layout))
            now = time.monotonic()
            if now - self._last >= EVERY_S:
                self._last = now
                self._terminal.note(f"  ... {self._heard:,} of {self._changes:,} changes, {now - self._started:.0f} s")
