"""Supply: every dependency is bounded and locked with hashes for the release, and what is shipped can be listed and looked up."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from torture.conftest import Effort

ROOT = Path(__file__).parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = FACTS["project"]["optional-dependencies"]
RELEASE = [*FACTS["project"]["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
BUILD = FACTS["dependency-groups"]["build"]
FILES = ("requirements/release.txt", "requirements/build.txt")


def pinned(file: str) -> dict[str, tuple[str, list[str]]]:
    """Each locked package with its version and its hashes."""
    found = {}
    text = re.sub(r"(?m)^ *#.*\n", "", (ROOT / file).read_text(encoding="utf-8"))
    for block in re.split(r"\n(?=\S)", text):
        name = re.match(r"(\S+?)(?:\[\S+\])?==(\S+)", block)
        assert name, f"{block!r} is no pinned package"
        found[name[1]] = (name[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
    return found


@pytest.mark.parametrize(
    ("requirement", "file"), [(each, FILES[0]) for each in RELEASE] + [(each, FILES[1]) for each in BUILD]
)
def test_a_dependency_is_bounded_on_both_sides_and_locked_within_its_bounds(requirement: str, file: str) -> None:
    wanted = Requirement(requirement)
    assert {each.operator for each in wanted.specifier} == {">=", "<"}
    version, _ = pinned(file)[canonicalize_name(wanted.name)]
    assert version in wanted.specifier, f"{requirement} is locked at {version}: run make lock"


@pytest.mark.parametrize("file", FILES)
def test_everything_that_is_locked_has_a_hash_and_no_index_is_named(file: str) -> None:
    assert all(hashes for _, hashes in pinned(file).values())
    assert not re.search(
        r"://|^ *-|index|find-links", (ROOT / file).read_text(encoding="utf-8").replace("    --hash", ""), re.MULTILINE
    )


def test_what_builds_the_release_is_what_the_build_system_asks_for() -> None:
    asked = {Requirement(each).name for each in FACTS["build-system"]["requires"]}
    assert asked == {Requirement(each).name for each in BUILD}


def test_the_threat_model_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [each for each in named if not (ROOT / each).exists()] == []


def tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install --group supply")
    return found


def test_what_is_shipped_can_be_listed(tmp_path: Path, effort: Effort) -> None:
    if not effort.long:
        pytest.skip("the list is made by make supply, and tried by make torture")
    made = tmp_path / "sbom.json"
    command = [tool("cyclonedx-py"), "requirements", FILES[0], "--pyproject", "pyproject.toml", "-o", str(made)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    told = json.loads(made.read_text())
    assert told["bomFormat"] == "CycloneDX"
    assert told["metadata"]["component"]["name"] == "modelpolicy"
    listed = {each["name"]: each for each in told["components"]}
    assert listed.keys() == pinned(FILES[0]).keys()
    assert all(each["purl"].endswith(f"@{pinned(FILES[0])[name][0]}") for name, each in listed.items())
    effort.tried(len(listed))


def test_no_flaw_is_known_of_what_is_locked(effort: Effort) -> None:
    if not effort.long:
        pytest.skip("it asks the package index: make torture, make supply")
    command = [tool("pip-audit"), "--disable-pip", "--require-hashes", "-f", "json", "-r", FILES[0]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        pytest.skip(f"the index could not be asked: {done.stderr[-300:]}")
    judged = [each for each in told if "skip_reason" not in each]
    if not judged:
        pytest.skip("the package index that is reached from here tells nothing of flaws")
    assert [each for each in judged if each["vulns"]] == []
    effort.tried(len(judged))
