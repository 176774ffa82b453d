"""A status is written again only where a reader would act differently on it."""

from typing import Any

from reconciler.status import meaning


def status(reason: str = "Ready", **fields: Any) -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": "True", "reason": reason, "message": "m"}], **fields}


def test_a_counter_that_only_ticks_says_nothing_new_but_has_moved() -> None:
    before, after = status(tokens=1000, used=10), status(tokens=1000, used=11, observedAt="2026-01-01T00:00:00Z")
    assert not meaning.differs(before, after)
    assert meaning.moved(before, after)
    assert not meaning.moved(after, status(tokens=1000, used=11))


def test_crossing_a_mark_of_a_limit_or_a_free_quota_says_something_new() -> None:
    assert meaning.differs(status(tokens=1000, used=499), status(tokens=1000, used=500))
    assert not meaning.differs(status(tokens=1000, used=500), status(tokens=1000, used=799))
    free = [status(freeTokens={"total": 100, "consumed": used, "remaining": 100 - used}) for used in (89, 90)]
    assert meaning.differs(*free)


def test_another_condition_or_field_says_something_new() -> None:
    assert meaning.differs(status(), status("Drifted"))
    assert meaning.differs(status(), status(paused={"reason": "LimitReached"}))
    assert meaning.differs({}, status())


def test_the_next_attempt_is_told_where_the_platform_gave_the_time_and_not_where_we_only_back_off() -> None:
    times = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z")
    assert meaning.differs(*(status("CoolingDown", nextAttemptTime=at) for at in times))
    assert not meaning.differs(*(status("PlatformUnavailable", nextAttemptTime=at) for at in times))
