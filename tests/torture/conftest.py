"""How long these tests go on: briefly in the suite, at length by `make torture`, which also counts the cases."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest
from torture.forks import Forks

T = TypeVar("T")
LONG = "MODELPOLICY_TORTURE"  # set: at length; a number: at length, but only every so many crash points


@dataclass
class Effort:
    """`pick` the short or the long form; `tried` says how many cases there were."""

    long: bool
    tell: Callable[[str, object], None]
    step: int = 1  # at length: only every so many of what is tried one by one
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
    it = Effort(bool(said), record_property, step=int(said) if said.isdecimal() else 1)
    yield it
    record_property("cases", it.cases)
