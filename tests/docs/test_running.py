"""docs/running.md says what is so."""

import re
from pathlib import Path

from reconciler.cli.watch import command
from reconciler.report import as_notice
from reconciler.report.notices import Event

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")


def test_every_flag_and_file_it_names_exists() -> None:
    known = {name for parameter in command.params for name in parameter.opts}
    docker = {"--read-only", "--cap-drop", "--security-opt", "--now"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) - known - docker == set()
    for path in re.findall(r"\bdeploy/[\w./-]+\w", TEXT):
        assert (ROOT / path).exists(), path


def test_every_event_shape_and_alert_it_names_exists() -> None:
    assert all(f"`{event.value}`" in TEXT for event in Event)
    assert set(re.findall(r"`(\w+)\+https://`", TEXT)) == set(as_notice.SHAPES)
    rules = (ROOT / "deploy" / "prometheus" / "rules.yaml").read_text(encoding="utf-8")
    assert all(f"alert: {alert}\n" in rules for alert in re.findall(r"`(ModelPolicy\w+)`", TEXT))


def test_its_command_is_one_that_watch_takes() -> None:
    (line,) = re.findall(r"^ {4}modelpolicy watch (.*)$", TEXT, re.MULTILINE)
    assert command.make_context("watch", line.split()).params["log_format"] == "json"
