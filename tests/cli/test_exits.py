"""The exit code of several conditions at once: first of 130, 1, 6, 3, 4, 5, 7, 2, 0."""

import itertools

import pytest

from reconciler.cli.exits import PRECEDENCE, Exit, first


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
