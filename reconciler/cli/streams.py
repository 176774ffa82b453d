"""The three standard streams as a run finds them: each may be closed, full, unread, non-blocking or of another encoding.

Knows bytes and descriptors; what is said is `terminal`'s business.
"""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn, TextIO

NAMES: Final = ("standard input", "standard output", "standard error")
_EBADF: Final = "it is closed"


class Closed(io.TextIOBase):
    """Stands in for a standard stream that is closed: is no terminal, and whoever reads or writes it is told."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.buffer = self

    def _refuse(self, *_: Any) -> NoReturn:
        raise OSError(errno.EBADF, _EBADF, self._name)

    read: Callable[..., Any] = _refuse
    readline: Callable[..., Any] = _refuse
    write: Callable[..., Any] = _refuse

    def __iter__(self) -> NoReturn:
        self._refuse()


def secure() -> None:
    """Make the standard streams safe to use, for a process of our own; before anything is opened.

    The number of a closed one would go to the next file that is opened, such as the ledger, and what is printed would be
    written into it: each such number is taken here, by nothing. What nobody hears on stderr is lost without harm; stdin and
    stdout say that they are closed. A pipe that does not block would lose what does not fit into it at once.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  # the lowest free number: this one
    if sys.stdin is None:
        sys.stdin = Closed(NAMES[0])
    if sys.stdout is None:
        sys.stdout = Closed(NAMES[1])
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # for as long as the process lives
    for number in (1, 2):
        os.set_blocking(number, True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal; a closed or missing one is none."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed since
        return False


def write(stream: TextIO | None, text: str, *, utf8: bool = False) -> None:
    """Write all of the text at once: as UTF-8, or in the stream's own encoding, where what that lacks is shown as an escape.

    Where nobody reads any more that is silent; any other trouble is an OSError that names the stream. Either way nothing
    that is written later, or is flushed at the end of the process, fails again.
    """
    if stream is None:
        return
    name = NAMES[2] if stream is sys.stderr else NAMES[1]
    try:
        _write(stream, text, "utf-8" if utf8 else stream.encoding or "utf-8")
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        raise OSError(error.errno, error.strerror or "it cannot be written", name) from error


def _write(stream: TextIO, text: str, encoding: str) -> None:
    data = text.encode(encoding, "backslashreplace")
    stream.flush()
    raw: Any = getattr(stream, "buffer", None)
    if raw is None:  # in memory
        stream.write(data.decode(encoding))
    else:
        raw.write(data)
    stream.flush()


def silence(stream: TextIO) -> None:
    """What is still written to `stream`, also at exit, goes nowhere."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # it has none: closed, or in memory
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def named(text: str) -> str:
    """The text with what came from a file's name and is no UTF-8 shown as escapes."""
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        return text
    with contextlib.suppress(UnicodeEncodeError):
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    return text.encode("utf-8", "backslashreplace").decode()
