"""However a verb ends: one clear line on stderr, one exit code and, under `-o json`, one JSON document on stdout.

A user's mistake is a usage error (64) or a finding (3); the world's failure is a sentence (1). Only a bug in this program
is an unexpected exception, and even that is one line, with its traceback under MODELPOLICY_DEBUG.
"""

import contextlib
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from reconciler.cli import streams
from reconciler.cli.exits import Exit
from reconciler.cli.terminal import Terminal
from reconciler.errors import (
    LockHeld,
    ModelPolicyError,
    NoLedgerAddress,
    Overtaken,
    PlanSpent,
    PlatformError,
    WrongPlace,
)

COMMAND: Final = "modelpolicy"


class Stop(Exception):
    """A verb cannot go on: `str()` is a sentence for the user, `code` how the command ends."""

    def __init__(self, message: str, code: Exit = Exit.UNEXPECTED) -> None:
        super().__init__(message)
        self.code = code


class Terminated(BaseException):
    """SIGTERM, as an exception: not an Exception, so that no verb mistakes it for a failure."""


def run(root: click.Group, arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; nothing escapes but SystemExit."""
    code = _run(root, arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # what is left of it would fail once more when Python ends
        streams.silence(sys.stdout)
        return code or Exit.UNEXPECTED
    return code


def _run(root: click.Group, arguments: Sequence[str]) -> int:
    terminal = Terminal()
    message, reason, told = "", "", False
    try:
        with _sigterm_raises(), root.make_context(root.name or COMMAND, list(arguments), obj=terminal) as context:
            return int(root.invoke(context) or Exit.OK)
    except click.exceptions.Exit as ended:  # --help, --version, completion
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        code, message, reason, told = Exit.USAGE, "no verb was given", "Usage", True
        terminal.page(error.format_message())
    except click.ClickException as error:
        code, message, reason, told = Exit.USAGE, error.format_message(), "Usage", True
        terminal.note(_usage(error))
    except (KeyboardInterrupt, click.Abort, EOFError):
        code, message, reason = Exit.INTERRUPTED, "interrupted", "Interrupted"
    except Terminated:
        code, message, reason = Exit.TERMINATED, "terminated", "Terminated"
    except BrokenPipeError:
        streams.silence(sys.stdout)
        return Exit.OK
    except Exception as error:  # noqa: BLE001  # the last stop before the user
        code, message, reason = _ended_by(error)
    if not told:
        terminal.note(f"Error: {message}")
    if not terminal.said and asked_for_json(arguments, os.environ):
        with contextlib.suppress(OSError):  # nobody can be told but by the exit code
            terminal.document(document(streams.named(message), reason))
    return code


def _usage(error: click.ClickException) -> str:
    """How the verb is called, and what is wrong with how it was."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = []
    if context is not None:
        lines = [context.get_usage(), f"Try '{context.command_path} {context.help_option_names[-1]}' for help.", ""]
    return "\n".join([*lines, f"Error: {error.format_message()}"])


def _ended_by(error: Exception) -> tuple[Exit, str, str]:
    """The exit code, the sentence and the reason of what was raised."""
    if os.environ.get("MODELPOLICY_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, Stop):
        return error.code, str(error), error.code.name.capitalize()
    if isinstance(error, LockHeld):
        return Exit.LOCKED, f"{error} (held by {error.holder})", "Locked"
    if isinstance(error, PlanSpent | Overtaken):
        return Exit.STALE, str(error), "Stale"
    if isinstance(error, NoLedgerAddress):
        return Exit.USAGE, f"--ledger: {error}", "Usage"
    if isinstance(error, WrongPlace):
        return Exit.USAGE, str(error), "Usage"
    if isinstance(error, PlatformError):
        return Exit.UNEXPECTED, str(error), error.reason.value
    if isinstance(error, ModelPolicyError):
        return Exit.UNEXPECTED, str(error), "Unexpected"
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Exit.UNEXPECTED, f"{where}{error.strerror}", kind
    said = " ".join(str(error).split())[:500]
    return Exit.UNEXPECTED, f"unexpected {kind}: {said} (MODELPOLICY_DEBUG=1 shows where; please report it)", kind


def document(message: str, reason: str) -> str:
    """The JSON document of a run that ended before it had anything else to say."""
    from reconciler.report import as_json  # only a run that ended badly pays for it

    return as_json.error_document(message, reason)


def asked_for_json(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether JSON was asked for on stdout, told without parsing: also true of a command line that does not parse."""
    asked: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        if word == "--output" or re.fullmatch(r"-[a-z]*o", word):
            asked.append(next(words, ""))
        elif word.startswith("--output="):
            asked.append(word.removeprefix("--output="))
        elif attached := re.fullmatch(r"-o(.+)", word):
            asked.append(attached[1])
    if not asked:
        verb = next((word for word in arguments if not word.startswith("-")), "").replace("-", "_").upper()
        variable = environment.get(f"MODELPOLICY_{verb}_OUTPUT") or environment.get("MODELPOLICY_OUTPUT") or ""
        asked = variable.split()
    return "json" in asked


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """SIGTERM raises Terminated for the length of the context, so that what is open is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the shape a handler has
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
