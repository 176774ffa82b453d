"""The loop's log on stderr: hears passes and what happens between them, and writes one line a decision."""

import threading
from collections.abc import Callable
from datetime import datetime

from reconciler.cli.stopping import WORDS
from reconciler.cli.terminal import Terminal
from reconciler.controller import Pass
from reconciler.finding import Finding, errors, in_order
from reconciler.report import as_log
from reconciler.report.as_log import Entry
from reconciler.state import Failure, Outcome


class Diary:
    """Safe to call from several threads. Repeats nothing: a failure that goes on is said once, and once when it is over."""

    def __init__(self, terminal: Terminal, clock: Callable[[], datetime], *, as_json: bool) -> None:
        self._terminal = terminal
        self._clock = clock
        self._line = as_log.as_json if as_json else as_log.text
        self._failing: dict[str, tuple[Failure, ...]] = {}
        self._met: set[str] = set()
        self._wrong: dict[str, frozenset[Finding]] = {}
        self._lock = threading.Lock()
        self.on_lead: Callable[[str, bool], None] | None = None

    def passed(self, done: Pass) -> None:
        """A pass is over."""
        account = done.report.account.account
        with self._lock:
            first, before = account not in self._met, self._failing.get(account, ())
            self._met.add(account)
            self._failing[account] = done.report.failures
        for failure in done.report.failures:
            if failure.reason not in {old.reason for old in before}:
                self.say("failure", account, f"{failure.reason.value}: {failure.message}", level="error")
        if before and not done.report.failures:
            self.say("failure", account, "the platform answers again")
        self._mistakes(account, done)
        for entry in as_log.entries(done.report, done.before, first):
            self._write(entry)

    def _mistakes(self, account: str, done: Pass) -> None:
        """New errors in the declarations, and how many are gone. What they affect is held; the rest goes on."""
        now = frozenset(errors(done.report.relevant))
        with self._lock:
            before, self._wrong[account] = self._wrong.get(account, frozenset()), now
        for found in in_order(now - before):
            place = f"{found.location}: " if found.location else ""
            self.say("finding", account, f"{place}{found.rule}: {found.message}", level="error")
        if gone := len(before - now):
            self.say("finding", account, f"{gone} {'error is' if gone == 1 else 'errors are'} mended")

    def led(self, account: str, holder: str) -> None:
        """Who leads changed; see `controller.Ear`."""
        if self.on_lead is not None:
            self.on_lead(account, not holder)
        self.say("lead", account, f"standing by: the lock is held by {holder}" if holder else "leading")

    def outcome(self, account: str, outcome: Outcome) -> None:
        """An outcome is journaled; the pass it belongs to tells it."""

    def trouble(self, account: str, message: str) -> None:
        """The ledger cannot be used, or a defect was met."""
        self.say("trouble", account, message, level="error")

    def stopping(self) -> str:
        """What the first signal to stop is answered with, as a line of this log."""
        return self._line(Entry(level="info", event="stop", account="", message=WORDS), self._clock()) + "\n"

    def say(self, event: str, account: str, message: str, *, level: str = "info") -> None:
        """One line that belongs to no resource."""
        self._write(Entry(level=level, event=event, account=account, message=message))

    def _write(self, entry: Entry) -> None:
        self._terminal.page(self._line(entry, self._clock()))
