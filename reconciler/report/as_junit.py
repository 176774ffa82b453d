"""Findings as JUnit XML, which every CI shows as tests: one test case a file, failed by its error findings. Pure."""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from reconciler.finding import Finding, Severity, in_order
from reconciler.report.as_text import safe
from reconciler.report.places import Place, Places
from reconciler.state import Failure

_Placed: TypeAlias = tuple[Place, Finding]
_NOWHERE: Final = "(the whole set)"
_LINE_COMMAND: Final = re.compile(r"(?m)^(\s*)::")
# What XML 1.0 cannot carry at all, not even as a reference.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def findings(
    found: Iterable[Finding],
    resources: int,
    failed: Iterable[Failure] = (),
    files: Iterable[str] = (),
    places: Places | None = None,
) -> str:
    """A suite with a case for each of `files` and for each other place that a finding names; `failed` are its errors."""
    ordered, failures, where = in_order(found), tuple(dict.fromkeys(failed)), places or Places()
    by_file: dict[str, list[_Placed]] = {file: [] for file in sorted(map(where.path, files))}
    for one in ordered:
        place = where.of(one)
        by_file.setdefault(place.path if place.own else _NOWHERE, []).append((place, one))
    cases = [_case(file, held) for file, held in by_file.items()]
    cases += [_error(failure) for failure in failures]
    counts = (
        f'tests="{len(cases)}" failures="{sum(map(_fails, by_file.values()))}" errors="{len(failures)}" skipped="0"'
    )
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="modelpolicy" {counts}>',
            f'  <testsuite name="modelpolicy validate" {counts}>',
            f'    <properties><property name="resources" value="{resources}"/></properties>',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        )
    )


def _fails(held: Iterable[_Placed]) -> bool:
    return any(one.severity is Severity.ERROR for _, one in held)


def _case(file: str, held: list[_Placed]) -> str:
    head = (
        f"    <testcase classname={_attribute('modelpolicy.validate')} name={_attribute(file)} file={_attribute(file)}"
    )
    errors = [(place, one) for place, one in held if one.severity is Severity.ERROR]
    others = [(place, one) for place, one in held if one.severity is not Severity.ERROR]
    parts = []
    if errors:
        first = errors[0][1]
        told = "\n".join(map(_line, errors))
        parts.append(
            f"      <failure type={_attribute(first.rule)} message={_attribute(first.message)}>{_text(told)}</failure>"
        )
    if others:
        parts.append(f"      <system-out>{_text(chr(10).join(map(_line, others)))}</system-out>")
    return "\n".join([f"{head}>", *parts, "    </testcase>"]) if parts else f"{head}/>"


def _error(failure: Failure) -> str:
    return (
        f'    <testcase classname="modelpolicy.validate" name={_attribute(failure.reason.value)}>'
        f"<error type={_attribute(failure.code or failure.reason.value)} message={_attribute(failure.message)}/></testcase>"
    )


def _line(placed: _Placed) -> str:
    place, one = placed
    where = f"{place}: " if place.own else ""
    named = f" ({one.resource})" if one.resource else ""
    return f"{where}{one.severity} [{one.rule}]{named}: {one.message}{f' -- {one.hint}' if one.hint else ''}"


def _attribute(text: str) -> str:
    return quoteattr(_carried(text), {"\n": "&#10;"})


def _text(text: str) -> str:
    """No line of it is a command to a runner in whose log the report is printed."""
    return _LINE_COMMAND.sub(r"\1&#58;:", escape(_carried(text)))


def _carried(text: str) -> str:
    """Line by line as for a terminal, which is where some viewers show it."""
    shown = "\n".join(map(safe, text.split("\n")))
    return _NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", shown)
