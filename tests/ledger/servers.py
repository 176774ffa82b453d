"""A PostgreSQL of the tests' own, reached through a Unix socket, that they may stop and start."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path


class Absent(Exception):
    """PostgreSQL is not installed here, or does not start; says why."""


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not installed:
        raise Absent("PostgreSQL is not installed, so the ledger on it is not tested here")
    return installed[0]


class Server:
    """One server with its data in a folder of its own."""

    def __init__(self) -> None:
        self._binaries = _binaries()
        self.home = Path(f"/tmp/modelpolicy-pg-{uuid.uuid4().hex[:8]}")
        self.data = self.home / "data"
        self.home.mkdir(mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres")
        made = self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "--data-checksums")
        if made.returncode or not self.start():
            self.close()
            raise Absent(
                f"PostgreSQL could not be started, so the ledger on it is not tested here: {made.stderr[-200:]!r}"
            )

    def _run(self, name: str, *arguments: object, **options: object) -> "subprocess.CompletedProcess[bytes]":
        # PostgreSQL refuses to run as root.
        as_user = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.geteuid() == 0 else {}
        command = [str(self._binaries / name), *map(str, arguments)]
        return subprocess.run(command, **({"capture_output": True, "cwd": self.home} | as_user | options))  # type: ignore[call-overload,no-any-return]

    def start(self) -> bool:
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.home} -c fsync=off"
        none = {"capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return not self._run(
            "pg_ctl", "-D", self.data, "-w", "-l", self.home / "log", "-o", settings, "start", **none
        ).returncode

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def close(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.home}"

    def new_database(self) -> str:
        """The name of an empty one."""
        import psycopg

        name = f"l{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return name
