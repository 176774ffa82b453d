"""The official JSON-Schema-Test-Suite, wherever it can be had: in the folder that JSON_SCHEMA_TEST_SUITE names, else in the source
archive of the jsonschema that is installed, which the package index serves and which carries it. Kept beside the interpreter."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

TESTS = Path("tests", "draft2020-12")
PATIENCE_S = 120


def folder() -> Path:
    """The suite's tests of 2020-12; skips the test that asks where nothing has them."""
    named = os.environ.get("JSON_SCHEMA_TEST_SUITE")
    if named:
        return Path(named) / TESTS
    release = version("jsonschema")
    kept = Path(sys.prefix) / "json-schema-test-suite" / release
    if not kept.is_dir():
        _fetch(release, kept)
    return kept / TESTS


def _fetch(release: str, kept: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        pip = [shutil.which("pip") or "pip"]
    with tempfile.TemporaryDirectory() as work:
        asked = [*pip, "download", "--no-deps", "--no-binary", "jsonschema", f"jsonschema=={release}", "--dest", work]
        try:
            done = subprocess.run(asked, capture_output=True, timeout=PATIENCE_S).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            done = False
        archives = [*Path(work).glob("jsonschema-*.tar.gz")]
        if not done or not archives:
            pytest.skip(
                "no package index serves the source archive of jsonschema; set JSON_SCHEMA_TEST_SUITE to a checkout"
            )
        with tarfile.open(archives[0]) as archive:
            archive.extractall(work, filter="data")
        found = Path(work) / archives[0].name.removesuffix(".tar.gz") / "json"
        if not (found / TESTS).is_dir():
            pytest.skip("the source archive of jsonschema has no test suite; set JSON_SCHEMA_TEST_SUITE to a checkout")
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copytree(found, part)
        try:
            part.rename(kept)
        except OSError:  # another process was first
            shutil.rmtree(part)
