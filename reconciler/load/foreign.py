"""What stands beside policies and is none: told apart by what it says of itself. Pure.

A text in which anything could be meant for us is never passed over: its mistakes are errors. Broken is not absent: what cannot be
read is passed over only where it shows what else it is.
"""

import difflib
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from reconciler.characters import INVISIBLE, straightened
from reconciler.kinds import API_GROUP, registry

_KUSTOMIZE: Final = ("kustomization.yaml", "kustomization.yml")
_NEAR: Final = 0.8
_INVISIBLE: Final = re.compile(INVISIBLE)
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>", re.DOTALL)
_VERSION: Final = re.compile(
    r"^[ \t]*[\"']?apiVersion[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z0-9./-]+)", re.IGNORECASE | re.MULTILINE
)
_BINARY: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# A text in quotes, a comment, or a comma that only a bracket follows.
_LAX: Final = re.compile(
    r'("(?:[^"\\\n]|\\.)*+")|//[^\n]*|/\*.*?\*/|,(?=\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*[\]}])', re.DOTALL
)


def mentions_us(text: str) -> bool:
    """Whether a text names our API group or one of our kinds anywhere, in whatever case and whatever hides in it."""
    plain = text if text.isascii() else straightened(_INVISIBLE.sub("", text))
    lowered = plain.casefold()
    return any(word in lowered for word in _words()) or any(_is_near(found[1]) for found in _VERSION.finditer(plain))


def kind_of(top: Mapping[str, Any], file: str) -> str | None:
    """What a document that is none of ours calls itself ("": nothing), by the values of its top level; None for one that is ours
    or was meant to be."""
    said = {key.casefold(): value for key, value in top.items() if isinstance(value, str)}
    version, kind = said.get("apiversion", ""), said.get("kind", "")
    if any(value in registry() or API_GROUP in value.casefold() for value in said.values()) or (
        version and _is_near(version)
    ):
        return None
    if kind and difflib.get_close_matches(kind, registry(), n=1, cutoff=_NEAR):
        return None
    if version or kind:
        return kind
    if file.rsplit("/", 1)[-1] in _KUSTOMIZE:
        return "Kustomization"
    return None if {"metadata", "spec"} <= {key.casefold() for key in top} else ""


def what_else(text: str, file: str) -> str:
    """What a text that cannot be read, and names nothing of ours, shows itself to be; "" where it could be anything."""
    if is_binary(text):
        return ""
    if file.rsplit("/", 1)[-1] in _KUSTOMIZE:
        return "it is a Kustomization"
    if _TEMPLATE.search(text):
        return "it is a template"
    if file.endswith(".json") and _is_lax_json(text):
        return "it is JSON with comments"
    version = _VERSION.search(text)
    return f"it is of {version[1]}" if version else ""


def is_binary(text: str) -> bool:
    """Whether a text holds what only programs write, as an encrypted or compressed file does."""
    return _BINARY.search(text) is not None


def _is_lax_json(text: str) -> bool:
    """Whether a text is JSON but for comments and commas before closing brackets, as editors' settings are."""
    try:
        json.loads(_LAX.sub(lambda found: found[1] or "", text))
    except (ValueError, RecursionError):
        return False
    return True


@cache
def _words() -> tuple[str, ...]:
    return (API_GROUP.split(".")[0], *(kind.casefold() for kind in registry()))


def _is_near(version: str) -> bool:
    """Whether an apiVersion is ours, is misspelt, or is the beginning of ours."""
    group = version.split("/")[0].casefold()
    return API_GROUP.startswith(group) or difflib.SequenceMatcher(None, group, API_GROUP).ratio() > _NEAR
