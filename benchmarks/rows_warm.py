"""Rows within one process: a pass over what is loaded, apply, and from an edit to what it asks for."""

import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import inputs
from benchmarks.measuring import ENVIRONMENT, OURS, Row, command, ratio, turns
from reconciler import reconcile
from reconciler.kinds.declared import Declared
from reconciler.load import SourceText, load
from reconciler.platforms import Connection
from reconciler.reconcile import Asked
from reconciler.sources.watching import DEBOUNCE_MS
from reconciler.state import History


def _declared(folder: Path) -> Declared:
    return load([SourceText(name.as_posix(), name.read_bytes()) for name in sorted(folder.iterdir())]).declared


def _pass(folder: Path, size: int):
    """One warm pass: observe, check, plan, judge; the milliseconds it took."""
    folder = folder / f"n{size}"
    declared = _declared(inputs.policies(folder / "policies", size))
    database = inputs.platform(folder / ".modelpolicy" / "platform.db", size, converged=True)
    asked = Asked(account="default", everything=declared)
    account = asked.resource.spec
    embedded = account.embedded.model_copy(update={"path": str(database)})
    spec = account.model_copy(update={"embedded": embedded})
    resource = type(asked.resource)("PlatformAccount", "default", spec, asked.resource.origin)
    reader = reconcile.connect_reader(resource, Connection(lambda: datetime.now(UTC), create=False))

    def run() -> float:
        started = time.perf_counter()
        report = reconcile.look(asked, reader, History(), {}, datetime.now(UTC))
        took = (time.perf_counter() - started) * 1000
        if report.plan.changes or report.failures:
            raise SystemExit(f"the pass was to find nothing: {report.plan.changes[:1]} {report.failures}")
        return took

    return run


def warm(folder: Path, runs: int) -> list[Row]:
    """A warm pass over 10,000 against ten warm passes over 1,000."""
    small = _pass(folder, 1_000)
    found = turns({"ours": _pass(folder, 10_000), "small": lambda: sum(small() for _ in range(10))}, runs)
    return [ratio("pass, warm", "10,000", found["ours"], found["small"], floor_is="10 passes over 1,000", most=1.1)]


def apply(folder: Path, runs: int) -> list[Row]:
    """10,000 changes, each on disk before it is acknowledged, against as many bare transactions of the same rows."""
    policies = inputs.policies(folder / "policies", 10_000)
    number = 0

    def ours() -> float:
        nonlocal number
        number += 1
        place = folder / f"apply-{number}"
        inputs.platform(place / ".modelpolicy" / "platform.db", 10_000, converged=False)
        return command([*OURS, "apply", str(policies), "--yes"], place)()

    def bare() -> float:
        nonlocal number
        number += 1
        return _bare(
            inputs.platform(folder / f"bare-{number}.db", 10_000, converged=False), folder / f"bare-{number}.ledger"
        )

    found = turns({"ours": ours, "bare": bare}, max(1, runs // 3))
    return [ratio("apply, embedded", "10,000 changes", found["ours"], found["bare"], floor_is="bare SQLite", most=3)]


def _bare(database: Path, ledger: Path) -> float:
    """One durable transaction for each platform row, and the journal's rows a hundred at a time, as apply writes them."""
    platform, journal = (sqlite3.connect(path, isolation_level=None) for path in (database, ledger))
    for connection in (platform, journal):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    journal.execute("CREATE TABLE entries (address TEXT PRIMARY KEY, before TEXT, after TEXT, result TEXT)")
    models, limits = 4_000, 3_000
    writes = [("UPDATE models SET activated = 1 WHERE name = ?", (f"model-{i}",)) for i in range(models)]
    writes += [
        ("UPDATE models SET limit_tokens = ? WHERE name = ?", (inputs.tokens(i), f"model-{i}")) for i in range(limits)
    ]
    writes += [("UPDATE endpoints SET rpm = ?, tpm = ? WHERE id = ?", (inputs.rpm(i), inputs.tpm(i), f"ep-{i:06}"))
               for i in range(3_000)]  # fmt: skip
    started = time.perf_counter()
    for first in range(0, len(writes), 100):
        batch = writes[first : first + 100]
        names = [(f"{sql}{values}", str(values)) for sql, values in batch]
        journal.execute("BEGIN IMMEDIATE")
        journal.executemany("INSERT INTO entries VALUES (?, '', ?, '')", names)
        journal.execute("COMMIT")
        for sql, values in batch:
            platform.execute("BEGIN IMMEDIATE")
            platform.execute(sql, values)
            platform.execute("COMMIT")
        journal.execute("BEGIN IMMEDIATE")
        journal.executemany("UPDATE entries SET result = 'applied' WHERE address = ?", [(name,) for name, _ in names])
        journal.execute("COMMIT")
    took = (time.perf_counter() - started) * 1000
    platform.close()
    journal.close()
    return took


def watch(folder: Path, runs: int) -> list[Row]:
    """One file of 100 is saved; how long until the platform has it, against the pause in which more edits are awaited."""
    policies = inputs.policies(folder / "policies", 1_000)
    database = inputs.platform(folder / ".modelpolicy" / "platform.db", 1_000, converged=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO endpoints (id, name, model, created_at, updated_at) VALUES ('ep-edited', 'edited', 'model-1', 0, 0)"
        )
    file = policies / "edited.yaml"
    _write(file, 1)
    log = folder / "watch.log"
    with log.open("w") as out:
        watcher = subprocess.Popen([*OURS, "watch", str(policies)], cwd=folder, env=ENVIRONMENT, stdout=out, stderr=out)
        try:
            _await(database, 1, watcher, log)
            time.sleep(1.0)
            took = []
            for turn in range(runs):
                time.sleep(0.5)
                started = time.perf_counter()
                _write(file, turn + 2)
                _await(database, turn + 2, watcher, log)
                took.append((time.perf_counter() - started) * 1000)
        finally:
            watcher.terminate()
            watcher.wait(30)
    row = ratio("edit to converged, watch", "1 file of 100", took, [DEBOUNCE_MS], floor_is="the debounce", most=0)
    over = row.ours - row.floor
    return [
        Row(
            row.what,
            row.at,
            row.ours,
            row.floor,
            row.floor_is,
            over,
            "<= 150 ms over",
            over <= 150,
            note=f"{over:.0f} ms over",
        )
    ]


def _write(file: Path, rpm: int) -> None:
    text = (
        "apiVersion: modelpolicy.dev/v1alpha1\nkind: EndpointRateOverride\nmetadata:\n  name: edited\n"
        f"spec:\n  endpoint:\n    id: ep-edited\n  rpm: {rpm}\n  tpm: 5000\n"
    )
    half = file.with_suffix(".half")
    half.write_text(text, encoding="utf-8")
    half.replace(file)


def _await(database: Path, rpm: int, watcher: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 30
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        while connection.execute("SELECT rpm FROM endpoints WHERE id = 'ep-edited'").fetchone() != (rpm,):
            if watcher.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the watcher did not carry out the edit:\n{log.read_text()[-2000:]}")
            time.sleep(0.002)
