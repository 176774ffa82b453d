"""An account with two days behind it, and its console as a browser would ask for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from reconciler.console.application import application
from reconciler.console.gate import Gate
from tests.console.scene import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Shared by all tests, which only look at it."""
    made = Scene(tmp_path_factory.mktemp("scene"))
    made.two_days()
    made.by_hand()
    yield made
    made.stage.close()


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene without its two days, for a test that changes it."""
    made = Scene(tmp_path)
    yield made
    made.stage.close()


@pytest.fixture
def client(scene: Scene) -> TestClient:
    return TestClient(application(scene.desk, Gate()), base_url="http://127.0.0.1:8901")
