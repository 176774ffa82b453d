"""The peers, each in a virtual environment of its own under build/, made when it is first asked for."""

import subprocess
import sys
from pathlib import Path

from benchmarks.measuring import REPOSITORY

VERSIONS = {
    "octodns": ("octodns==1.22.*",),
    "kopf": ("kopf==1.45.*",),
    # The parsers that were the fastest of PyPI's; PyYAML's C loader is there for scale.
    "parsers": ("yaml-rs==0.1.6", "py-yaml12==0.2.0", "ryaml==0.5.1", "pyyaml==6.0.3"),
}


def environment(name: str) -> Path:
    """The folder of commands (`bin`) of a peer's environment."""
    folder = REPOSITORY / "build" / "benchmarks" / f"{name}-venv"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *VERSIONS[name]], check=True)
        (folder / "ready").touch()
    return folder / "bin"
