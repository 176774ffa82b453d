"""Our values as plain JSON values: the shapes that every machine-readable output and the saved plan share.

Pure. Key names and their order are published (DESIGN: the command); times are RFC 3339 in UTC; what could not be seen is
`{"unobservable": true}`, which is neither null (absent) nor any value.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.finding import Finding, Location
from reconciler.plan import Change, Plan, Verdict
from reconciler.state import UNOBSERVABLE, Failure, Fields, Target, Value

FORMAT_VERSION: Final = "1.0"
UNSEEN: Final = "unobservable"
# What a terminal, an editor or a CI's runner (`##[command]`) would act on, and what UTF-8 cannot carry. In JSON text they
# stand inside strings only.
_UNPRINTABLE: Final = re.compile(
    "(?<=#)#|[\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def text(document: Any, *, indent: int | None = 2) -> str:
    """The document as JSON text with one last newline: keys in the order given, invisible characters escaped.

    Half a surrogate pair, which is no character and which strict readers refuse, becomes the text of its escape.
    """
    written = json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)
    return _UNPRINTABLE.sub(_escape, written) + "\n"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xD800 <= code < 0xE000:
        return f"\\\\u{code:04x}"
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(found[0])[1:-1]


def line(document: Mapping[str, str]) -> str:
    """The texts as one line of JSON in ASCII, for a log of whatever encoding; no runner takes any of it for a command."""
    whole = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in document.items()}
    return json.dumps(whole, ensure_ascii=True).replace("##", "#\\u0023")


def canonical(document: Any) -> bytes:
    """The one byte string of the document: keys sorted, no spaces. What digests are made of."""
    return json.dumps(
        document, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("ascii")  # fmt: skip


def moment(when: datetime | None) -> str | None:
    """A time in UTC as RFC 3339 with Z, to the microsecond where it has one."""
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def value(seen: Value) -> Any:
    """One field's value; lists for tuples, `{"unobservable": true}` for what could not be seen."""
    if seen is UNOBSERVABLE:
        return {UNSEEN: True}
    return list(seen) if isinstance(seen, tuple) else seen


def fields(values: Fields | None) -> dict[str, Any] | None:
    """Fields by path, sorted."""
    return None if values is None else {path: value(seen) for path, seen in sorted(values.items())}


def location(where: Location | None) -> dict[str, Any] | None:
    """Where something stands in a declaration; line and column are 0 where there are none."""
    return None if where is None else {"file": where.file, "line": where.line, "column": where.column}


def target(item: Target, name: str = "") -> dict[str, Any]:
    """Which item: a model, an endpoint (`name` is its name where it is known) or the account."""
    if item.kind == "EndpointRateOverride":
        return {"endpoint_id": item.name, "endpoint_name": name}
    return {"account": item.name} if item.kind == "PlatformAccount" else {"model": item.name}


def finding(found: Finding) -> dict[str, Any]:
    """One finding."""
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint,
        "location": location(found.location),
        "resource": found.resource,
    }


def failure(failed: Failure) -> dict[str, Any]:
    """One failure of the world."""
    return {
        "reason": failed.reason.value,
        "code": failed.code,
        "message": failed.message,
        "retry_after_s": failed.retry_after_s,
    }


def failures(failed: Iterable[Failure]) -> list[dict[str, Any]]:
    """Failures in their order, each once."""
    return [failure(one) for one in dict.fromkeys(failed)]


def change(intended: Change) -> dict[str, Any]:
    """One change as it is published in plan JSON."""
    return {
        "address": intended.address,
        "target": target(intended.target, intended.target_name),
        "action": intended.action.value,
        "reason": intended.reason.value,
        "capability": intended.capability.value,
        "not_before": moment(intended.not_before),
        "origin": location(intended.origin),
        "fields": [
            {"path": one.path, "before": value(one.before), "after": value(one.after)} for one in intended.fields
        ],
        "precondition": intended.precondition,
    }


def verdict(said: Verdict) -> dict[str, Any]:
    """One guard's verdict."""
    return {"id": said.id, "verdict": said.verdict.value, "address": said.address}


def plan(made: Plan, now: datetime, failed: Iterable[Failure], found: Iterable[Finding]) -> dict[str, Any]:
    """A plan as it is published; `failed` is the pass's, joined with the plan's own, `found` all that is told, in order."""
    return {
        "format_version": FORMAT_VERSION,
        "account": made.account,
        "inputs_digest": made.inputs_digest,
        "observed_at": moment(made.observed_at),
        "summary": dict(made.summary(now)),
        "changes": [change(intended) for intended in made.changes],
        "guards": [verdict(said) for said in made.guards],
        "findings": [finding(one) for one in found],
        "errors": failures((*made.errors, *failed)),
    }


def document(parts: list[dict[str, Any]], several: str) -> dict[str, Any]:
    """The one part itself, or all parts under the key `several` where there is more than one account (or none)."""
    return parts[0] if len(parts) == 1 else {"format_version": FORMAT_VERSION, several: parts}
