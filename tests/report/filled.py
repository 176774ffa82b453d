"""Reports in which every text that could come from outside, a file, a platform or a ledger, is one and the same hostile text."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from reconciler.kinds import Resource
from reconciler.report import Report
from tests.report import scenes


def filled(value: Any, text: str) -> Any:
    """The value with each text in it replaced; words of ours (enums), numbers and times stay."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(filled(each, text) for each in value)
    if isinstance(value, Mapping):
        return {key: filled(each, text) for key, each in value.items()}
    if isinstance(value, Resource):
        return replace(value, name=text, origin=filled(value.origin, text))
    if is_dataclass(value) and not isinstance(value, type):
        given = {each.name: filled(getattr(value, each.name), text) for each in fields(value) if each.init}
        return replace(value, **{name: each for name, each in given.items() if name not in ("model", "by_kind")})
    return value


def report(text: str) -> Report:
    """A busy apply that partly failed, with an error, every text in it hostile."""
    found: Report = filled(replace(scenes.done(), findings=(*scenes.FINDINGS, scenes.ERROR)), text)
    return found
