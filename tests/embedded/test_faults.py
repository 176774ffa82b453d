"""Trouble can be ordered from a platform in process, for rehearsals."""

import pytest

from reconciler.errors import Transient
from reconciler.platforms.embedded.faults import FaultKind, Faulty
from reconciler.platforms.embedded.platform import EmbeddedPlatform
from reconciler.reasons import Reason
from reconciler.state import Operation, Target, Write

ACTIVATE = Write(Operation.ACTIVATE, Target("ModelActivation", "chat"))


@pytest.fixture
def late():
    return []


@pytest.fixture
def faulty(small, late):
    small.model()
    small.endpoint()
    return Faulty(EmbeddedPlatform(small.engine), late.append)


def test_without_orders_it_is_the_platform(faulty, small, late):
    faulty.write(ACTIVATE)
    assert faulty.observe(frozenset()) == small.engine.snapshot()
    assert faulty.read(ACTIVATE.target) == small.engine.model("chat")
    assert late == []


def test_a_late_answer_is_still_an_answer(faulty, late):
    faulty.order(FaultKind.LATENCY, "activate", seconds=2.5)
    faulty.write(ACTIVATE)
    assert late == [2.5]


def test_a_throttled_call_carries_its_wish_and_does_nothing(faulty, small):
    faulty.order(FaultKind.THROTTLE, "activate", times=2, seconds=7)
    for _ in range(2):
        with pytest.raises(Transient) as caught:
            faulty.write(ACTIVATE)
        assert (caught.value.reason, caught.value.retry_after_s) == (Reason.THROTTLED, 7)
    assert small.seen().state == "NotActivated"
    faulty.write(ACTIVATE)
    assert small.seen().state == "Activated"


def test_an_unavailable_platform_does_nothing(faulty, small):
    faulty.order(FaultKind.UNAVAILABLE)
    with pytest.raises(Transient) as caught:
        faulty.write(ACTIVATE)
    assert caught.value.reason is Reason.PLATFORM_UNAVAILABLE
    assert small.seen().state == "NotActivated"


def test_a_lost_answer_is_of_a_write_that_happened(faulty, small):
    faulty.order(FaultKind.ANSWER_LOST, "activate")
    with pytest.raises(Transient, match="may have happened"):
        faulty.write(ACTIVATE)
    assert small.seen().state == "Activated"


def test_a_stale_read_shows_what_was(faulty):
    faulty.order(FaultKind.STALE_READ, "read")
    faulty.order(FaultKind.STALE_READ, "observe")
    before = faulty.observe(frozenset())
    faulty.write(ACTIVATE)
    assert faulty.read(ACTIVATE.target).models["chat"].state == "NotActivated"
    assert faulty.read(ACTIVATE.target).models["chat"].state == "Activated"
    assert before.models["chat"].state == "NotActivated"
    assert faulty.observe(frozenset()).models["chat"].state == "Activated"


def test_a_stale_read_of_an_endpoint_shows_it_with_its_model(faulty):
    faulty.order(FaultKind.STALE_READ, "read")
    seen = faulty.read(Target("EndpointRateOverride", "ep-1"))
    assert (set(seen.endpoints), set(seen.models)) == ({"ep-1"}, {"chat"})
