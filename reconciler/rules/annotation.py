"""An annotation with our own prefix does nothing: its name or its value is not one that counts, or it stands where it does not.

Why: `modelpolicy.dev/protectt: "true"` looks as if the item were protected, and nobody would know better before it is reverted.
What to do: correct the name or the value; the message says what counts. `paused` and `protect` count as "true" and nothing else,
`allow`, `attested` and `requested-at` in a cluster only, and none of them as a label or on a PolicyConstraint.
"""

import difflib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from reconciler.finding import Finding, Severity
from reconciler.kinds import API_GROUP, Resource, registry
from reconciler.kinds.annotations import ANNOTATIONS, PREFIX, SECRET_VERSION
from reconciler.rules import Context, Rule, Scope


def _check(context: Context) -> Iterator[Finding]:
    in_files = context.everything.implied  # in a cluster there is no account but those that are declared
    for resource in context.declared.resources:
        for key, value in resource.annotations.items():
            if _is_ours(key):
                yield from _of_annotation(resource, key, value, in_files=in_files)
        for key in resource.labels:
            if _is_ours(key):
                message = f"{key[:80]} is a label, and counts as an annotation only, so it does nothing"
                hint = "Move it to metadata.annotations." if key in ANNOTATIONS else "Take it out."
                yield RULE.finding(message, resource, resource.at("metadata", "labels", key), hint=hint)


def _is_ours(key: str) -> bool:
    """Whether a key has our prefix, or means to: one of our names under a prefix that is nearly ours."""
    prefix, slash, name = key.partition("/")
    if not slash:
        return False
    if prefix.casefold() == API_GROUP:
        return True
    known = PREFIX + name.casefold() in ANNOTATIONS
    return known and difflib.SequenceMatcher(None, prefix.casefold()[:64], API_GROUP).ratio() > 0.8


def _of_annotation(resource: Resource[Any], key: str, value: str, *, in_files: bool) -> Iterator[Finding]:
    known = ANNOTATIONS.get(key)
    place = resource.at("metadata", "annotations", key)
    if known is None:
        near = difflib.get_close_matches(key.partition("/")[2].casefold()[:64], _NAMES, n=1)
        hint = (
            f"Did you mean {PREFIX}{near[0]}?" if near else f"There are {', '.join(PREFIX + name for name in _NAMES)}."
        )
        yield RULE.finding(f"there is no annotation {key[:80]}, so it does nothing", resource, place, hint=hint)
    elif not registry()[resource.kind].governs:
        message = f"{key} does nothing on a {resource.kind}, which governs no item"
        yield RULE.finding(
            message, resource, place, hint="Take it out; a constraint that is not to hold is taken out too."
        )
    elif known.switch and value not in ("true", "false"):
        message = f'{key} is "{value[:40]}", and only "true" counts, so it does nothing'
        yield RULE.finding(message, resource, place, hint=f'Write "{_meant(value)}", in quotes, or take it out.')
    elif in_files and known.instead:
        message = f"{key} counts in a cluster only, so it does nothing where files are carried out"
        found = RULE.finding(message, resource, place, hint=f"In files {known.instead}.")
        yield replace(found, severity=Severity.INFO)


_NAMES: Final = tuple(key.removeprefix(PREFIX) for key in sorted({*ANNOTATIONS} - {SECRET_VERSION}))
_NO: Final = ("no", "off", "0", "n", "f", "false", "disabled")


def _meant(value: str) -> str:
    return "false" if value.strip().casefold() in _NO else "true"


RULE = Rule(id="annotation", severity=Severity.WARNING, check=_check, scope=Scope.SET)
