"""How these tests call the command: in this process, through the same door as the console script."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.root import ROOT
from reconciler.platforms.embedded.engine import open_engine

Call = Callable[..., Result]
PLATFORM = ".modelpolicy/platform.db"


def embedded(folder: Path) -> None:
    """Make the embedded platform that commands in the folder find, as `platform seed` does."""
    open_engine(folder / PLATFORM, lambda: datetime.now(UTC)).close()


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`call("plan", "policies", stdin="")` in a fresh working directory, with no MODELPOLICY_* from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "CI", "MODELPOLICY_DEBUG", "MODELPOLICY_OUTPUT", "MODELPOLICY_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(ROOT, list(arguments), input=stdin, env=env)

    return run
