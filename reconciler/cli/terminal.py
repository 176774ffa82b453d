"""Where words go: stdout is the artefact only, everything else goes to stderr. Knows width and colour, decides nothing.

Losing the reader of a pipe (`| head`) is silent and never stops the work that was asked for.
"""

import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from typing import Final, TextIO

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
        """Print what was asked for; the only way to stdout."""
        self.said = True
        self.passing("")
        _write(sys.stdout, text if text.endswith("\n") else text + "\n")

    def note(self, text: str) -> None:
        """Say something beside the artefact, on stderr."""
        self.passing("")
        _write(sys.stderr, text + "\n")

    def passing(self, line: str) -> None:
        """Show a line on stderr that the next word takes the place of; "" only takes it away. For whom `watched` is True."""
        with self._lock:
            if line or self._passing:
                _write(sys.stderr, f"\r\x1b[K{line[: self.width - 1]}")
            self._passing = bool(line)

    @property
    def watched(self) -> bool:
        """Whether a person sees stderr as it is written: on a terminal that is no CI's and can take back what it shows."""
        return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

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
        return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")

    @property
    def width(self) -> int:
        """Columns to lay text out for: the terminal's or COLUMNS, 80 where there is neither."""
        return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))

    def _colors(self, stream: TextIO) -> bool:
        if self.color != "auto":
            return self.color == "always"
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)
    except UnicodeEncodeError:  # a terminal of another encoding: say what can be said
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()


def silence(stream: TextIO) -> None:
    """Nobody reads `stream` any more: what is still written there, also at exit, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
