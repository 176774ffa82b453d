"""Who holds a lock, and whether that process still lives: judged by what cannot jump, wherever the two share it.

    the holder ran         its process is judged by                      its lease ends by
    on this machine        number and start time: gone means gone        the clock of this boot, which nobody sets
    in a container of it   nothing, for its numbers are its own          the clock of this boot
    elsewhere              nothing                                       the database's clock

A process number alone says nothing: it is given again after a reboot and in each container. The clock of an SQLite file is the
wall clock of whoever looks, which may just have been set: there the end of a lease is only a doubt where the holder was
elsewhere, or of the first version, which wrote down neither start time nor boot clock.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

COLUMNS: Final = "token, holder, machine, pid, started, clock, lease_s, ends_s"
FIRST_COLUMNS: Final = "token, holder, machine, pid, '', '', 30.0, 0.0"  # where the first version made the table
TOO_LONG: Final = 2.0  # leases: what is to end later than that was written by another clock
_STARTED: Final = 19  # of the words of /proc/PID/stat behind the command


class Life(Enum):
    """Whether the holder of a lock lives."""

    LIVES = auto()
    GONE = auto()
    DOUBTFUL = auto()  # only that it is not renewed for the length of a lease would show it


@dataclass(frozen=True, slots=True)
class Process:
    """A process as another one finds it again. `machine` is host, boot id and process namespace; `started` tells it from an
    earlier one by the same number, `clock` is which boot clock it reads; "" where the system does not say."""

    machine: str
    pid: int
    started: str
    clock: str


@dataclass(frozen=True, slots=True)
class Held:
    """A lock's row. Its lease is `lease_s` long and ends at `ends_s` by the holder's boot clock, at `expires_s` by the
    database's, which is in `left_s`."""

    token: str
    holder: str
    process: Process
    lease_s: float
    ends_s: float
    expires_s: float
    left_s: float

    @property
    def beat(self) -> tuple[str, float, float]:
        """Another one after each renewal."""
        return self.token, self.ends_s, self.expires_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a holder lives, and how that is known."""

    life: Life
    why: str


def held_of(row: Sequence[Any]) -> Held:
    """The lock in a row of COLUMNS, its end and the seconds until then, both by the database's clock."""
    token, holder, machine, pid, started, clock, *times_s = row
    return Held(token, holder, Process(machine, pid, started, clock), *times_s)


def judge(held: Held, *, shared_clock: bool) -> Verdict:
    """Whether the holder lives, as seen from here and now. `shared_clock`: the database's clock is one for all."""
    theirs, mine = held.process, here()
    if _same_processes(theirs.machine, mine.machine):
        started = started_of(theirs.pid)
        if started is None:
            return Verdict(Life.GONE, f"no process {theirs.pid} runs on this machine any more")
        if theirs.clock == mine.clock and theirs.started and started and started != theirs.started:
            return Verdict(Life.GONE, f"process {theirs.pid} of this machine is another one, started later")
    if theirs.clock and theirs.clock == mine.clock:
        return _by_lease(held.ends_s - boot_s(), sure=True)
    if held.left_s > TOO_LONG * held.lease_s:
        return Verdict(Life.DOUBTFUL, "its lease ends later than any lease does, so its clock was another one")
    return _by_lease(held.left_s, sure=shared_clock)


def _by_lease(left_s: float, *, sure: bool) -> Verdict:
    if left_s > 0:
        return Verdict(Life.LIVES, f"it renewed its lock, which holds for another {left_s:.0f} s")
    if sure:
        return Verdict(Life.GONE, f"it has not renewed its lock, which ended {-left_s:.0f} s ago")
    return Verdict(
        Life.DOUBTFUL, f"its lock ended {-left_s:.0f} s ago by the clock of this machine, which may differ from its own"
    )


def here() -> Process:
    """This process."""
    boot = _boot()
    machine = f"{socket.gethostname()} {boot} {_namespace('pid')}".strip() if boot else socket.gethostname()
    pid = os.getpid()
    return Process(machine, pid, started_of(pid) or "", f"{boot} {_namespace('time')}" if boot else "")


def started_of(pid: int) -> str | None:
    """When a process of this machine was started, as the system counts; "" where it does not say, None where there is none, or
    only what is left of a dead one."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    if words[:1] in (["Z"], ["X"]):
        return None
    return words[_STARTED] if len(words) > _STARTED else ""


def boot_s() -> float:
    """Seconds since the boot, or since some moment; also while the machine sleeps, where the system has such a clock."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def _same_processes(one: str, other: str) -> bool:
    """Whether a process number means the same in both machines: the boot and the namespace, for a host may be renamed."""
    theirs, mine = one.split()[-2:], other.split()[-2:]
    return theirs == mine if len(theirs) == len(mine) == 2 else one == other


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _namespace(name: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{name}").readlink())
    except OSError:
        return ""
