"""When a limit is reached is foreseen once: guard, rule, console and status say one and the same."""

import re
from datetime import timedelta

import pytest

from reconciler import guards, rules
from reconciler.console.saying import Saying
from reconciler.durations import roughly
from reconciler.kinds.inference_limit import forecast, reached_at
from reconciler.plan import VerdictKind, make
from reconciler.report.as_text.words import until
from reconciler.state import ActivationState, Limit
from tests import builders as b


@pytest.mark.parametrize(
    ("length", "said"),
    [(timedelta(), "about 1 min"), (timedelta(seconds=20), "about 1 min"), (timedelta(minutes=3), "about 3 min"),
     (timedelta(minutes=89), "about 89 min"), (timedelta(hours=2), "about 2 h"), (timedelta(hours=23.6), "about 24 h"),
     (timedelta(days=3), "about 3 d"), (timedelta(days=1500), "about 1,500 d")],
)  # fmt: skip
def test_what_is_foreseen_is_said_in_one_unit(length: timedelta, said: str) -> None:
    assert roughly(length) == said


@pytest.mark.parametrize("tokens", [1_000, 20_000, 45_000, 410_000, 800_000, 9_000_000])
def test_guard_rule_and_console_say_the_same_of_one_limit(tokens: int) -> None:
    use = tuple((b.NOW - b.hours(n), 410_000) for n in range(10, 0, -1))
    model = b.model("m", state=ActivationState.ACTIVATED, hourly_use=use, limit=None)
    declared = b.declared(b.limit("m", tokens=tokens))
    question = b.question(declared, b.snapshot(model))
    verdicts = [one for one in guards.judge(make(question), question) if one.id == "limit-below-use"]
    context = rules.Context(
        account=b.account(), declared=declared, everything=declared, now=b.NOW, snapshot=b.snapshot(model)
    )
    found = [one for one in rules.check(context) if one.rule == "limit-below-use"]
    said = [one.message for one in found] + [one.message for one in verdicts if one.verdict is VerdictKind.REFUSED]
    assert said
    foreseen = forecast(model, tokens, b.NOW)
    assert foreseen is not None
    assert {re.search(r"about [\d,]+ \w+", message)[0] for message in said} == {str(foreseen)}  # type: ignore[index]
    live = b.model("m", hourly_use=use, limit=Limit(tokens, 0, b.NOW))
    at = reached_at(live, b.NOW)
    assert at is not None
    assert f"about {Saying('en').roughly(at - b.NOW)}" == str(foreseen)


def test_seconds_that_are_left_are_whole() -> None:
    assert until(b.NOW + timedelta(seconds=1.9), b.NOW).endswith("(in 2 s)")
    assert until(b.NOW + timedelta(minutes=72), b.NOW).endswith("(in 1 h 12 min)")
