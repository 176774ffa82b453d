"""How long these tests go on: briefly in the suite, at length by `make torture`, which also counts the cases."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest
from torture.forks import Forks

T = TypeVar("T")
LONG = "MODELPOLICY_TORTURE"


@dataclass
class Effort:
    """`pick` the short or the long form; `tried` says how many cases there were."""

    long: bool
    tell: Callable[[str, object], None]
    points: int = 0  # how many crash points of all; 0 is every one
    cases: int = 0

    def pick(self, short: T, long: T) -> T:
        return long if self.long else short

    def tried(self, cases: int = 1) -> None:
        self.cases += cases


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    it = Forks()
    yield it
    it.close()


@pytest.fixture
def effort(record_property):
    said = os.environ.get(LONG, "")
    it = Effort(bool(said), record_property, points=0 if said == "every" else 150)
    yield it
    record_property("cases", it.cases)
