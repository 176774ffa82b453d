"""Policy files as the source of the loop: loaded when they changed, watched, and answered with a status file.

Reads below the given paths; writes only the status file, and only when what it says changed.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler import writer
from reconciler.errors import NotWritable
from reconciler.finding import in_order
from reconciler.kinds.declared import Declared
from reconciler.load import Loaded, Memory, SourceText, load
from reconciler.report import Report, as_json
from reconciler.sources import rest, watching
from reconciler.sources.absence import Absences
from reconciler.sources.files import Gathered, gather, name_of
from reconciler.sources.survey import Fingerprint

STATUS_FILE: Final = "status.json"
RESTLESS_S: Final = 0.2  # from one look at a file that does not rest to the next


class Folders:
    """Files and directories, as `reconciler.controller.Source` wants them. `status_file` None: no status file; `trouble` hears, once,
    why it cannot be written. `settle_s`: how long an account or a constraint has to be away until it is gone; `at_rest` False: files
    are taken as they are, for a source that is loaded once."""

    def __init__(
        self, paths: Sequence[str], status_file: Path | None, trouble: Callable[[str], None] = lambda _: None,
        *, settle_s: float = 0.0, at_rest: bool = True,
    ) -> None:  # fmt: skip
        self._paths = tuple(paths) or (".",)
        self._status_file = status_file
        self._trouble = trouble
        self._told = ""
        self._most_s = rest.MOST_S if at_rest else 0.0
        self._loaded: Loaded | None = None
        self._fingerprint: Fingerprint = frozenset()
        self._resting = rest.Resting()
        self._absences = Absences(settle_s)
        self._again_at = math.inf
        self._reports: dict[str, Report] = {}
        self._written = ""
        self._memory = Memory()
        self._publishing = threading.Lock()

    def load(self) -> Loaded:
        """The whole set once its files rest; what a file said that did not change is remembered."""
        found = watching.fingerprint(self._paths)
        if self._loaded is None or not self._is_loaded(found):
            self._loaded = self._read(found, self._loaded.declared if self._loaded else None)
        elif self._resting.restless:
            self._again_at = time.monotonic() + RESTLESS_S
        return self._loaded

    def _is_loaded(self, found: Fingerprint) -> bool:
        same = self._fingerprint == rest.without(found, self._resting.restless) and self._resting.still(found)
        complete = self._loaded is not None and self._loaded.declared.complete
        return same and complete and time.monotonic() < self._absences.due_at

    def _read(self, found: Fingerprint, before: Declared | None) -> Loaded:
        until = time.monotonic() + self._most_s
        while True:
            read = gather(self._paths)
            loaded = self._understood(read, read.texts)  # while files come to rest
            if not self._most_s:
                break
            after = watching.fingerprint(self._paths)
            late = self._resting.wait(found, after, until)
            if late and time.monotonic() >= until:
                self._resting.restless |= late
            elif late:
                found = watching.fingerprint(self._paths)
                continue
            break
        moving = frozenset(name_of(Path(path)) for path in self._resting.restless)
        if moving:
            loaded = self._understood(read, [each for each in read.texts if each.name not in moving])
        declared, findings = rest.held(loaded.declared, moving, before)
        now = time.monotonic()
        declared = self._absences.filled(declared, before, now, moving)
        self._fingerprint = rest.without(found, self._resting.restless)
        self._again_at = min(self._absences.due_at, now + RESTLESS_S if moving else math.inf)
        if not declared.complete:
            self._again_at = min(self._again_at, now + watching.LOOK_S)
        return Loaded(declared, in_order((*loaded.findings, *findings)))

    def _understood(self, read: Gathered, texts: Iterable[SourceText]) -> Loaded:
        loaded = load(texts, complete=read.complete, memory=self._memory)
        return Loaded(replace(loaded.declared, stored=True), (*loaded.findings, *read.findings))

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` soon after a policy file changed, and where one is to be seen again, until `stop` is set."""
        watching.watch(self._paths, self._fingerprint, changed, stop, lambda: self._again_at - time.monotonic())

    def publish(self, report: Report) -> None:
        """Write how all accounts stand, unless the file says so already. Where it cannot be written that is told and the loop goes
        on: the ledger has the same facts."""
        if self._status_file is None:
            return
        with self._publishing:
            self._reports[report.account.account] = report
            known = self._loaded.declared.accounts if self._loaded else self._reports
            self._reports = {account: each for account, each in self._reports.items() if account in known}
            text = as_json.status(*(each for _, each in sorted(self._reports.items())))
            if text != self._written:
                self._write(self._status_file, text)

    def _write(self, file: Path, text: str) -> None:
        try:
            writer.make_folder(file.parent)
            writer.write(file, text.encode())
        except NotWritable as error:
            if str(error) != self._told:
                self._trouble(str(error))
            self._told = str(error)
        else:
            self._written, self._told = text, ""
