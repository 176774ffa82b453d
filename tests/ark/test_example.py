"""The example of Ark tells what really happens."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_chat_client_is_refused_at_the_limit_and_served_again_two_hours_later(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MODELPOLICY_", "VOLC"))}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "ark" / "demo.py"), str(tmp_path)],
        capture_output=True, text=True, timeout=50, env={**environment, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    first, later = done.stdout.split("== two hours later")
    assert "served: " in first
    assert "refused: HTTP 429 SetLimitExceeded" in first.splitlines()
    assert "hello again" in later
    assert "refused" not in later
