"""No message proposes a command that does not exist: every one in the sources is taken apart and looked up."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import reconciler
from reconciler.cli.root import ROOT, VERBS

SOURCES = Path(reconciler.__file__).parent
COMMAND = re.compile(
    r"(?<![\w./-])(?<!kubectl )modelpolicy ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)((?: +(?:--?[a-z][a-z-]*|[^\s`\"';:,()]+))*)"
)
QUOTED = re.compile(r"`modelpolicy ([^`]+)`")
GROUPS = ("platform", "ledger")


def texts() -> Iterator[tuple[str, str]]:
    """Every text in the sources, with its place; what is filled in later stands as a word."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield place, node.value
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "WORD" for part in node.values]
                yield place, "".join(map(str, parts))


def command_of(words: list[str]) -> click.Command | None:
    """The command that the words begin with; None where the first is no verb."""
    if not words or words[0] not in VERBS:
        return None
    found = ROOT.get_command(click.Context(ROOT), words[0])
    if words[0] in GROUPS and len(words) > 1 and isinstance(found, click.Group):
        return found.get_command(click.Context(found), words[1])
    return found


def flags_of(command: click.Command) -> set[str]:
    return {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)} | {"--help", "-h"}


def proposed() -> list[tuple[str, str]]:
    """Each command in a text, without what is prose: modelpolicy followed by no verb."""
    found = {(place, match[0]) for place, text in texts() for match in COMMAND.finditer(text)}
    return sorted((place, said) for place, said in found if command_of(said.split()[1:]) is not None)


def test_messages_propose_commands() -> None:
    assert len(proposed()) > 40


@pytest.mark.parametrize(("place", "said"), proposed(), ids=[f"{place} {said[:40]}" for place, said in proposed()])
def test_every_command_in_a_message_has_its_verb_and_flags(place: str, said: str) -> None:
    words = said.split()[1:]
    command = command_of(words)
    assert command is not None
    for word in words:
        if word.startswith("-") and len(word) > 1 and not word.startswith("---"):
            flag = word.partition("=")[0].rstrip(".")
            assert flag in flags_of(command) or re.fullmatch(r"-[a-z]{2,}", flag), (
                f"{place}: {said!r} has no flag {flag}"
            )


@pytest.mark.parametrize(
    ("place", "said"), sorted({(place, match[1]) for place, text in texts() for match in QUOTED.finditer(text)})
)
def test_what_is_quoted_as_a_command_is_one(place: str, said: str) -> None:
    assert command_of(said.split()) is not None, f"{place}: there is no command {said!r}"
