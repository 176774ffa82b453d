"""The exit code of several conditions at once: first of 130, 1, 6, 3, 4, 5, 7, 2, 0."""

import itertools
from dataclasses import replace

import pytest

from reconciler.cli.exits import PRECEDENCE, Exit, first, of
from reconciler.state import Result
from tests.report import scenes


def test_the_precedence_is_the_published_one_and_names_every_code() -> None:
    published = [130, 1, 6, 3, 4, 5, 7, 2, 0]
    assert [code for code in PRECEDENCE if code in published] == published
    assert set(PRECEDENCE) == set(Exit)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PRECEDENCE, 2)))
def test_of_two_conditions_the_first_in_precedence_is_returned(one: Exit, other: Exit) -> None:
    assert first([other, one]) is one
    assert first([one, other, Exit.OK]) is one


def test_nothing_to_say_is_fine() -> None:
    assert first([]) is Exit.OK


def test_each_condition_of_a_report_is_an_exit_code() -> None:
    busy, quiet = scenes.busy(), scenes.quiet()
    assert of([quiet]) is Exit.OK
    assert of([quiet], detailed=True) is Exit.OK
    assert of([scenes.unreachable()]) is Exit.UNEXPECTED
    assert of([busy]) is Exit.REFUSED
    assert of([scenes.broken()]) is Exit.INVALID
    allowed = replace(busy, plan=replace(busy.plan, guards=()))
    assert of([allowed]) is Exit.OK
    assert of([allowed], detailed=True) is Exit.CHANGES
    done = replace(scenes.done(), plan=allowed.plan)
    assert of([done]) is Exit.STALE
    partial = replace(done, outcomes=tuple(one for one in done.outcomes if not one.stale))
    assert of([partial], detailed=True) is Exit.PARTIAL
    waiting = replace(done, outcomes=tuple(one for one in done.outcomes if one.result is Result.DEFERRED))
    assert of([waiting]) is Exit.OK
    assert of([replace(waiting, interrupted=True), scenes.unreachable()]) is Exit.INTERRUPTED


def test_the_worst_account_decides() -> None:
    assert of([scenes.quiet(), scenes.busy(), scenes.unreachable()]) is Exit.UNEXPECTED
