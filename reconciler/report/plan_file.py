"""The saved plan: what was reviewed, in a file that `show` renders and `apply --plan` carries out, once and not for ever.

Pure: bytes in, values out. A plan file is canonical JSON with a digest of its own content, so one that was edited, cut or
damaged is refused. The digest proves integrity, not authorship: whoever may write the file may write a new one. It holds
the account's whole declared set, so that carrying it out needs no declarations, and never a secret: accounts name theirs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource, normalised, registry
from reconciler.kinds.declared import NO_SET, DeclarationSet, Declared, Held
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.plan import Plan
from reconciler.report import Report, plain, wire
from reconciler.report.as_text import words

FORMAT: Final = "modelpolicy plan"
VERSION: Final = 2  # 1 knew no declaration sets, and less of what a limit was planned on
LIFETIME: Final = timedelta(hours=24)
RULE: Final = "plan-file"
START: Final = b'{"content":{"'  # of every saved plan: keys are sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the plan was asked for, and for how long it is good. `revision` is the declarations' git revision, or "";
    `declaration_set` is whose declarations they are."""

    made_at: datetime
    expires_at: datetime
    revision: str = ""
    targets: tuple[str, ...] = ()
    declaration_set: DeclarationSet = NO_SET
    prune: bool = False
    keep_going: bool = False
    reason: str = ""  # of --allow, journaled when the plan is carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved plan. `digest` is its content's, "" before it was encoded: the ledger spends a plan under it. `version` is that
    of the format it was written in."""

    terms: Terms
    plan: Plan
    account: Resource[PlatformAccountSpec]
    declared: Declared
    digest: str = ""
    version: int = VERSION

    def report(self) -> Report:
        """The report of the pass that made the plan, without what was seen: for rendering it again."""
        return Report(
            account=self.account,
            declared=self.declared,
            started_at=self.terms.made_at,
            finished_at=self.terms.made_at,
            plan=self.plan,
            findings=self.plan.findings,
            failures=self.plan.errors,
            targets=self.terms.targets,
        )


def saved(report: Report, terms: Terms) -> Saved:
    """The plan of `report`, ready to be encoded."""
    plan = replace(
        report.plan,
        findings=tuple(dict.fromkeys((*report.plan.findings, *report.findings))),
        errors=tuple(dict.fromkeys((*report.plan.errors, *report.failures))),
    )
    return Saved(terms=terms, plan=plan, account=report.account, declared=report.declared)


def encode(kept: Saved) -> bytes:
    """The file's bytes: the same plan, the same bytes."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "terms": wire.dump(kept.terms),
        "plan": wire.dump(kept.plan),
        "account": _resource(kept.account),
        "declared": {
            "resources": [_resource(resource) for resource in kept.declared.resources],
            "held": wire.dump(kept.declared.held),
            "complete": kept.declared.complete,
            "sources": wire.dump(kept.declared.sources),
        },
    }
    return plain.canonical({"content": content, "digest": digest(content)}) + b"\n"


def digest(content: Any) -> str:
    """The digest under which a plan is known: of its content's canonical bytes."""
    return "sha256:" + hashlib.sha256(plain.canonical(content)).hexdigest()


def decode(file: bytes, name: str) -> Saved | Finding:
    """The plan in the file called `name`, or the finding that says why it is none."""
    try:
        document = json.loads(file.decode("ascii"))
    except (ValueError, RecursionError):
        return _refused(name, "is not a saved plan: it is no JSON text, so it was cut, damaged or is another file")
    content = document.get("content") if isinstance(document, dict) else None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return _refused(name, "is not a saved plan: it was not written by modelpolicy plan --out")
    if content.get("version") not in range(1, VERSION + 1):
        return _refused(
            name,
            f"is a saved plan of format {content.get('version')!r}; this modelpolicy reads formats up to {VERSION}",
        )
    if document.get("digest") != digest(content) or plain.canonical(document) + b"\n" != file:
        return _refused(name, "was edited or damaged after it was saved: its content is not what its digest says")
    try:
        return _saved(content, document["digest"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return _refused(name, f"holds what no saved plan holds ({type(error).__name__})")


def expired(kept: Saved, name: str, now: datetime) -> Finding | None:
    """Why the plan is too old to be carried out at `now`; None while it is good. Showing it is always allowed."""
    if kept.version < VERSION:
        return _refused(name, "was saved by an earlier version of modelpolicy, which judged less before it wrote")
    if now < kept.terms.expires_at:
        return None
    when = words.moment(kept.terms.expires_at)
    return _refused(name, f"expired at {when}: the platform may have moved on since it was reviewed")


def _refused(name: str, message: str) -> Finding:
    return Finding(
        rule=RULE,
        severity=Severity.ERROR,
        message=f"{name} {message}",
        hint="make a new one with modelpolicy plan --out",
        location=Location(name),
    )


def _terms(written: Mapping[str, Any], version: int) -> Terms:
    """The terms, also as the first version wrote them."""
    if version == 1:
        where = {"name": "", "under": written["under"], "prefix": written["prefix"], "root": ""}
        written = {name: value for name, value in written.items() if name not in ("under", "prefix")}
        written["declaration_set"] = where
    return wire.load(Terms, written)


def _saved(content: Mapping[str, Any], known_as: str) -> Saved:
    declared = content["declared"]
    return Saved(
        version=content["version"],
        terms=_terms(content["terms"], content["version"]),
        plan=wire.load(Plan, content["plan"]),
        account=_read(content["account"]),
        declared=Declared(
            resources=tuple(_read(one) for one in declared["resources"]),
            held=tuple(wire.load(Held, one) for one in declared["held"]),
            complete=wire.load(bool, declared["complete"]),
            sources=tuple((wire.load(str, file), wire.load(str, digest)) for file, digest in declared["sources"]),
        ),
        digest=known_as,
    )


def _resource(resource: Resource[Any]) -> dict[str, Any]:
    return {**normalised(resource), "origin": wire.dump(resource.origin)}


def _read(written: Mapping[str, Any]) -> Resource[Any]:
    metadata = written["metadata"]
    return Resource(
        kind=written["kind"],
        name=wire.load(str, metadata["name"]),
        spec=registry()[written["kind"]].spec.model_validate(written["spec"]),
        origin=wire.load(Location, written["origin"]),
        namespace=metadata.get("namespace"),
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
    )
