"""Which part of an account is asked for: by the names of models, endpoints and resources, and whether only what is wrong. Pure."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from reconciler.report.by_model import Account
from reconciler.report.problems import STOPPED, Problem
from reconciler.report.problems import of as problems_of

_SUGGESTIONS: Final = 3
_SHORT: Final = 2  # letters that are part of too many names to suggest any


@dataclass(frozen=True, slots=True)
class Selection:
    """`names` () asks for the whole account; `problems` for what is wrong alone; `every` for the whole catalogue."""

    names: tuple[str, ...] = ()
    problems: bool = False
    every: bool = False


EVERYTHING: Final = Selection()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the names stand for. `around` are the models that a chosen endpoint or resource is about."""

    models: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()
    by_name: frozenset[str] = frozenset()  # endpoints that were named themselves
    alone: frozenset[str] = frozenset()  # resources that were named themselves

    def __bool__(self) -> bool:
        return bool(self.models or self.endpoints or self.addresses)

    def concerns(self, problem: Problem) -> bool:
        """Whether the problem is one of what was chosen: an endpoint and a limit do not serve while their model is paused."""
        if problem.address:
            return problem.address in self.addresses
        if problem.endpoint:
            return problem.endpoint in self.endpoints
        return problem.model in self.models | self.around


def choose(account: Account, names: Iterable[str]) -> Chosen:
    """What of the account bears one of the names: a model, an endpoint (by id or name), a resource (KIND/NAME or its name)."""
    wanted = frozenset(names)
    rows = account.rows
    models = frozenset(name for name in rows if name in wanted)
    live = account.snapshot.endpoints if account.snapshot else {}
    by_name = frozenset(one.id for one in live.values() if {one.id, one.name} & wanted)
    named = {one.address for one in account.report.declared.resources if {one.address, one.name} & wanted}
    own = account.report.account
    named |= {own.address} if {own.address, own.name} & wanted else set()
    targets = {one.address: one.target.name for one in account.report.statuses if one.target is not None}
    governing = {address for address, target in targets.items() if target in by_name}
    governed = {targets[address] for address in named if targets.get(address) in live}
    return Chosen(
        models=models,
        endpoints=by_name | governed | {one.id for name in models for one in rows[name].endpoints},
        addresses=frozenset(named | governing | {one.address for name in models for one in rows[name].resources}),
        around=frozenset(account.row_of[address].name for address in named if address in account.row_of)
        | {live[one].model for one in by_name},
        by_name=by_name,
        alone=frozenset(named),
    )


def problems(account: Account, selection: Selection, chosen: Chosen | None = None) -> tuple[Problem, ...]:
    """The problems of what is asked for. That an endpoint is stopped is one only where that endpoint was asked for."""
    found = problems_of(account)
    if not selection.names:
        return tuple(one for one in found if one.word != STOPPED)
    chosen = chosen or choose(account, selection.names)
    return tuple(
        replace(one, fails=one.fails or one.endpoint in chosen.by_name) for one in found if chosen.concerns(one)
    )


def unmatched(accounts: Iterable[Account], names: Iterable[str]) -> tuple[str, ...]:
    """The names that stand for nothing on any of the accounts. Where one could not be seen nobody knows what is on it: none."""
    known: set[str] = set()
    for account in accounts:
        if account.snapshot is None:
            return ()
        known.update(_names(account))
    return tuple(name for name in names if name not in known)


def near(accounts: Iterable[Account], name: str) -> tuple[str, ...]:
    """What was probably meant, at most three."""
    every = dict.fromkeys(known for account in accounts for known in _names(account))
    lower = {known.lower(): known for known in every}
    wanted = name.lower()
    holding = sorted((known for known in lower if len(wanted) > _SHORT and wanted in known), key=len)
    alike = [] if holding else difflib.get_close_matches(wanted, lower, n=_SUGGESTIONS)
    return tuple(lower[one] for one in (*holding, *alike))[:_SUGGESTIONS]


def _names(account: Account) -> Iterator[str]:
    """Every name that something on the account goes by."""
    yield from account.rows
    for endpoint in account.snapshot.endpoints.values() if account.snapshot else ():
        yield from (endpoint.id, endpoint.name)
    for resource in (account.report.account, *account.report.declared.resources):
        yield from (resource.address, resource.name)
