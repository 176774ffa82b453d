"""How it is measured: what is compared takes turns, so that a noisy machine is noisy to all; medians, ratios, a table, JSON."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# Compiled modules are kept, as in any installation; a hash that differs from run to run would only add noise.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": ""}
for _name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED"):
    ENVIRONMENT.pop(_name, None)
OURS = (sys.executable, "-m", "reconciler.cli")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ours` and `floor` are medians in `unit`; `value` is what the goal is about."""

    what: str
    at: str
    ours: float
    floor: float
    floor_is: str
    value: float
    goal: str
    met: bool
    unit: str = "ms"
    note: str = ""


class Took(float):
    """Wall-clock milliseconds of a process, and the milliseconds of CPU that it took, which neighbours change little."""

    cpu: float = 0.0


def ratio(what: str, at: str, ours: Sequence[float], floor: Sequence[float], *, floor_is: str, most: float, unit: str = "ms",
          note: str = "") -> Row:  # fmt: skip
    """A row whose goal is a quotient of medians that may be at most `most`."""
    mine, other = statistics.median(ours), statistics.median(floor)
    cpus = [
        min(one.cpu for one in each if isinstance(one, Took)) if isinstance(each[0], Took) else 0
        for each in (ours, floor)
    ]
    if all(cpus):
        note = f"{cpus[0] / cpus[1]:.2f} in CPU time" + (f"; {note}" if note else "")
    return Row(what, at, mine, other, floor_is, mine / other, f"<= {most:g}x", mine / other <= most, unit, note)


def turns(contestants: Mapping[str, Callable[[], float]], runs: int) -> dict[str, list[float]]:
    """The measured values of each contestant, who take turns; the first turn only warms caches up."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(runs + 1):
        for name, run in contestants.items():
            value = run()
            if turn:
                found[name].append(value)
    return found


def command(arguments: Sequence[str], folder: Path, *, codes: Sequence[int] = (0,)) -> Callable[[], Took]:
    """What one process takes from start to end."""

    def run() -> Took:
        before, started = _children_s(), time.perf_counter()
        done = subprocess.run(arguments, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        took = Took((time.perf_counter() - started) * 1000)
        took.cpu = (_children_s() - before) * 1000
        if done.returncode not in codes:
            raise SystemExit(
                f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return took

    return run


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def script(code: str, folder: Path, python: str = sys.executable) -> dict:
    """What a script in a process of its own prints as JSON on its last line."""
    done = subprocess.run(
        [python, "-c", code], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: Sequence[Row]) -> str:
    """The rows for people; it is also what the README holds."""
    head = ["| what | at | ours | floor or peer | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    return "\n".join(head + [line(row) for row in rows])


def line(row: Row) -> str:
    """A row of the table."""
    end = ("met" if row.met else "**not met**") + (f"; {row.note}" if row.note else "")
    return (
        f"| {row.what} | {row.at} | {row.ours:,.0f} {row.unit} | {row.floor_is}: {row.floor:,.0f} {row.unit} "
        f"| {row.value:.2f} | {row.goal} | {end} |"
    )


def save(rows: Sequence[Row], file: Path) -> None:
    """The rows for programs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "load": os.getloadavg()}
    text = json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
