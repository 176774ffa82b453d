"""The latest report of each account, for many readers: a loop publishes, requests look. Calls nobody."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from reconciler.kinds import Resource
from reconciler.plan.drift import Drift, drifts
from reconciler.report import Report
from reconciler.report.by_model import Account
from reconciler.report.problems import Problem
from reconciler.report.selection import EVERYTHING, problems
from reconciler.state import Entry, History, Run


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger remembers of an account: its items, and the latest runs with their entries, newest first."""

    history: History = field(default_factory=History)
    runs: tuple[tuple[Run, tuple[Entry, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One account as it was published, with what is wrong there; `version` tells two of them apart."""

    account: Account
    version: int
    problems: tuple[Problem, ...] = ()
    by_model: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


class Desk:
    """Safe to call from any thread. `past` reads the ledger, when a page asks for it; it may raise LedgerError."""

    def __init__(self, clock: Callable[[], datetime], past: Callable[[str], Past]) -> None:
        self.clock = clock
        self.past = past
        self.id = secrets.token_hex(8)  # what was kept of another process is not this one's
        self._lock = threading.Lock()
        self._version = 0
        self._seen: Mapping[str, Seen] = MappingProxyType({})
        self._declared: frozenset[str] | None = None  # not heard yet

    def publish(self, report: Report) -> None:
        """From now on the account is shown as this report says. What every page needs is made here, so that nobody waits for it."""
        account = Account(report)
        account.warm()
        found = problems(account, EVERYTHING)
        by_model: dict[str, list[Problem]] = {}
        for one in found:
            by_model.setdefault(one.model, []).append(one)
        wrong = {model: tuple(held) for model, held in by_model.items()}
        with self._lock:
            self._version += 1
            seen = {**self._seen, report.account.account: Seen(account, self._version, found, wrong)}
            self._seen = MappingProxyType(dict(sorted(seen.items())))

    def keep(self, accounts: Iterable[str]) -> None:
        """What is declared no more is shown no more."""
        declared = frozenset(accounts)
        with self._lock:
            self._declared = declared
            self._seen = MappingProxyType({name: seen for name, seen in self._seen.items() if name in declared})

    def awaits(self, account: str) -> bool:
        """Whether there may be such an account that nobody looked at yet."""
        with self._lock:
            if self._declared is None:
                return not self._seen
            return account in self._declared and account not in self._seen

    @property
    def accounts(self) -> Mapping[str, Seen]:
        """Every account that was looked at, by name."""
        return self._seen

    def drifts(self, seen: Seen, resources: tuple[Resource[Any], ...], past: Past) -> tuple[Drift, ...]:
        """Which of the resources are not as declared and which side moved, as the verb `drift` tells it."""
        report = seen.account.report
        if report.snapshot is None:
            return ()
        declared = replace(report.declared, resources=resources)
        return drifts(declared, report.snapshot, past.history, report.finished_at)
