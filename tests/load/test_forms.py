"""A form reads what `lines` reads, to the letter, however hostile the text that it was learnt from or is asked for."""

import re

import hostile
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.load import forms, lines
from reconciler.load.forms import Reader

LIMIT = "kind: InferenceLimit\nmetadata:\n  name: {name}\n  labels: {{env: dev, team: {name}}}\nspec:\n  tokens: {tokens}\n  models: [a, {name}]\n"
SCALARS = st.sampled_from(
    ["a", "1", "0x1f", "0o7", "1e3", ".5", "1.", "true", "null", "~", "no", "-1", "+1", ".inf", ".nan", "9" * 70, '"a: b"', '"1"', '""',
     "'x'", "a b", "a #b", "a: b", "a,b", "[a]", "{}", "[]", "*a", "&a b", "!t", "a\\", '"\\x"', '"', "-", "?", ":", "x:", "#", "", " ", "é",
     "AKLTabcdefghijk", "a\n", "b\n  c", "a\n---\nb", "x.", "x0.", "xx1."]
)  # fmt: skip


def reader_that_knows(text: str) -> Reader:
    reader = Reader()
    for _ in range(forms._SIGHTINGS):
        reader.read(text)
    return reader


@settings(max_examples=300)
@given(hostile.TEXTS, st.data())
@example(LIMIT.format(name="a", tokens=1), None)
def test_a_known_form_reads_what_is_read_line_by_line(text: str, data: st.DataObject | None) -> None:
    reader = reader_that_knows(text)
    others = [text, f"---\n{text}", text.replace("a", "1"), text.replace("\n", " \n", 1)]
    if data is not None:
        others += _changed(text, data)
    for other in others:
        assert repr(reader.read(other)) == repr(lines.read(other))


def _changed(text: str, data: st.DataObject) -> list[str]:
    """The text with other scalars in the places of some of its words."""
    words = [(found.start(), found.end()) for found in re.finditer(r"[\w.\"']+", text)]
    made = []
    for start, end in data.draw(st.lists(st.sampled_from(words), max_size=6)) if words else ():
        made.append(text[:start] + data.draw(SCALARS) + text[end:])
    return made


@settings(max_examples=300)
@given(SCALARS, SCALARS)
def test_whatever_stands_in_the_place_of_a_scalar_means_what_it_means_line_by_line(name: str, tokens: str) -> None:
    reader = reader_that_knows(LIMIT.format(name="some", tokens=5))
    text = LIMIT.format(name=name, tokens=tokens)
    assert repr(reader.read(text)) == repr(lines.read(text))


def test_documents_of_one_form_are_no_longer_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reader_that_knows(LIMIT.format(name="some", tokens=5))
    monkeypatch.setattr(lines, "read", lambda _: None)
    read = reader.read("---\n" + LIMIT.format(name="other", tokens='"500k"'))
    assert read == (
        {
            "kind": "InferenceLimit",
            "metadata": {"name": "other", "labels": {"env": "dev", "team": "other"}},
            "spec": {"tokens": "500k", "models": ["a", "other"]},
        },
        1,
    )
    assert reader.read(LIMIT.replace("InferenceLimit", "Other").format(name="other", tokens=1)) is None


def test_values_of_one_form_are_not_shared() -> None:
    text = LIMIT.format(name="some", tokens=5)
    reader = reader_that_knows(text)
    one, other = reader.read(text), reader.read(text)
    assert one is not None
    assert other is not None
    assert one[0] == other[0]
    assert one[0]["spec"]["models"] is not other[0]["spec"]["models"]


def test_forms_are_forgotten_rather_than_kept_without_end() -> None:
    reader = Reader()
    for number in range(forms._MOST_SEEN + 10):
        reader.read(f"key_{number}: x\n")
    assert len(reader._sightings) == forms._MOST_SEEN
    for number in range(forms._MOST_FORMS + 2):
        for _ in range(forms._SIGHTINGS):
            reader.read(f"key_{number}: x\n")
    assert len(reader._forms) == forms._MOST_FORMS
