"""The fast reader says what the exact one says, and the exact one what YAML 1.2 says, or the text is refused; whatever it is."""

from typing import Any

import hostile
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.load import Loaded, SourceText, agreement, exact, load, quick, text, tree
from reconciler.load.positions import Positions
from reconciler.load.tree import Document

GOOD = "\n".join(hostile.POLICY) + "\n"


def exactly(value: Any) -> Any:
    """A value that tells 1 from 1.0 and True, and the order of keys."""
    if isinstance(value, dict):
        return [(key, exactly(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [exactly(inner) for inner in value]
    return type(value).__name__, value


def documents(chunk: str) -> list[Document]:
    return list(exact.documents(chunk))


def problems(chunk: str) -> list[str]:
    """What is wrong with a text, as line:column and sentence."""
    return [f"{one.line}:{one.column} {one.message}" for document in documents(chunk) for one in document.problems]


def decoded(chunk: str) -> str:
    """The text as a file of it would be read, "" where it would not."""
    found = text.decode(chunk.encode("utf-8", "surrogatepass"))
    return "" if isinstance(found, tree.Problem) else found


def agree(chunk: str) -> None:
    """What the fast reader says of a piece is what the exact one says, who finds nothing wrong with it."""
    read = quick.read(chunk)
    if read is None:
        return
    values, start = read
    (document,) = documents(chunk)
    assert document.problems == []
    assert document.root is not None
    assert exactly(values) == exactly(document.root.plain())
    assert (document.root.line, document.root.column) == (start + 1, 1)


TRICKS = st.sampled_from(
    ['{a, a: 1}', '{a: 1, b, "b": 2}', '{x: "{", a, y: "}", a: 1}', '{x: "[", a, y: "]", a: 1}', '{a:1, a:1: 2}', '["a":1]', '{"a":1, "a": 2}', "? a", "# a: b", "# don't: x",
     'x: "a # b: c"', "x: 'a", "# b': c", "a: {b: {c: {d: {e: 1}}}}", "- a: 1\n  a: 2", "- - a", "a: 2031-01-01T00:00:00Z", "a: 'b: c'", '"a: b": 1', "a:b: 1", "x: http://y:1", "]: 1", "x: y}",
     "a: 05", "a: -05", "a: 0o17", "a: 0x1F", "a: 1.5", "a: ~", "1: a", "true: a", "a: &x 1", "a: *x", "a: !!str 1", "<<: {a: 1}", "a: |\n  a: 1", "a: >\n  b: 1", "a: b\n  c: d", "a: 'x\n  # y': 1",
     "[\"x\n # y\": 1]", "password: x", "apiKey: 1", "a: AKLTabcdefghijkl", "a: \u200b", "a\u200b: 1", "a: “x”", "a：1", "a:\u00a01", "\ta: 1", "a:\t1", "a: 1\t# x", "%YAML 1.1", "...", "---", "--- a", "--- # x",
     "a: [b, c, d]", "a: {b: [c, d], e: f}", "a: {b: c,}", "a: {}", "a: []", "a: [{b: c}, {b: d}]", "a: " + "9" * 30, "a: -9223372036854775809", "a: -0", "a: +1", "a: @x", "a: `x", "a: x#y", "'a': 1", " a: 1"]
)  # fmt: skip


@settings(max_examples=400)
@given(
    st.one_of(
        hostile.TEXTS,
        st.lists(TRICKS, min_size=1, max_size=5).map("\n".join),
        st.lists(st.one_of(TRICKS, hostile.LINES), max_size=8).map("\n".join),
    )
)
@example("a: {x: '{', b, y: '}', b: 1}")
@example('a: {x: "[", b, y: "]", b: 1}')
@example("a: {b, b: 1}\nc: d")
@example("a: ['b':1]\nc: 1\nc: 2")
@example("a: 1 # b: c\na: 2")
@example("a: 'x\n  # y'\nb: 1")
def test_the_fast_reader_says_what_the_exact_one_says(chunk: str) -> None:
    for _, piece in text.chunks(decoded(chunk)):
        agree(piece)


@given(st.text("ab:-# \n'\"{}[],.0{a: ", max_size=60))
def test_the_fast_reader_loses_no_key_of_a_text_of_few_characters(chunk: str) -> None:
    for _, piece in text.chunks(decoded(chunk)):
        agree(piece)


def slowly(texts: list[SourceText]) -> Loaded:
    """What `load` says where every text is read exactly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "read", lambda _, **__: None)
        return load(texts)


@settings(max_examples=200)
@given(st.lists(hostile.POLICIES, min_size=1, max_size=3).map("\n".join))
def test_resources_findings_and_places_are_the_same_however_the_text_was_read(content: str) -> None:
    texts = [SourceText("policies.yaml", content.encode())]
    fast, slow = load(texts), slowly(texts)
    assert fast == slow
    for one, other in zip(fast.declared.resources, slow.declared.resources, strict=True):
        assert dict(one.positions) == dict(other.positions)


@settings(max_examples=300)
@given(hostile.POLICIES)
@example("spec:\n  a: b\n   c: d\n")
@example("spec:\n  b: x\n  - c: d\nmetadata: {a: b}\n")
@example("a: spec:\nspec:\n  - a\n  - b: c\nmetadata:\n  {a: b}\n")
@example("spec:\n  a b\n  c: d\nmetadata:\n  a:\n  - b\n  c: [d, e]\n")
@example("spec:\nspec2:\n  a: b\nmetadata:\n  name: spec:\n  a:\n    b: c\n")
def test_a_place_that_is_found_by_lines_is_where_the_exact_reader_finds_it(content: str) -> None:
    for line, piece in text.chunks(decoded(content)):
        if quick.read(piece) is None:
            continue
        known = dict(Positions(piece, line).items())
        asked = [
            *known,
            ("spec",),
            ("metadata",),
            ("spec", "accountRef", "name"),
            ("spec", "nothing"),
            ("spec", "c"),
            ("metadata", "a"),
        ]
        for path in asked:
            assert Positions(piece, line).get(path) == known.get(path), path


@pytest.mark.parametrize(
    "chunk",
    [
        GOOD,
        GOOD.replace("a 'b' c", "搜索"),
        GOOD.replace("  state", "  list: [a, b, c]\n  state"),
        GOOD.replace("# a comment", "# 说明：每月 50M，见 https://example.com/a: b"),
        GOOD.replace("state: Activated", "state: 2031-01-01T00:00:00Z # until: then"),
        "kind: A\nspec: {endpoint: {name: a}, rpm: 120, tags: [x, y], note: \"two words\"}\n",
    ],
)  # fmt: skip
def test_ordinary_policies_are_read_by_the_fast_reader(chunk: str) -> None:
    assert quick.read(chunk) is not None


@pytest.mark.parametrize(
    "chunk",
    ["a: 1\na: 2", "a: {b, c: 1}", "a: 1.5", "a:", "a: ~", "1: a", "a: &x 1", "a: !x 1", "? a\n: b", "a: |\n  x", "a: 'it\\ts'", "...", "", "# a", "- a", "a", " a: 1", "a: 0500", "a: .inf", "a:\t1", "a: 1\t# b",
     "a: AKLTabcdefghijkl", "apiKey: x", "a: 1\n---\nb: 2", "<<: {a: 1}", "a: " + "9" * 30, "a: \u200b", "a: “b”", "a: b\u00a0c", f"a: {'x' * 70_000}", "\n".join(" " * n + "a:" for n in range(40)), "a:\n" + "- " * 9 + "b"],
)  # fmt: skip
def test_whatever_is_in_any_doubt_is_left_to_the_exact_reader(chunk: str) -> None:
    assert quick.read(chunk) is None


@pytest.mark.parametrize("bomb", ["- " * 200_000, "? " * 200_000, "[" * 200_000, "{a: " * 200_000, "\n".join(" " * n + "a:" for n in range(3000)),
    "a: |\n" + " " * 4000 + "x", "a: |\n  " + "- " * 200_000, "a: 'x\n  " + "- " * 200_000 + "'",
    "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)),
    "# *a " * 99 + "\na0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} x" for n in range(1, 99))])  # fmt: skip
def test_what_would_end_the_process_of_the_fast_reader_never_reaches_it(bomb: str) -> None:
    for chunk in (bomb, f"{bomb}\nb: {{c, d}}\n"):
        assert quick.read(chunk) is None
        for document in documents(chunk):
            assert document.problems or document.root is not None


@settings(max_examples=300)
@given(st.one_of(hostile.TEXTS, st.lists(st.one_of(TRICKS, hostile.LINES), max_size=6).map("\n".join)))
def test_what_is_read_without_a_problem_is_what_yaml_1_2_reads(chunk: str) -> None:
    for _, piece in text.chunks(decoded(chunk)):
        found = documents(piece)
        if any(document.problems for document in found):
            continue
        ours = [document.root.plain() for document in found if document.root is not None]
        ours = [one for one in ours if one is not None]
        theirs = quick.value(piece.replace(":\t", ": "))
        assert _numbers(ours) == _numbers([] if theirs is None else [theirs])


def _numbers(value: Any) -> Any:
    """A value that tells 1 from 1.0 and True, but not a tab from a space; what the fast reader takes for a number is one."""
    value = value.replace("\t", " ") if isinstance(value, str) else value
    if isinstance(value, dict):
        return [(key, _numbers(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    if isinstance(value, str) and agreement._OLD_NUMBER.fullmatch(value):
        value = quick.value(f"- {value}\n")[0]
    return type(value).__name__, value


@given(hostile.TEXTS)
def test_a_text_has_the_same_problems_wherever_it_stands_in_its_file(chunk: str) -> None:
    piece = next((one for _, one in text.chunks(decoded(chunk))), "")

    def places(first_line: int) -> list[tuple[str, int, int]]:
        found = exact.documents(piece, first_line)
        return [(one.rule, one.line - first_line, one.column) for document in found for one in document.problems]

    assert places(1) == places(8)


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        ("{?tokens: 900M}", "1:2 `?tokens` begins with a question mark"),
        ("{?model: a, model: x}", "1:2 `?model` begins with a question mark"),
        ("[?x]", "1:2 `?x` begins with a question mark"),
        ("a: 0500000", "1:4 0500000 begins with a zero: YAML 1.2 reads 500,000, older readers 163,840"),
        ("a: -010", "1:4 -010 begins with a zero: YAML 1.2 reads -10, older readers -8"),
        ("a: 089", "1:4 089 begins with a zero: YAML 1.2 reads 89, older readers text"),
        ("%YAML 1.1\n---\na: b", "1:1 the file says that it is of another version of YAML"),
        ("a:\n\tb: 1", "2:2 a tab stands where only spaces may indent"),
        ("\ta: 1", "1:1 a tab stands where only spaces may indent"),
        ("-\ta: 1", "1:1 a tab stands where only spaces may indent"),
        ("a: [b,\nc]", "2:1 a line within brackets or quotes is not indented"),
        ('a: "b"# c', "1:7 a # right after a value"),
        ("a: [-]", "1:5 a - alone within brackets"),
        ("a: {b\n: c}", "2:1 YAML 1.2 allows this, but not every reader takes it"),
        ("a: @b", "1:4 a reserved character"),
    ],
)
def test_what_some_reader_would_read_differently_is_refused_with_its_place(chunk: str, said: str) -> None:
    assert problems(chunk)[0].startswith(said)


@pytest.mark.parametrize(
    ("chunk", "value"),
    [
        ("a: 1\t# c", 1),
        ("a: 1\t", 1),
        ("a:\t1", 1),
        ("a: b\n\t\nc: d", "b"),
        ("a:\n  - 1\t\n  -\t2", [1, 2]),
        ("a: {b:\t1,\tc: 2}", {"b": 1, "c": 2}),
        ("a: 'x\ty'", "x\ty"),
        ("a: x\ty", "x\ty"),
        ("a: |\n  x\n  \ty", "x\n\ty\n"),
        ("a: |\n  x\ty # z\nb: c\t# d", "x\ty # z\n"),
        ("a: 0o17", 15),
        ("a: 0x1F", 31),
        ("a: 12:30", "12:30"),
        ("a: yes", "yes"),
        ("a: 1_000", "1_000"),
        ("a: 0b11", "0b11"),
        ("a: ! 12", "12"),
        ("a: |\n  x", "x\n"),
        ("a: 0", 0),
        ("a: 0.5", 0.5),
        ("%YAML 1.2\n---\na: b", "b"),
        ("a: 99999999999999999999", 99999999999999999999),
    ],
)
def test_what_yaml_1_2_allows_is_read_as_it_says(chunk: str, value: Any) -> None:
    assert problems(chunk) == []
    root = documents(chunk)[0].root
    assert root is not None
    assert exactly(root.plain()["a"]) == exactly(value)


@pytest.mark.parametrize("more", ["...\n", "...\n...\n", "...\n# Ended.\n...\n", "# é\n...\n# ö\n... # ü\n", "...\n---\n...\n"])  # fmt: skip
@pytest.mark.parametrize("comment", ["", "# é\n", "# a\n"])
def test_a_document_may_end_more_than_once_whatever_else_stands_in_the_file(more: str, comment: str) -> None:
    loaded = load([SourceText("a.yaml", f"{comment}{GOOD}{more}".encode())])
    assert loaded.findings == ()
    assert len(loaded.declared.resources) == 1


def test_json_is_json_and_nothing_laxer() -> None:
    def said(content: str) -> list[str]:
        return [one.message for document in exact.of_file(content, is_json=True) for one in document.problems]

    assert said('{"a":\t[1, "\\ud83d\\ude00", "\\/"]}\n') == []
    assert said('{"a": 1,}') == ["this is not JSON: a comma stands before the closing bracket"]
    assert said('{"a": 1} # b') == ["this is not JSON: text stands after its end"]
    assert said("{'a': 1}") == ["this is not JSON: a key in double quotes is missing"]
    assert said('{"a": 01}') == ["`01` is not JSON"]
    assert said('{"a": 1}\n---\n{"a": 2}')[0].startswith("this is not JSON")
    assert "is given twice" in said('{"a": 1, "a": 2}')[0]
