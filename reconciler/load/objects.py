"""An object of a cluster, as plain values, becomes a resource by the same models that judge files. Pure: no I/O, no clock.

Broken is not absent: what a model refuses is held, with as much of its kind, name and target as could be read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource, registry
from reconciler.kinds.declared import DEFAULT_ACCOUNT, Held
from reconciler.load.documents import Judged
from reconciler.load.messages import explained
from reconciler.reasons import Reason


def judge(thing: Mapping[str, Any]) -> Judged:
    """What an object of one of our kinds became: a resource, or findings and what is held."""
    kind, meta = registry()[thing["kind"]], thing["metadata"]
    location = Location("/".join((kind.name, meta["namespace"], meta["name"])))
    spec = thing.get("spec") or {}
    try:
        judged = kind.spec.model_validate(spec)
    except ValidationError as error:
        said = explained(error, kind.spec, ("spec",))
        findings = tuple(
            Finding(one.rule, Severity.ERROR, one.message, one.hint, location, location.file, Reason.RULE_VIOLATION)
            for one in said
        )
        return Judged(findings, held=_held(location, thing), location=location)
    resource = Resource(
        kind=kind.name,
        name=meta["name"],
        spec=judged,
        origin=location,
        namespace=meta["namespace"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        generation=meta.get("generation"),
        created=_moment(meta.get("creationTimestamp")),
        uid=meta.get("uid") or "",
        deleting="deletionTimestamp" in meta,
    )
    return Judged(resource=resource, location=location)


def _held(location: Location, thing: Mapping[str, Any]) -> Held:
    """What can be said of an object that a model refused."""
    meta, spec = thing["metadata"], thing.get("spec") or {}
    ref = spec.get("accountRef") or {}
    account = f"{ref.get('namespace') or meta['namespace']}/{ref.get('name') or DEFAULT_ACCOUNT}"
    if thing["kind"] == "PlatformAccount":
        account = f"{meta['namespace']}/{meta['name']}"
    return Held(location, thing["kind"], meta["name"], _target(spec), meta["namespace"], account)


def _target(spec: Mapping[str, Any]) -> str:
    endpoint = spec.get("endpoint")
    named = endpoint if isinstance(endpoint, dict) else {}
    return str(spec.get("model") or named.get("id") or named.get("name") or "")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
