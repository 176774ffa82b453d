"""Findings as SARIF 2.1.0, for code scanning and editors. Pure. Lines and columns count from 1, columns in code points."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from reconciler import __version__, rules
from reconciler.finding import Finding, Location, Severity, in_order
from reconciler.report import plain
from reconciler.state import Failure

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT: Final = "%SRCROOT%"


def findings(found: Iterable[Finding], resources: int, failed: Iterable[Failure] = ()) -> str:
    """One run with a result a finding; failures of the world are its notifications."""
    ordered, failures = in_order(found), tuple(dict.fromkeys(failed))
    ids = sorted({one.rule for one in ordered})
    run = {
        "tool": {
            "driver": {"name": "modelpolicy", "semanticVersion": __version__, "rules": [_rule(id_) for id_ in ids]}
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": one.message}, "descriptor": {"id": one.reason.value}}
                    for one in failures
                ],
            }
        ],
        "results": [_result(one, ids.index(one.rule)) for one in ordered],
        "properties": {"resources": resources},
    }
    return plain.text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(id_: str) -> dict[str, Any]:
    """What is known of the rule; the loader's own findings have no rule in the registry."""
    rule = rules.registry().get(id_)
    if rule is None:
        return {"id": id_}
    first, _, rest = rule.doc.partition("\n")
    described: dict[str, Any] = {"id": id_, "shortDescription": {"text": first or id_}}
    if rest.strip():
        described["fullDescription"] = {"text": rest.strip()}
    return {**described, "defaultConfiguration": {"level": _LEVELS[rule.severity]}}


def _result(one: Finding, index: int) -> dict[str, Any]:
    text = f"{one.message}\n{one.hint}" if one.hint else one.message
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": _literal(text)},
        "locations": [_location(one.location, one.resource)] if one.location else [],
    }
    # The place may move and the finding stays the same one.
    same = "\0".join((one.rule, one.resource or "", one.location.file if one.location else "", one.message))
    result["partialFingerprints"] = {
        "modelpolicy/v1": hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()
    }
    return result


def _literal(text: str) -> str:
    """Brackets in a SARIF message make links to anywhere; escaped they are brackets."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _location(where: Location, resource: str | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(where.file)}
    if where.line:
        physical["region"] = {"startLine": where.line, "startColumn": max(where.column, 1)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if resource:
        location["logicalLocations"] = [{"fullyQualifiedName": resource, "kind": "resource"}]
    return location


def _artifact(file: str) -> dict[str, Any]:
    path = quote(file.encode("utf-8", "surrogatepass"), safe="/")
    return {"uri": f"file://{path}"} if file.startswith("/") else {"uri": path, "uriBaseId": _ROOT}
