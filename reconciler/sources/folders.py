"""Policy files as the source of the loop: loaded when they changed, watched, and answered with a status file.

Reads below the given paths; writes only the status file, and only when what it says changed.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from reconciler import writer
from reconciler.errors import NotWritable
from reconciler.finding import in_order
from reconciler.load import Loaded, Memory, load
from reconciler.report import Report, as_json
from reconciler.sources import watching
from reconciler.sources.files import gather
from reconciler.sources.survey import Fingerprint

STATUS_FILE: Final = "status.json"


class Folders:
    """Files and directories, as `reconciler.controller.Source` wants them. `status_file` None: no status file; `trouble` hears, once,
    why it cannot be written."""

    def __init__(
        self, paths: Sequence[str], status_file: Path | None, trouble: Callable[[str], None] = lambda _: None
    ) -> None:
        self._paths = tuple(paths) or (".",)
        self._status_file = status_file
        self._trouble = trouble
        self._told = ""
        self._loaded: Loaded | None = None
        self._fingerprint: Fingerprint = frozenset()
        self._reports: dict[str, Report] = {}
        self._written = ""
        self._memory = Memory()
        self._publishing = threading.Lock()

    def load(self) -> Loaded:
        """The whole set as it is now; what a file said that did not change is remembered."""
        now = watching.fingerprint(self._paths)
        if self._loaded is None or now != self._fingerprint or not self._loaded.declared.complete:
            read = gather(self._paths)
            loaded = load(read.texts, complete=read.complete, memory=self._memory)
            self._loaded = Loaded(loaded.declared, in_order((*loaded.findings, *read.findings)))
            self._fingerprint = now
        return self._loaded

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` soon after a policy file changed, until `stop` is set."""
        watching.watch(self._paths, self._fingerprint, changed, stop)

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
