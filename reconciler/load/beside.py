"""A file that was met in a folder and names nothing of ours: what its documents are is told by values alone, without their places.

So a repository's manifests, settings and lock files cost little, and their mistakes are nobody's here. None is the answer where
anything might be meant for us, or might be a policy that broke: then the file is judged as any other.
"""

import json
from collections.abc import Iterator
from typing import Any

from reconciler.finding import Location
from reconciler.load import agreement, foreign, quick, text, tree
from reconciler.load.documents import Judged


def judged(content: str, file: str) -> tuple[Judged, ...] | None:
    """What each document of a text is, one for the whole text where it cannot be read and shows what else it is."""
    found: list[Judged] = []
    try:
        for line, value in _values(content, is_json=file.endswith(".json")):
            one = _judged(value, Location(file, line, 1))
            if one is None:
                return None
            found.append(one)
    except (quick.Refused, ValueError, RecursionError):
        why = foreign.what_else(content, file)
        return (Judged(passed=why, location=Location(file, 1, 1)),) if why else None
    return tuple(found)


def undecoded(content: bytes, problem: tree.Problem, file: str) -> tuple[Judged, ...] | None:
    """The same of a file that is no text as policies are; what holds bytes that no text has may be anything."""
    plain = content.decode("utf-8", "replace")
    if foreign.mentions_us(plain) or foreign.is_binary(plain):
        return None
    return (Judged(passed=problem.message, location=Location(file, problem.line, problem.column)),)


def _values(content: str, *, is_json: bool) -> Iterator[tuple[int, Any]]:
    if is_json and content.strip():
        yield 1, json.loads(content)
        return
    for line, chunk in text.chunks(content):
        if not text.silent(chunk):
            if agreement.DEEP.search(chunk):
                raise ValueError(chunk[:80])
            yield line, quick.value(chunk)


def _judged(value: Any, place: Location) -> Judged | None:
    if isinstance(value, dict):
        top = {key: each for key, each in value.items() if isinstance(key, str)}
        kind = foreign.kind_of(top, place.file)
        return None if kind is None else Judged(foreign=kind, location=place)
    if isinstance(value, list) or place.file.endswith(".json"):
        return Judged(foreign="", location=place)
    return Judged() if value is None else None
