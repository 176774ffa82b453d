"""What is read line by line is what the reference parser says; the rest is left to the parsers, with the same result."""

from typing import Any

import hostile
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.load import Loaded, SourceText, events, lines, load, tree

GOOD = "\n".join(hostile.POLICY)


def exactly(value: Any) -> Any:
    """A value that tells 1 from 1.0 and True, and the order of keys."""
    if isinstance(value, dict):
        return [(key, exactly(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [exactly(inner) for inner in value]
    return type(value).__name__, value


@settings(max_examples=400)
@given(hostile.TEXTS)
@example("a:\n- x\n- 'y'\nb:\n  c: {d: 1}\n  e: [a, 2]\n")
@example("a: x\n  - y")
@example("a:\n  b: 1\n c: 2")
@example("a:\n- x\n  b: 1")
@example("null: 1")
@example("a: " + "9" * 70)
def test_what_is_read_line_by_line_is_what_the_reference_parser_says(text: str) -> None:
    read = lines.read(text)
    if read is None:
        return
    values, start = read
    documents = list(tree.documents(events.slow(text)))
    assert len(documents) == 1
    assert documents[0].problems == []
    root = documents[0].root
    assert root is not None
    assert exactly(values) == exactly(root.plain())
    assert start + 1 == root.line


def without_lines(texts: list[SourceText]) -> Loaded:
    """What `load` says where no text is read line by line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "read", lambda _: None)
        return load(texts)


@settings(max_examples=200)
@given(st.lists(hostile.POLICIES, min_size=1, max_size=3).map("\n".join))
def test_resources_findings_and_places_are_the_same_however_the_text_was_read(text: str) -> None:
    texts = [SourceText("policies.yaml", text.encode())]
    quick, slow = load(texts), without_lines(texts)
    assert quick == slow
    for one, other in zip(quick.declared.resources, slow.declared.resources, strict=True):
        assert dict(one.positions) == dict(other.positions)


def test_ordinary_policies_are_read_line_by_line() -> None:
    assert lines.read(GOOD) is not None
    assert lines.read(GOOD.replace("a 'b' c", "搜索").replace("  state", "  list: [a, b]\n  state")) is not None
    assert len(load([SourceText("policies.yaml", GOOD.encode())]).declared.resources) == 1


@pytest.mark.parametrize("file", ["kustomization.yaml", "base/kustomization.yml", "policies.json"])
def test_what_a_file_is_counts_also_for_a_document_that_could_be_read_line_by_line(file: str) -> None:
    texts = [SourceText(file, GOOD.encode())]
    assert load(texts) == without_lines(texts)
    assert load(texts).declared.resources == ()


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  x",
        "a: &x 1",
        "a: !x 1",
        "? a",
        "a: 1\na: 2",
        "{a: 1}",
        "- a",
        "a: .inf",
        "a: x\n  y",
        "a:\t1",
        "a: 'it''s'",
        "...",
        "",
        "a: AKLTabcdefghijkl",
        "apiKey: x",
        " a: 1",
        "a: " + "x" * 2000,
        "a: {b: {}}",
        "a: 1\n---\nb: 1",
    ],
)
def test_all_else_is_left_to_the_parsers(text: str) -> None:
    assert lines.read(text) is None


def test_values_of_equal_lines_are_not_shared() -> None:
    one, other = lines.read("a: {b: 1}"), lines.read("a: {b: 1}")
    assert one is not None
    assert other is not None
    assert one[0]["a"] is not other[0]["a"]
