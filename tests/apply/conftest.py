"""A stage with three models and two endpoints."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    it.models("a", "b", "c")
    it.endpoints("ep-1", "ep-2", of="a")
    yield it
    it.close()
