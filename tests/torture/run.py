"""`make torture`: every bullet at length, each within its bound, and a table of what was tried and what came of it.

    python tests/torture/run.py              all of them
    python tests/torture/run.py network disk those alone

MODELPOLICY_TORTURE=10 kills at every tenth point only: all of them take most of an hour on two processors. Exit code 1 where
anything failed. The same tests run briefly in the suite.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BOUND_S = {"crash": 5400}  # for one bullet; 1200 for the others
BULLETS = ("crash", "network", "model", "input", "protocol", "concurrency", "disk", "secrets", "ports", "supply")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    bullet: str
    tests: int
    cases: int
    skipped: int
    failed: int
    seconds: float
    tail: str = ""


def files(bullet: str) -> list[Path]:
    """Where a bullet's tests are; the operator's and PostgreSQL's stand with what they need."""
    beside = {"secrets": ["kube/test_secrets.py"], "disk": ["ledger/test_postgres_trouble.py"]}
    return [*sorted(HERE.glob(f"test_{bullet}*.py")), *(HERE.parent / each for each in beside.get(bullet, ()))]


def torture(bullet: str) -> Row:
    """Run one bullet's tests at length."""
    began, bound_s = time.monotonic(), BOUND_S.get(bullet, 1200)
    share = ["-n", str(os.cpu_count() or 1)] if bullet == "crash" else []
    with tempfile.TemporaryDirectory() as home:
        told = Path(home) / "told.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"timeout={bound_s}", "-o", "junit_family=xunit1", f"--junitxml={told}"]  # fmt: skip
        try:
            done = subprocess.run(
                [*command, *share, *map(str, files(bullet))], cwd=HERE.parents[1], timeout=bound_s + 60,
                env={"MODELPOLICY_TORTURE": "1", **os.environ}, capture_output=True, text=True,
            )  # fmt: skip
            tail = done.stdout[-4000:] + done.stderr[-2000:]
        except subprocess.TimeoutExpired:
            return Row(bullet, 0, 0, 0, 1, time.monotonic() - began, f"not done within {bound_s + 60} s")
        suite = ET.parse(told).getroot().find("testsuite") if told.exists() else None  # our own file
    took = time.monotonic() - began
    if suite is None:
        return Row(bullet, 0, 0, 0, 1, took, tail)
    cases = sum(int(each.get("value", "0")) for each in suite.iter("property") if each.get("name") == "cases")
    count = {name: int(suite.get(name, "0")) for name in ("tests", "skipped", "failures", "errors")}
    failed = count["failures"] + count["errors"]
    return Row(bullet, count["tests"], cases, count["skipped"], failed, took, tail if failed else "")


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(BULLETS)
    if unknown:
        print(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BULLETS)}")
        return 64
    line = "{:<12} {:>6} {:>8} {:>8} {:>7} {:>8}"
    print(line.format("bullet", "tests", "cases", "skipped", "failed", "seconds"), flush=True)
    rows = []
    for bullet in wanted or BULLETS:
        row = torture(bullet)
        rows.append(row)
        print(line.format(bullet, row.tests, row.cases, row.skipped, row.failed, f"{row.seconds:.1f}"), flush=True)
    for row in rows:
        if row.tail:
            print(f"\n{row.bullet}:\n{row.tail}")
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
