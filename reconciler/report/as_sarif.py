"""Findings as SARIF 2.1.0, for code scanning and editors. Pure. Lines and columns count from 1, columns in code points.

GitHub asks for more than the standard does, and refuses a whole upload for one result that lacks it (docs.github.com, SARIF
support for code scanning): each result a place in a file, each rule a short and a full description and a help text; at most
25,000 results, of which it keeps 5,000, 1,024 characters in a description, 255 in a name, 20 tags of which it shows 10.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.finding import Finding, Severity, in_order
from reconciler.report import catalogue, plain
from reconciler.report.places import Place, Places
from reconciler.state import Failure

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS: Final = 5_000
MOST_TEXT: Final = 1_024  # of a description, and of a message, which becomes an alert's title; in UTF-16 units
MOST_TAGS: Final = 10
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEMS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_ROOT: Final = "%SRCROOT%"


def findings(
    found: Iterable[Finding],
    resources: int,
    failed: Iterable[Failure] = (),
    places: Places | None = None,
    scope: str = "",
) -> str:
    """One run with a result a finding, errors first; failures of the world are its notifications.

    `scope` names what was looked at, the account and the files: results of another scope stay what they are when this run is
    uploaded.
    """
    ordered, where = in_order(found), places or Places()
    shown = ordered[:MOST_RESULTS]
    ids = sorted({one.rule for one in shown})
    told = [*map(_failed, dict.fromkeys(failed))]
    if len(shown) < len(ordered):
        told.append(_cut(len(shown), len(ordered)))
    met: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "modelpolicy",
                "semanticVersion": __version__,
                "informationUri": catalogue.DOCUMENTATION,
                "rules": [_rule(id_) for id_ in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "/".join(("modelpolicy", *filter(None, scope.split("/")), ""))},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": not any(one["level"] == "error" for one in told),
                "toolExecutionNotifications": told,
            }
        ],
        "results": [_result(one, ids.index(one.rule), where.of(one), met) for one in shown],
        "properties": {"resources": resources, "findings": len(ordered)},
    }
    return plain.text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _failed(one: Failure) -> dict[str, Any]:
    return {"level": "error", "message": {"text": _clipped(one.message)}, "descriptor": {"id": one.reason.value}}


def _cut(shown: int, all_of_them: int) -> dict[str, Any]:
    said = (
        f"{shown:,} of {all_of_them:,} findings are in this log, errors first, because code scanning keeps no more; "
        "modelpolicy validate -o json has all of them"
    )
    return {"level": "warning", "message": {"text": said}, "descriptor": {"id": "truncated"}}


def _rule(id_: str) -> dict[str, Any]:
    """The rule with its documentation."""
    known = catalogue.entry(id_)
    text = "\n\n".join((*known.paragraphs, *([f"The platform says: {known.phrase}"] if known.phrase else [])))
    described: dict[str, Any] = {
        "id": id_,
        "name": "".join(word.capitalize() for word in id_.split("-"))[:255],
        "shortDescription": {"text": _clipped(known.short)},
        "fullDescription": {"text": _clipped(" ".join(known.paragraphs))},
        "help": {"text": text, "markdown": _markdown(known)},
        "helpUri": known.url,
        "properties": {"tags": ["model-access-policy", *known.facts][:MOST_TAGS], "precision": "very-high"},
    }
    if known.severity is not None:
        described["defaultConfiguration"] = {"level": _LEVELS[known.severity]}
        described["properties"]["problem.severity"] = _PROBLEMS[known.severity]
    return described


def _markdown(known: catalogue.Entry) -> str:
    """The same, for a page: our own text, in which no value of a user's stands."""
    lines = [f"**{start}:**{rest}" if rest else start for start, rest in map(_started, known.paragraphs)]
    if known.phrase:
        lines.append(f"The platform says: *{known.phrase.replace('*', '')}*")
    return "\n\n".join([*lines, f"`modelpolicy explain {known.id}` · [{known.id}]({known.url})"])


def _started(paragraph: str) -> tuple[str, str]:
    for start in ("Why", "What to do"):
        if paragraph.startswith(f"{start}:"):
            return start, paragraph.removeprefix(f"{start}:")
    return paragraph, ""


def _result(one: Finding, index: int, place: Place, met: Counter[str]) -> dict[str, Any]:
    text = f"{one.message}\n{one.hint}" if one.hint else one.message
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(place), "region": _region(place)}}
    if one.resource:
        location["logicalLocations"] = [{"fullyQualifiedName": one.resource, "kind": "resource"}]
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": _clipped(_literal(text)) or one.rule},
        "locations": [location],
        "partialFingerprints": _fingerprints(one, place, met),
    }


def _fingerprints(one: Finding, place: Place, met: Counter[str]) -> dict[str, str]:
    """What the finding is known by from run to run: its place may move and it stays the same one.

    GitHub knows a result by primaryLocationLineHash alone, which its upload action makes of the line in the file. A finding
    that no line is about has none there, or the same as every other of its rule, so that one is made here.
    """
    same = "\0".join((one.rule, one.resource or "", place.path, one.message))
    digest = hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()
    met[digest] += 1
    known = {"modelpolicy/v1": digest if met[digest] == 1 else f"{digest}:{met[digest]}"}
    return known if place.own and place.inside else {**known, "primaryLocationLineHash": f"{digest[:16]}:{met[digest]}"}


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": place.column + 1,
    }


def _artifact(place: Place) -> dict[str, Any]:
    raw = place.path.encode("utf-8", "surrogateescape" if _escapes(place.path) else "surrogatepass")
    path = quote(raw, safe="/")
    if place.inside:
        # The first part of a relative reference may hold no colon: quote() has written it as %3A.
        return {"uri": path, "uriBaseId": _ROOT}
    return {"uri": f"file://{path}" if path.startswith("/") else path}


def _escapes(path: str) -> bool:
    """Whether what is no UTF-8 in a path is carried byte by byte."""
    return all("\udc80" <= each <= "\udcff" for each in path if "\ud800" <= each <= "\udfff")


def _literal(text: str) -> str:
    """Brackets in a SARIF message make links to anywhere; escaped they are brackets."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _clipped(text: str) -> str:
    """At most MOST_TEXT UTF-16 units, and never half an escape."""
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 <= MOST_TEXT:
        return text
    cut = text[: MOST_TEXT - 1]
    while len(cut.encode("utf-16-le", "surrogatepass")) // 2 > MOST_TEXT - 1:
        cut = cut[:-1]
    backslashes = len(cut) - len(cut.rstrip("\\"))
    return f"{cut[:-1] if backslashes % 2 else cut}…"
