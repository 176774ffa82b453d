"""Measure: `python -m benchmarks [ROW ...] [--runs N] [--json FILE]`. Without a row, every one that this machine can."""

import argparse
import compileall
import tempfile
from pathlib import Path

from benchmarks import rows_cold, rows_network, rows_operator, rows_warm
from benchmarks.measuring import REPOSITORY, Row, line, save, table

ROWS = {
    "validate": rows_cold.validate,
    "plan": rows_cold.plan,
    "pass": rows_warm.warm,
    "watch": rows_warm.watch,
    "apply": rows_warm.apply,
    "network": rows_network.network,
    "twin": rows_network.twin,
    "memory": rows_cold.memory,
    "start-up": rows_cold.startup,
    "ready": rows_operator.ready,
    "idle": rows_operator.idle,
}


def main() -> None:
    """Each row in a folder of its own, which is gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; none is all")
    parser.add_argument("--runs", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument(
        "--json", type=Path, default=REPOSITORY / "build" / "benchmarks" / "results.json", metavar="FILE"
    )
    given = parser.parse_args()
    unknown = [row for row in given.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]!r}: choose from {', '.join(ROWS)}")
    compileall.compile_dir(REPOSITORY / "reconciler", quiet=2)
    found: list[Row] = []
    for name in given.rows or ROWS:
        with tempfile.TemporaryDirectory(prefix="modelpolicy-bench-") as folder:
            rows = ROWS[name](Path(folder), given.runs)
        print("\n".join(map(line, rows)), flush=True)
        found += rows
    print("\n" + table(found))
    save(found, given.json)
    print(f"\nalso in {given.json}")


if __name__ == "__main__":
    main()
