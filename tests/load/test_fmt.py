"""Canonical order: lines move, nothing in them changes, and a second time changes nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.load import SourceText, load
from reconciler.load.fmt import fmt

MIXED = """\
# The fuse of the search team.

spec: # what
  # at most two million
  tokens: 2M   # plenty
  model: "m"
  accountRef:
    # which one
    name: default
  # the end of spec
kind: InferenceLimit

# who
metadata:
  labels:
    b: "1"
    a: "2"
  name: a
apiVersion: modelpolicy.dev/v1alpha1
# the end
---
kind: Deployment
apiVersion: apps/v1
"""
ORDERED = """\
# The fuse of the search team.

apiVersion: modelpolicy.dev/v1alpha1
kind: InferenceLimit

# who
metadata:
  name: a
  labels:
    b: "1"
    a: "2"
spec: # what
  accountRef:
    # which one
    name: default
  model: "m"
  # at most two million
  tokens: 2M   # plenty
  # the end of spec
# the end
---
kind: Deployment
apiVersion: apps/v1
"""


def test_keys_move_into_order_with_their_comments_and_foreign_documents_stay() -> None:
    formatted = fmt(MIXED.encode())
    assert formatted is not None
    assert sorted(formatted.decode().splitlines()) == sorted(MIXED.splitlines())
    assert formatted.decode() == ORDERED


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    content = b"\xef\xbb\xbf" + MIXED.replace("\n", "\r\n").encode()
    formatted = fmt(content)
    assert formatted is not None
    assert formatted.startswith(b"\xef\xbb\xbf")
    assert formatted.count(b"\r\n") == formatted.count(b"\n") == content.count(b"\n")
    assert load([SourceText("a.yaml", formatted)]).declared.resources[0].spec.model == "m"


@pytest.mark.parametrize("broken", [b"a: [", b"\xff", b"a: 1\na: 2\n", b"a: *x\n", b"kind: X\n---\n\tb: 1"])
def test_a_broken_file_is_not_touched(broken: bytes) -> None:
    assert fmt(broken) is None


@pytest.mark.parametrize(
    "as_it_is",
    [
        "",
        "# nothing\n",
        "{kind: InferenceLimit, apiVersion: modelpolicy.dev/v1alpha1}\n",
        "kind: InferenceLimit\n",
        "- kind: InferenceLimit\n  apiVersion: modelpolicy.dev/v1alpha1\n",
        "kind: InferenceLimit\nspec: &a {x: 1}\nmetadata: *a\napiVersion: modelpolicy.dev/v1alpha1\n",
    ],
)
def test_what_has_no_order_to_give_stays_as_it_is(as_it_is: str) -> None:
    assert fmt(as_it_is.encode()) == as_it_is.encode()


def test_a_block_scalar_keeps_its_lines_together() -> None:
    text = "kind: PolicyConstraint\napiVersion: modelpolicy.dev/v1alpha1\nspec:\n  message: |\n    one\n\n    # two\n  scope: Model\n"
    formatted = fmt(text.encode())
    assert formatted is not None
    assert formatted.endswith(b"spec:\n  scope: Model\n  message: |\n    one\n\n    # two\n")


KEYS = st.permutations(
    ["apiVersion: modelpolicy.dev/v1alpha1", "kind: InferenceLimit", "metadata:\n  namespace: n\n  name: a", "SPEC"]
)
SPEC = st.permutations(
    [
        "  model: m",
        "  tokens: 1",
        "  renewal: |\n    x\n    # y",
        "  accountRef:\n    namespace: n\n    name: d",
        '  zzz: "a\n\n    b"',
    ]
)
NOISE = st.lists(st.sampled_from(["", "# c", "  # d", "    # e", " # f"]), max_size=2)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Policy documents in any order with comments and blank lines anywhere between their entries."""
    documents = []
    for _ in range(draw(st.integers(1, 3))):
        lines: list[str] = draw(NOISE)
        for key in draw(KEYS):
            lines += (
                ["spec:", *(line for entry in draw(SPEC) for line in (*draw(NOISE), entry))] if key == "SPEC" else [key]
            )
            lines += draw(NOISE)
        documents.append("\n".join(lines) + draw(st.sampled_from(["\n", "\n\n"])))
    return "---\n".join(documents)


def values(content: bytes) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(content))


@given(files())
def test_formatting_keeps_every_line_and_value_and_a_second_time_changes_nothing(text: str) -> None:
    formatted = fmt(text.encode())
    assert formatted is not None
    assert values(formatted) == values(text.encode())
    assert sorted(formatted.splitlines()) == sorted(text.encode().splitlines())
    assert fmt(formatted) == formatted
    for document in values(formatted):
        assert list(document)[:3] == ["apiVersion", "kind", "metadata"] or formatted == text.encode()


@given(st.binary(max_size=200))
def test_formatting_never_raises(content: bytes) -> None:
    formatted = fmt(content)
    assert formatted is None or fmt(formatted) == formatted
