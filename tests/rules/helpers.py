"""How the tests of rules run them: one account's set, offline or with what was seen, and what one rule says."""

from dataclasses import replace
from typing import Any

from reconciler import rules
from reconciler.finding import Finding
from reconciler.kinds import Resource
from reconciler.kinds.declared import Declared
from reconciler.state import History, Snapshot
from tests.builders import NOW


def context(everything: Declared, seen: Snapshot | None = None, past: History | None = None) -> rules.Context:
    """The context of the first account of everything that is declared."""
    key, account = next(iter(everything.accounts.items()))
    return rules.Context(
        account=account,
        declared=everything.for_account(key),
        everything=everything,
        now=NOW,
        snapshot=seen,
        history=past or History(),
    )


def says(
    rule: str, everything: Declared, seen: Snapshot | None = None, past: History | None = None
) -> tuple[Finding, ...]:
    """What one rule says, in the scope it runs in."""
    of = rules.registry()[rule]
    return tuple(one for one in rules.check(context(everything, seen, past), of.scope) if one.rule == rule)


def placed(resource: Resource[Any], *path: str | int, line: int = 7, column: int = 11) -> Resource[Any]:
    """The resource with the value at `path` written at line 7, column 11."""
    return replace(resource, positions={**resource.positions, path: (line, column)})


def at(found: Finding) -> tuple[int, int]:
    """Where a finding points."""
    assert found.location is not None
    return found.location.line, found.location.column
