"""One served platform for each test module, without faults left over from the test before."""

from collections.abc import Iterator

import pytest
from served import Rig, serve


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    yield from serve(tmp_path_factory.mktemp("served") / "platform.db")


@pytest.fixture(autouse=True)
def _no_fault_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "rig" in request.fixturenames:
        request.getfixturevalue("rig").served.faults.clear()
