"""What GitHub's code scanning asks of a SARIF log beyond the standard, as its documentation says (SARIF support for code scanning,
troubleshooting SARIF uploads): what it refuses, and what it would cut."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit


def objections(text: str) -> list[str]:
    """Why GitHub would refuse the log, or not show all of it; empty where it takes it as it is."""
    return [*_of_the_file(text)]


def _of_the_file(text: str) -> Iterator[str]:
    log = json.loads(text)
    if len(gzip.compress(text.encode())) > 10 * 1024 * 1024:
        yield "more than 10 MB"
    if not 1 <= len(log["runs"]) <= 20:
        yield "not 1 to 20 runs"
    for run in log["runs"]:
        rules, results = run["tool"]["driver"]["rules"], run["results"]
        if len(results) > 5_000:
            yield "more than the 5,000 results that are kept"
        if len(rules) > 25_000:
            yield "more than 25,000 rules"
        if not run["automationDetails"]["id"].endswith("/"):
            yield "the id has a run id where a category is meant"
        for rule in rules:
            yield from _of_a_rule(rule)
        for result in results:
            yield from _of_a_result(result, rules)


def _of_a_rule(rule: dict[str, Any]) -> Iterator[str]:
    for field, most in (("shortDescription", 1024), ("fullDescription", 1024), ("help", 10**6)):
        text = rule.get(field, {}).get("text", "")
        if not text or len(text) > most:
            yield f"{rule['id']}: {field}"
    if not rule.get("helpUri", "").startswith("https://"):
        yield f"{rule['id']}: helpUri"
    if len(rule.get("name", "")) > 255:
        yield f"{rule['id']}: name"
    if len(rule["properties"]["tags"]) > 10:
        yield f"{rule['id']}: tags"


def _of_a_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> Iterator[str]:
    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
        yield "another rule's index"
    if not 0 < len(result["message"]["text"]) <= 1024:
        yield "message"
    if len(result["locations"]) != 1:
        yield "expected at least one location"
    for location in result["locations"]:
        physical = location["physicalLocation"]
        uri, region = physical["artifactLocation"]["uri"], physical["region"]
        parts = urlsplit(uri)
        if not uri or parts.scheme not in ("", "file") or parts.query or parts.fragment or "\\" in uri or " " in uri:
            yield f"uri {uri}"
        if physical["artifactLocation"].get("uriBaseId") and (
            parts.path.startswith("/") or ".." in unquote(parts.path).split("/")
        ):
            yield f"not below the root: {uri}"
        if {"startLine", "startColumn", "endLine", "endColumn"} - set(region) or min(region.values()) < 1:
            yield f"region {region}"
    if not result["partialFingerprints"]:
        yield "no fingerprint"
