"""The lines around a finding: what a person sees stands where the file has it."""

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.finding import Location
from reconciler.load import frame


def test_a_frame_shows_the_line_with_its_neighbours_and_a_caret() -> None:
    assert frame(b"a: 1\nb: 2\nc: 3\nd: 4\n", Location("x", 2, 4)) == "1 | a: 1\n2 | b: 2\n  |    ^\n3 | c: 3"


def test_tabs_control_and_invisible_characters_are_made_visible_under_a_caret_that_still_fits() -> None:
    shown = frame("\ta\x1b: \u202eb".encode(), Location("x", 1, 7), context=0)
    assert shown == "1 | →a␛: \\u202eb\n  |            ^"


def test_wide_characters_take_two_columns() -> None:
    assert frame("模型: x".encode(), Location("x", 1, 5), context=0) == "1 | 模型: x\n  |       ^"


def test_a_long_line_is_cut_around_the_caret() -> None:
    line, caret = frame(b"x" * 5000 + b"HERE" + b"y" * 5000, Location("x", 1, 5001), context=0).splitlines()
    assert len(line) < 110
    assert line[caret.index("^") :].startswith("HERE")


def test_there_is_no_frame_where_there_is_no_place() -> None:
    assert frame(b"a: 1\n", Location("x")) == ""
    assert frame(b"a: 1\n", Location("x", 9, 1)) == ""


@example("\u07b2\u3000\U000e0001".encode(), 1, 0, 0)
@given(st.binary(max_size=300), st.integers(0, 20), st.integers(0, 400), st.integers(0, 3))
def test_a_frame_never_raises_and_never_lets_a_control_character_through(
    content: bytes, line: int, column: int, context: int
) -> None:
    shown = frame(content, Location("x", line, column), context)
    assert all(character.isprintable() or character == "\n" for character in shown)
