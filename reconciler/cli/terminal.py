"""Where words go: stdout is the artefact only, everything else goes to stderr. Knows width and colour, decides nothing.

Losing the reader of a pipe (`| head`) is silent and never stops the work that was asked for.
"""

import contextlib
import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from typing import Final, TextIO

from reconciler.cli import streams

NARROWEST: Final = 60
WIDEST: Final = 200


@dataclass(slots=True)
class Terminal:
    """One run's way to the user. `said` is True once an artefact went to stdout."""

    color: str = "auto"
    said: bool = False
    _passing: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def artefact(self, text: str) -> None:
        """Print what was asked for, for people; what they cannot be shown in their encoding is written as escapes."""
        self._artefact(_inert(text))

    def document(self, text: str) -> None:
        """Print what was asked for, for programs: these very characters, in UTF-8 whatever the locale."""
        self._artefact(text, utf8=True)

    def _artefact(self, text: str, *, utf8: bool = False) -> None:
        self.said = True
        self.passing("")
        streams.write(sys.stdout, text if text.endswith("\n") else text + "\n", utf8=utf8)

    def note(self, text: str) -> None:
        """Say something beside the artefact, on stderr: a sentence, in which no value acts on a terminal or a log."""
        self.page(_safe(streams.named(text)))

    def page(self, text: str) -> None:
        """Show what is laid out already, and so safe, on stderr. What nobody can be told is no reason to fail."""
        self.passing("")
        self._stderr(_inert(text) + "\n")

    def passing(self, line: str) -> None:
        """Show a line on stderr that the next word takes the place of; "" only takes it away. For whom `watched` is True."""
        with self._lock:
            if line or self._passing:
                self._stderr(f"\r\x1b[K{_safe(line)[: self.width - 1]}")
            self._passing = bool(line)

    def able(self) -> None:
        """Raise OSError where stdout is closed, before anything is done whose result nobody could be told."""
        if isinstance(sys.stdout, streams.Closed):
            sys.stdout.write("")

    @property
    def watched(self) -> bool:
        """Whether a person sees stderr as it is written: on a terminal that is no CI's and can take back what it shows."""
        return streams.is_terminal(sys.stderr) and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    @property
    def in_color(self) -> bool:
        """Whether the artefact is coloured: as asked for, else on a terminal without NO_COLOR."""
        return self._colors(sys.stdout)

    @property
    def notes_in_color(self) -> bool:
        """The same for stderr."""
        return self._colors(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: a terminal on both ends, and no CI (where a terminal may be pretended)."""
        return streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stderr) and not os.environ.get("CI")

    @property
    def width(self) -> int:
        """Columns to lay text out for: the terminal's or COLUMNS, 80 where there is neither."""
        return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))

    def _colors(self, stream: TextIO) -> bool:
        if self.color != "auto":
            return self.color == "always"
        return streams.is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _stderr(self, text: str) -> None:
        with contextlib.suppress(OSError):
            streams.write(sys.stderr, text)


def _inert(text: str) -> str:
    """Laid out text in which no line is a command to whoever keeps the log."""
    from reconciler.report.as_text.layout import inert  # --version and --help say nothing here

    return "\n".join(map(inert, text.split("\n")))


def _safe(text: str) -> str:
    """The text with what a terminal or a log would act on written as escapes, line by line."""
    from reconciler.report.as_text.layout import safe

    return "\n".join(map(safe, text.split("\n")))
