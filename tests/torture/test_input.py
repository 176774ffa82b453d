"""Input: whatever bytes come as policies, plans, seeds or requests end in our own words; coverage-guided at length."""

import importlib.util
import random
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torture.conftest import Effort
from torture.targets import TARGETS, examples


def mutated(chance: random.Random) -> bytes:
    """An example with pieces cut, doubled, flipped or taken from another."""
    content = bytearray(chance.choice(examples()))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                del content[at : at + chance.randint(1, 9)]
            case 1:
                content[at:at] = content[at : at + chance.randint(1, 40)]
            case 2:
                content[at:at] = bytes(
                    chance.choice(b"\x00\t\n\r \"'#&*!|>%@`{}[],:?-\x1b\x7f\x80\xff<") for _ in range(2)
                )
            case _:
                other = chance.choice(examples())
                content[at:at] = other[chance.randrange(len(other)) :][:30]
    return bytes(content)


DEAR = {"pages": 40, "reports": 10}  # how many of the others take as long as one of these


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - DEAR.keys()))
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=50, deadline=None)
def test_any_bytes_end_in_our_own_words(name: str, content: bytes) -> None:
    TARGETS[name](content)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_spoilt_files_end_in_our_own_words_and_within_bounds(name: str, effort: Effort) -> None:
    chance = random.Random(f"8 {name}")
    if name in DEAR:  # of our own reports, whose size is known: time is spent on texts and not on counting bytes
        for content in (examples()[-2], *(mutated(chance) for _ in range(effort.pick(0, 8000) // DEAR[name]))):
            TARGETS[name](content)
            effort.tried()
        return
    tracemalloc.start()
    try:
        for _ in range(effort.pick(60, 8000)):
            TARGETS[name](mutated(chance))
            effort.tried()
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_path_of_the_code_that_a_fuzzer_finds_breaks(name: str, effort: Effort) -> None:
    if not effort.long:
        pytest.skip("coverage-guided fuzzing takes minutes: make torture")
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: pip install --group torture")
    fuzz = [sys.executable, str(Path(__file__).with_name("fuzz.py")), name, "45"]
    done = subprocess.run(fuzz, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-6000:]
    runs = re.search(r"stat::number_of_executed_units: *([0-9]+)", done.stderr)
    assert runs, done.stderr[-2000:]
    effort.tried(int(runs[1]))
