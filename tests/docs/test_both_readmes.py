"""The two READMEs go together: the same two commands, and every picture and file that they link is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ["make demo", "make test"]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_each_readme_begins_with_the_same_two_commands_and_links_only_what_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    first = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert first is not None
    assert re.findall(r"^\$ (\w+ \w+)", first[1], re.MULTILINE) == COMMANDS
    linked = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in linked if not (ROOT / link).exists()] == []
    assert ("README.md" if name != "README.md" else "README.zh-CN.md") in linked
