"""A ledger of each kind: an SQLite file, and a real PostgreSQL where one can be started."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.ledger import Ledger, open_ledger

Open = Callable[..., Ledger]


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root: then its own user does."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL prefix of a PostgreSQL of our own, reached through a Unix socket; skipped where none can be started."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed, so the ledger on it is not tested here")
    home = Path(f"/tmp/modelpolicy-pg-{uuid.uuid4().hex[:8]}")
    home.mkdir(mode=0o755)
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    data, as_user = home / "data", _as_user()
    try:
        made = subprocess.run(
            [*as_user, binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
            capture_output=True,
        )
        started = subprocess.run(
            [*as_user, binaries / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o",
             f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off", "start"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if made.returncode or started.returncode:
            pytest.skip(
                f"PostgreSQL could not be started, so the ledger on it is not tested here: {made.stderr[-200:]!r}"
            )
        yield f"postgresql://postgres@/{{}}?host={home}"
    finally:
        subprocess.run([*as_user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger that does not exist yet would be."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "ledger.db")
    pattern = request.getfixturevalue("postgres")
    import psycopg

    name = f"l{uuid.uuid4().hex}"
    with psycopg.connect(pattern.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return pattern.format(name)


@pytest.fixture
def open_(place: str) -> Iterator[Open]:
    """Opens the same ledger as often as asked, like one process after the other."""
    opened: list[Ledger] = []

    def open_it(**options: float) -> Ledger:
        opened.append(open_ledger(place, **options))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
