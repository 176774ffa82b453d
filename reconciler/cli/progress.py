"""How applying shows that it lives: trouble at once, how far it is while a person waits. Decides nothing."""

import threading

from reconciler.cli.terminal import Terminal
from reconciler.cli.waiting import Waiting
from reconciler.report import as_text
from reconciler.report.as_text.layout import Layout
from reconciler.state import Outcome, Result


class Progress(Waiting):
    """Hears each outcome, from several threads at once."""

    def __init__(self, terminal: Terminal, changes: int) -> None:
        super().__init__(terminal, "applying", changes)
        self._speaks = terminal
        self._lock = threading.Lock()

    def __call__(self, outcome: Outcome) -> None:
        with self._lock:
            self.done += 1
        if outcome.result is Result.FAILED:
            layout = Layout(self._speaks.width, self._speaks.notes_in_color)
            self._speaks.page(as_text.outcome(outcome, layout=layout))
