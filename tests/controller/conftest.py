"""Stages for loops, closed at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from looping import Looping, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Looping] = []

    def new(**settings: object) -> Looping:
        home = tmp_path / str(len(started))
        home.mkdir()
        loop = Looping(home, **settings)
        loop.stage.models("a", "b", "c")
        loop.stage.endpoints("ep-1", "ep-2", of="a")
        started.append(loop)
        return loop

    yield new
    for loop in started:
        loop.seat.release()
        loop.stage.close()
