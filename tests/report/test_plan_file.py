"""A saved plan is what was reviewed, or it is refused."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import report_samples as samples
from builders import activation, declared, limit, override
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.finding import Finding, Location
from reconciler.kinds.declared import DeclarationSet, Held
from reconciler.plan import FieldChange
from reconciler.report import plan_file, wire
from reconciler.report.plan_file import Saved, Terms
from reconciler.state import UNOBSERVABLE

TERMS = Terms(
    made_at=samples.NOW,
    expires_at=samples.NOW + plan_file.LIFETIME,
    revision="4f2a9c1",
    declaration_set=DeclarationSet(name="git.example/policy", under=("policies",)),
)


def kept() -> Saved:
    files = declared(
        activation("doubao-seed-1-6", requires={"rpm": 5}, labels={"team": "search"}),
        limit("doubao-seed-1-6", 2_000_000, renewal="2026-12"),
        override("search-prod", rpm=5, expires_at="2026-12-01T00:00:00Z"),
    )
    files = replace(files, held=(Held(Location("a.yaml", 3, 1), "InferenceLimit"),), sources=(("a.yaml", "00ff"),))
    return plan_file.saved(samples.report(declared=files), TERMS)


FILE = plan_file.encode(kept())


def refused(file: bytes) -> str:
    read = plan_file.decode(file, "the.plan")
    assert isinstance(read, Finding)
    assert read.hint
    return read.message


def test_a_saved_plan_is_read_back_as_it_was_made() -> None:
    read = plan_file.decode(FILE, "the.plan")
    assert isinstance(read, Saved)
    assert replace(read, digest="") == kept()
    assert plan_file.encode(read) == FILE
    assert read.digest == json.loads(FILE)["digest"]


def test_what_is_read_back_renders_as_the_pass_that_made_it() -> None:
    from reconciler.report import as_json

    read = plan_file.decode(FILE, "the.plan")
    assert isinstance(read, Saved)
    assert as_json.plan(read.report()) == as_json.plan(samples.report())


def test_an_edited_plan_is_refused() -> None:
    assert "edited or damaged" in refused(FILE.replace(b"2000000", b"9000000"))


def test_a_plan_written_another_way_is_refused_though_it_says_the_same() -> None:
    assert "edited or damaged" in refused(json.dumps(json.loads(FILE), indent=1).encode())


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "no JSON text"),
        (FILE[: len(FILE) // 2], "no JSON text"),
        (b"\xff\xfe", "no JSON text"),
        (b"[" * 100_000, "no JSON text"),
        (b"[]", "was not written by"),
        (b'{"content":{"format":"terraform"}}', "was not written by"),
        (FILE.replace(b'"version":2', b'"version":3'), "format 3"),
    ],
)
def test_what_is_no_plan_of_ours_is_refused_with_the_reason(file: bytes, said: str) -> None:
    assert said in refused(file)


@settings(deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_single_byte_of_a_plan_can_change_unnoticed(at: int, by: int) -> None:
    changed = bytearray(FILE)
    changed[at] ^= by
    assert refused(bytes(changed))


def forged(**parts: Any) -> bytes:
    content = {**json.loads(FILE)["content"], **parts}
    return plan_file.plain.canonical({"content": content, "digest": plan_file.digest(content)}) + b"\n"


@pytest.mark.parametrize(
    "parts",
    [
        {"plan": None},
        {"terms": {}},
        {"declared": {"resources": [{}]}},
        {"account": {"kind": "Nothing", "metadata": {}}},
    ],
)
def test_a_forged_plan_with_a_right_digest_and_wrong_content_is_refused_and_never_raises(parts: Any) -> None:
    assert "holds what no saved plan holds" in refused(forged(**parts))


def test_a_plan_is_good_until_it_expires() -> None:
    read = plan_file.decode(FILE, "the.plan")
    assert isinstance(read, Saved)
    assert plan_file.expired(read, "the.plan", samples.NOW + timedelta(hours=23)) is None
    late = plan_file.expired(read, "the.plan", samples.NOW + timedelta(hours=24))
    assert late is not None
    assert "expired at 2026-11-24 08:00 UTC" in late.message


@pytest.mark.parametrize("value", [None, True, 1, 0, "", "Activated", (), ("a", "b"), UNOBSERVABLE])
def test_a_fields_value_survives_the_way_there_and_back(value: Any) -> None:
    change = FieldChange("path", value, None)
    read = wire.load(FieldChange, json.loads(json.dumps(wire.dump(change))))
    assert read == change
    assert type(read.before) is type(value)


@pytest.mark.parametrize("value", [1.5, {"a": 1}, [1], [["a"]], {"unobservable": False}])
def test_what_is_no_fields_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="none of the"):
        wire.load(FieldChange, {"path": "tokens", "before": value, "after": None})
