"""`modelpolicy watch` in a process of its own, and the lines it wrote."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path


class Watch:
    """A watcher in a process of its own, and the lines it wrote."""

    def __init__(self, home: Path, *flags: str, **environment: str) -> None:
        self.log = home / f"log-{time.monotonic_ns()}"
        env = {key: value for key, value in os.environ.items() if not key.startswith("MODELPOLICY_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reconciler.cli", "watch", "policies", *flags],
                cwd=home, stderr=log, stdout=log, env={**env, "PYTHONPATH": str(Path.cwd()), "NO_COLOR": "1", **environment},
            )  # fmt: skip

    def says(self, pattern: str, within_s: float = 20.0) -> re.Match[str] | None:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if found := re.search(pattern, self.log.read_text()):
                return found
            time.sleep(0.05)
        return None

    def end(self, by: int = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(20)
