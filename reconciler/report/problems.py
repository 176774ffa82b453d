"""What is wrong on an account, worst first: what does not serve, what is not ready, what will stop soon. Pure.

Joins what the report already says; whether something is ready is the status conditions' own judgement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.reasons import Reason
from reconciler.report import steps
from reconciler.report.by_model import Account
from reconciler.report.model_row import WEIGHT, Standing, Tone, standing_of
from reconciler.report.steps import Step
from reconciler.state import Endpoint
from reconciler.status import ConditionType, ResourceStatus, Truth

_SERVES: Final = frozenset({"", "Running", "Healthy"})
_BEGINS: Final = frozenset({"Pending", "Scheduling"})
STOPPED: Final = "Stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`word` is a key of STANDINGS. Of a resource `address` is set, of an endpoint `endpoint`, of a model neither; `model` is ""
    where nobody knows it. `expected` is when it will happen, where it has not. `fails` False: worth knowing, and not what `--exit-code` is about."""

    model: str
    address: str = ""
    endpoint: str = ""
    name: str
    word: str
    tone: Tone
    message: str = ""
    since: datetime | None = None
    expected: datetime | None = None
    step: Step
    fails: bool = True


def of(account: Account) -> tuple[Problem, ...]:
    """Every problem of the account: models that are paused, endpoints and resources by weight, then what comes soon."""
    found = [*_resources(account), *_endpoints(account)]
    found.sort(key=lambda one: (-WEIGHT[one.tone], one.word, one.address, one.endpoint))
    return (*_paused(account), *found, *_soon(account))


def _paused(account: Account) -> Iterator[Problem]:
    for name, row in account.rows.items():
        pause = row.model.pause
        if pause is not None and row.paused is not None and row.paused.tone is Tone.BAD:
            yield Problem(
                model=name, name=row.name, word=pause.reason.value, tone=Tone.BAD, since=pause.since,
                step=steps.for_pause(account, row, pause),
            )  # fmt: skip


def _resources(account: Account) -> Iterator[Problem]:
    for status in account.report.statuses:
        found = standing_of(status)
        if found.tone in (Tone.GOOD, Tone.QUIET):
            continue
        row = account.row_of.get(status.address)
        yield Problem(
            model=row.name if row else "", address=status.address, name=status.address, word=found.word, tone=found.tone,
            message=found.message, since=_since(status), step=_step(account, status, found),
        )  # fmt: skip


def _step(account: Account, status: ResourceStatus, found: Standing) -> Step:
    return steps.for_resource(account, status, Reason(found.word))


def _since(status: ResourceStatus) -> datetime | None:
    ready = status.condition(ConditionType.READY)
    return ready.last_transition_time if ready is not None and ready.status is not Truth.TRUE else None


def _endpoints(account: Account) -> Iterator[Problem]:
    """Endpoints that do not serve. One that a person stopped is as that person wants it, so it is no failure by itself."""
    for endpoint in account.snapshot.endpoints.values() if account.snapshot else ():
        if endpoint.status not in _SERVES:
            yield _unserving(account, endpoint)


def _unserving(account: Account, endpoint: Endpoint) -> Problem:
    named = endpoint.name if endpoint.name in ("", endpoint.id) else f"{endpoint.name} ({endpoint.id})"
    stopped, begins = endpoint.status == STOPPED, endpoint.status in _BEGINS
    return Problem(
        model=endpoint.model, endpoint=endpoint.id, name=named or endpoint.id, word=STOPPED if stopped else "NotServing",
        tone=Tone.QUIET if stopped else Tone.WAITS if begins else Tone.BAD, message=endpoint.status,
        step=steps.for_endpoint(account), fails=not stopped,
    )  # fmt: skip


def _soon(account: Account) -> Iterator[Problem]:
    for name, row in account.rows.items():
        if row.soon:
            yield Problem(
                model=name, name=row.name, word="LimitSoon", tone=Tone.CARE, expected=row.reached_at,
                step=steps.for_soon(row), fails=False,
            )  # fmt: skip
