"""Every example does what its README says: each is run in a copy, line by line, as a reader would."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.root import ROOT as COMMAND

ROOT = Path(__file__).parents[2]
EXAMPLES = ("quick-start", "limits", "overrides", "constraints", "team-layout")


@pytest.fixture
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example to work in, with no settings from outside and "yes" said to whatever asks."""
    for name in [name for name in os.environ if name.startswith("MODELPOLICY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODELPOLICY_APPLY_YES", "1")
    ignored = shutil.ignore_patterns(".modelpolicy")
    copy = Path(shutil.copytree(ROOT / "examples" / request.param, tmp_path / request.param, ignore=ignored))
    monkeypatch.chdir(copy)
    return copy


class Shell:
    """As much of a shell as the pages use: `&&`, `export`, variables before a command; modelpolicy runs in this process."""

    def __init__(self) -> None:
        self.exports: dict[str, str] = {}

    def line(self, line: str) -> tuple[int, str]:
        """One line's exit code and all that was said."""
        said = ""
        for part in line.partition(" #")[0].split("&&"):
            code, more = self._command(shlex.split(part))
            said += more
            if code:
                return code, said
        return 0, said

    def _command(self, words: list[str]) -> tuple[int, str]:
        if words[0] == "export":
            self.exports.update(word.split("=", 1) for word in words[1:])  # type: ignore[misc]
            return 0, ""
        local = dict(self.exports)
        while re.fullmatch(r"[A-Z_]+=.*", words[0]):
            name, _, local[name] = words.pop(0).partition("=")
        if words[0] == "modelpolicy":
            done = CliRunner().invoke(COMMAND, words[1:], env=local)
            return done.exit_code, done.output
        return subprocess.run(words).returncode, ""


def console(page: Path) -> list[str]:
    """The lines that a page says to type, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("here", EXAMPLES, indirect=True)
def test_an_example_validates_applies_and_is_then_as_declared(here: Path) -> None:
    steps = ("platform seed seed.yaml", "validate policies", "apply policies", "apply policies", "status policies")
    done = [Shell().line(f"modelpolicy {step}") for step in steps]
    assert [code for code, _ in done] == [0] * len(steps)
    assert "Applied" in done[2][1]
    assert "failed" not in done[2][1]
    assert "Nothing to do" in done[3][1]


@pytest.mark.parametrize("here", EXAMPLES, indirect=True)
def test_what_a_readme_says_to_type_ends_as_it_says(here: Path) -> None:
    lines = console(here / "README.md")
    assert lines
    if here.name == "quick-start":  # its lines follow `make demo`
        lines = ["modelpolicy platform seed seed.yaml", "modelpolicy apply policies", *lines]
    shell = Shell()
    for line in lines:
        said = re.search(r"exit (\d+)", line)
        code, words = shell.line(line)
        assert code == (int(said[1]) if said else 0), (line, words)
