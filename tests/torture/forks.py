"""A process that has everything imported and forks one that runs the command, so that a thousand real processes are cheap.

Each line of standard input is an order: {"arguments", "cwd", "environment", "point"}. The forked process is killed by SIGKILL
at its `point`-th platform call or ledger write, each of which counts before and after; 0 never. One line comes back for
each: {"ended": how it ended as in Popen.returncode, "points": how many it passed, "out": standard output and error}.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a forked process ended."""

    code: int
    points: int
    out: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Forks:
    """The process that forks, seen from the test."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": root},
        )  # fmt: skip

    def run(self, *arguments: str, cwd: Path, point: int = 0, **environment: str) -> Ended:
        order = {"arguments": arguments, "cwd": str(cwd), "environment": environment, "point": point}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Ended(told["ended"], told["points"], told["out"])

    def close(self) -> None:
        self._process.communicate()


class _Points:
    """Counts in a file of its own, for nothing else survives a kill."""

    def __init__(self, file: int, deadly: int) -> None:
        self._file, self._deadly, self._count = file, deadly, 0
        self._lock = threading.Lock()

    def pass_(self) -> None:
        with self._lock:
            self._count += 1
            os.pwrite(self._file, str(self._count).encode(), 0)
            if self._count == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # the signal may reach another thread first


def _count(points: _Points) -> None:
    """Make every platform call and every ledger write of this process a point, before and after."""
    from reconciler.ledger.sqlite import Session
    from reconciler.platforms.ark.client import Client

    send, transaction = Client._send, Session.transaction

    def counted_send(self: Any, action: str, request: Any) -> Any:
        points.pass_()
        answer = send(self, action, request)
        points.pass_()
        return answer

    @contextlib.contextmanager
    def counted_transaction(self: Any, *, write: bool) -> Iterator[Any]:
        if not write:
            with transaction(self, write=write) as session:
                yield session
            return
        points.pass_()
        with transaction(self, write=write) as session:
            yield session
            points.pass_()
        points.pass_()

    Client._send, Session.transaction = counted_send, counted_transaction  # type: ignore[method-assign]


def _child(order: dict[str, Any], out: int, counting: int) -> int:
    from reconciler.cli import endings, root

    for target in (1, 2):
        os.dup2(out, target)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(order["cwd"])
    os.environ.update(order["environment"])
    _count(_Points(counting, order["point"]))
    return endings.run(root.ROOT, order["arguments"])


def _serve() -> None:
    import reconciler.cli.apply
    import reconciler.platforms.ark.platform  # imported once, here
    import reconciler.platforms.embedded.platform  # noqa: F401

    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as counting:
            pid = os.fork()
            if not pid:
                code = 99
                try:
                    code = _child(json.loads(line), out.fileno(), counting.fileno())
                    sys.stdout.flush()
                finally:
                    os._exit(code)
            _, status = os.waitpid(pid, 0)
            out.seek(0)
            counting.seek(0)
            told = {
                "ended": os.waitstatus_to_exitcode(status), "points": int(counting.read() or b"0"),
                "out": out.read().decode(errors="replace"),
            }  # fmt: skip
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    _serve()
