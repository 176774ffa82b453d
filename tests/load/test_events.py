"""The fast way to parser events means what the slow one means, or leaves the text to it."""

from collections.abc import Iterable
from typing import Any

import hostile
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.load import events, tree
from reconciler.load.tree import Document, Node

GOOD = "# c\n---\nkind: InferenceLimit # k\nmetadata: {name: a, labels: {}}\nspec:\n  model: m\n  tokens: 2M\n  list:\n  - a: 1\n    b: 'x y'\n  - [a, b]\n"


def told(stream: Iterable[Any]) -> list[Any]:
    """Everything that a stream of events says: values, places, problems."""

    def node(one: Node | None) -> Any:
        if one is None:
            return None
        place = (one.line, one.column)
        if one.entries is not None:
            return place, [(name, node(key), node(value)) for name, (key, value) in one.entries.items()]
        if one.items is not None:
            return place, [node(item) for item in one.items]
        return place, type(one.value).__name__, repr(one.value), one.source

    def document(one: Document) -> Any:
        return node(one.root), one.problems, one.duplicates, one.line

    return [document(one) for one in tree.documents(stream)]


@given(hostile.TEXTS)
@example(GOOD)
def test_what_is_read_the_fast_way_is_read_the_same_the_slow_way(text: str) -> None:
    assert told(events.of(text)) == told(events.slow(text))


@given(st.lists(hostile.LINES, min_size=1, max_size=6).map("\n".join))
def test_the_fast_way_is_taken_for_tame_text_only_where_libyaml_does_not_refuse(text: str) -> None:
    found = events.fast(text)
    assume(found is not None)
    assert found is not None
    assert type(found[-1]).__name__ == "StreamEndEvent"


@pytest.mark.parametrize("text", ["a: [", "'", "a: b: c", "- a\nb", "\tx: 1"])
def test_the_fast_way_never_says_what_is_wrong(text: str) -> None:
    assert events.fast(text) is None
    assert told(events.of(text))[-1][1][0].rule == "yaml-syntax"


def test_ordinary_policy_files_go_the_fast_way() -> None:
    assert isinstance(events.of(GOOD), type(iter([])))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1",
        "a: *x",
        "a: !!int 1",
        "? a",
        "a: |\n  x",
        'a: "\\x41"',
        "%YAML 1.1\n---\n",
        "a:\t1",
        "a: \u2028b",
        "a: é",
    ],
)
def test_whatever_the_versions_of_yaml_read_differently_goes_the_slow_way(text: str) -> None:
    assert not isinstance(events.of(text), type(iter([])))
