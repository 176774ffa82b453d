"""What comes next for something that is not as it should be: what to do, where, from when on, and who can do it. Pure.

A step is data, so that status says it in English and the console in the reader's language (`status_words`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from reconciler.finding import Location
from reconciler.kinds import Resource
from reconciler.kinds.inference_limit import next_set_at
from reconciler.plan import Change
from reconciler.reasons import Reason
from reconciler.report.by_model import Account
from reconciler.report.model_row import Row
from reconciler.state import Capability, Limit, Operation, Pause, PauseReason
from reconciler.status import ConditionType, ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`key` and `who` are keys of STEPS and WHO in `status_words`. `where` is the line to edit, `url` the page to open,
    `not_before` when the platform accepts it."""

    key: str
    who: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    where: Location | None = None
    url: str = ""
    not_before: datetime | None = None


def for_pause(account: Account, row: Row, pause: Pause) -> Step:
    """How a model that the platform stopped serves again."""
    match pause.reason:
        case PauseReason.LIMIT_REACHED:
            return _for_limit(account, row)
        case PauseReason.FREE_TOKENS_ONLY:
            own = account.report.account
            declared = own.spec.free_tokens_only is not None
            where = own.at("spec", "freeTokensOnly") if declared else _origin(own)
            return Step(key="leave-safe-mode", who="account", where=where, url=account.links.activations)
        case _:
            wanted = _declared(row, "ModelActivation")
            if _planned(row, "ModelActivation") is not None:
                return Step(key="activate-planned", who="apply", where=_origin(wanted) if wanted else None)
            return Step(key="activate", who="file", where=wanted.at("spec", "state") if wanted else None)


def _for_limit(account: Account, row: Row) -> Step:
    """A limit that was reached: it is set again, by the plan, by an edit of the file, or where it came from."""
    limit = row.model.limit if isinstance(row.model.limit, Limit) else None
    from_when = next_set_at(limit, None)
    wanted, change = _declared(row, "InferenceLimit"), _planned(row, "InferenceLimit")
    if change is not None and change.capability is Capability.NATIVE:
        tokens = change.fields[0].after if change.fields else None
        key = "removed-planned" if tokens is None else "set-planned"
        values = {"tokens": tokens} if isinstance(tokens, int) else {}
        line = change.origin if wanted is None else wanted.at("spec", "tokens")
        return Step(key=key, who="apply", values=values, where=line, not_before=change.not_before)
    used: dict[str, int] = {} if limit is None or limit.used is None else {"used": limit.used}
    if wanted is None:
        key = "raise-live" if used else "raise-live-unseen"
        return Step(key=key, who="page", values=used, url=account.links.activations, not_before=from_when)
    where = wanted.at("spec", "tokens")
    how = account.report.capabilities.get(Operation.SET_LIMIT)
    if how is not None and how.capability is Capability.MANUAL and used:
        told: dict[str, str | int] = {"used": used["used"], "address": wanted.address}
        return Step(key="raise-by-hand", who="page", values=told, where=where, url=how.page, not_before=from_when)
    key = "raise-declared" if used else "raise-declared-unseen"
    return Step(key=key, who="file", values=used, where=where, not_before=from_when)


# What to do about each reason, and who can. What a reason needs beside that is filled in by `for_resource`.
_BY_REASON: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.PENDING: ("apply", "apply"),
    Reason.RECONCILING: ("apply", "apply"),
    Reason.DRIFTED: ("apply", "apply"),
    Reason.COOLING_DOWN: ("wait", "apply"),
    Reason.SETTLING: ("look-again", "nobody"),
    Reason.WRITE_UNCONFIRMED: ("look-again", "nobody"),
    Reason.THROTTLED: ("retry", "nobody"),
    Reason.PLATFORM_UNAVAILABLE: ("retry", "nobody"),
    Reason.CREDENTIALS_INVALID: ("renew-key", "key"),
    Reason.ACCOUNT_CHANGED: ("rebind", "account"),
    Reason.PERMISSION_DENIED: ("permit", "key"),
    Reason.CONSENT_REQUIRED: ("consent", "account"),
    Reason.GUARD_REFUSED: ("guard", "apply"),
    Reason.TICKET_REQUIRED: ("ticket", "platform"),
    Reason.MANUAL_ACTION_REQUIRED: ("by-hand", "page"),
    Reason.PLATFORM_REFUSED: ("change-file", "file"),
    Reason.RULE_VIOLATION: ("change-file", "file"),
    Reason.CONFLICTED: ("one-of-two", "file"),
    Reason.TARGET_NOT_FOUND: ("correct-name", "file"),
    Reason.DELETION_BLOCKED: ("retry", "nobody"),
    Reason.PAUSED: ("resume-annotation", "file"),
}


def for_resource(account: Account, status: ResourceStatus, reason: Reason) -> Step:
    """How a resource that is not ready, for that reason, becomes so."""
    resource = account.resource_of.get(status.address)
    key, who = _BY_REASON.get(reason, ("not-attempted", "apply"))
    where = _place(account, resource, reason)
    values: dict[str, str | int] = {"address": status.address}
    unproved = reason in (Reason.NOT_ATTEMPTED, Reason.WRITE_UNCONFIRMED) and not _has_change(account, status)
    if status.condition(ConditionType.PAUSED) is not None:
        key, who = _BY_REASON[Reason.PAUSED]
    elif unproved and account.snapshot is not None and status.target is not None:
        key, who = "check-by-hand", "page"
    elif reason is Reason.DRIFTED and not _has_change(account, status):
        key, who = "observe-only", "file"
    url = (
        account.links.ticket if reason is Reason.TICKET_REQUIRED else account.links.activations if who == "page" else ""
    )
    return Step(
        key=key, who=who, values=values, where=where, url=url, not_before=status.next_attempt if key == "wait" else None
    )


def for_endpoint(account: Account) -> Step:
    """How an endpoint that does not serve does so again."""
    return Step(key="start-endpoint", who="page", url=account.links.activations.rpartition("/")[0])


def for_soon(row: Row) -> Step:
    """What keeps a limit from being reached within the day."""
    wanted = _declared(row, "InferenceLimit")
    return Step(
        key="raise-before",
        who="file",
        values={"rate": row.hourly},
        where=wanted.at("spec", "tokens") if wanted else None,
    )


def _has_change(account: Account, status: ResourceStatus) -> bool:
    return status.address in account.changing


def _place(account: Account, resource: Resource[Any] | None, reason: Reason) -> Location | None:
    """The line to edit: of a consent the account's, of a broken rule where the rule points."""
    if reason is Reason.CONSENT_REQUIRED:
        return _origin(account.report.account)
    if resource is None:
        return None
    pointed = next((one.location for one in account.errors_of.get(resource.address, ()) if one.location), None)
    return pointed or _origin(resource)


def _origin(resource: Resource[Any]) -> Location | None:
    """Where a resource is declared; None where no file says it."""
    return resource.origin if resource.origin.line else None


def _declared(row: Row, kind: str) -> Resource[Any] | None:
    return next((one for one in row.resources if one.kind == kind), None)


def _planned(row: Row, kind: str) -> Change | None:
    return next((one for one in row.changes if one.target.kind == kind), None)
