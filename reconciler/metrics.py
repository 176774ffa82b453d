"""The report of each account's last pass as Prometheus metrics. Reads reports; decides nothing and never calls a platform.

Gauges are made from the last report at the moment of the scrape, so what is gone from the report is gone from the metrics;
only passes, calls and waits are counted up.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.errors import PlatformError
from reconciler.report import Report
from reconciler.state import UNOBSERVABLE, Result, Snapshot
from reconciler.status import ConditionType, Truth

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PASS_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The metrics of one process. Safe to call from any thread."""

    def __init__(self, clock: Callable[[], datetime], queue_depth: Callable[[], int]) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._latest = _Latest(clock, queue_depth)
        self._registry.register(self._latest)
        self._passes = Counter(
            "modelpolicy_passes", "Passes over an account.", ["account", "result"], registry=self._registry
        )
        self._pass_seconds = Histogram(
            "modelpolicy_pass_duration_seconds", "How long a pass took.", ["account"],
            registry=self._registry, buckets=PASS_BUCKETS,
        )  # fmt: skip
        self._calls = Counter(
            "modelpolicy_platform_calls", "Calls to the platform; code is ok or the platform's own error code.",
            ["account", "action", "code"], registry=self._registry,
        )  # fmt: skip
        self._waited = Counter(
            "modelpolicy_limiter_wait_seconds", "Seconds that writes waited for the account's pace.", ["account"],
            registry=self._registry,
        )  # fmt: skip

        self._turned_away = Counter(
            "modelpolicy_http_turned_away", "Clients of this port that were refused or closed, by why.", ["reason"],
            registry=self._registry,
        )  # fmt: skip

    def passed(self, report: Report, result: str, seconds: float) -> None:
        """A pass is over: `result` is ok, failed or partial."""
        account = report.account.account
        self._latest.put(account, report)
        self._passes.labels(account, result).inc()
        self._pass_seconds.labels(account).observe(seconds)

    @contextmanager
    def calling(self, account: str, action: str) -> Iterator[None]:
        """To be entered around a call to the platform."""
        try:
            yield
        except PlatformError as error:
            self.called(account, action, error.code or error.reason.value)
            raise
        except Exception as error:
            self.called(account, action, type(error).__name__)
            raise
        self.called(account, action, "ok")

    def called(self, account: str, action: str, code: str) -> None:
        """A call to the platform came back; `code` is "ok" or an error's."""
        self._calls.labels(account, action, code).inc()

    def waited(self, account: str, seconds: float) -> None:
        """A write waited for the account's pace."""
        self._waited.labels(account).inc(seconds)

    def turned_away(self, reason: str) -> None:
        """The port that serves these metrics refused a client, or closed its connection."""
        self._turned_away.labels(reason).inc()

    def leads(self, account: str, leader: bool) -> None:
        """Whether this process holds the account's lock. What a standby saw while it led is no longer so."""
        self._latest.lead(account, leader)

    def declared(self, accounts: frozenset[str]) -> None:
        """These are the accounts now; what was said of others is gone."""
        self._latest.keep(accounts)

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)


class _Latest(Collector):
    def __init__(self, clock: Callable[[], datetime], queue_depth: Callable[[], int]) -> None:
        self._clock = clock
        self._queue_depth = queue_depth
        self._lock = threading.Lock()
        self._reports: dict[str, Report] = {}
        self._leaders: dict[str, bool] = {}
        self._gone: frozenset[str] = frozenset()  # a pass that ends after its account went tells nothing

    def put(self, account: str, report: Report) -> None:
        with self._lock:
            if account not in self._gone:
                self._reports[account] = report

    def lead(self, account: str, leader: bool) -> None:
        with self._lock:
            self._leaders[account] = leader
            if not leader:
                self._reports.pop(account, None)

    def keep(self, accounts: frozenset[str]) -> None:
        with self._lock:
            self._gone = (self._gone | self._reports.keys() | self._leaders.keys()) - accounts
            for account in self._gone:
                self._reports.pop(account, None)
                self._leaders.pop(account, None)

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            reports, leaders = dict(sorted(self._reports.items())), dict(sorted(self._leaders.items()))
        info = GaugeMetricFamily("modelpolicy_build_info", "The version that runs.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield _single("modelpolicy_queue_depth", "Accounts that are due for a pass and wait.", self._queue_depth())
        yield _per_account(
            "modelpolicy_leader",
            "1 where this process holds the account's lock, 0 on standby.",
            {account: float(leads) for account, leads in leaders.items()},
        )
        yield _per_account(
            "modelpolicy_last_pass_timestamp_seconds",
            "When the last pass ended.",
            {account: report.finished_at.timestamp() for account, report in reports.items()},
        )
        yield _per_account(
            "modelpolicy_cooldowns_pending",
            "Changes that wait for their time.",
            {account: sum(o.result is Result.DEFERRED for o in r.outcomes) for account, r in reports.items()},
        )
        yield from _conditions(reports, self._clock())
        yield from _models(reports)
        yield from _endpoints(reports)


def _single(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _per_account(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["account"])
    for account, value in values.items():
        family.add_metric([account], value)
    return family


def _conditions(reports: Mapping[str, Report], now: datetime) -> Iterator[Metric]:
    conditions = GaugeMetricFamily(
        "modelpolicy_condition",
        "1 for the status that a resource's condition has.",
        labels=["account", "kind", "name", "type", "status", "reason"],
    )
    drift = GaugeMetricFamily(
        "modelpolicy_drift_seconds",
        "For how long a resource's item has differed from its declaration.",
        labels=["account", "kind", "name"],
    )
    for account, report in reports.items():
        for status in report.statuses:
            name = status.address.removeprefix(f"{status.kind}/")
            for condition in status.conditions:
                labels = [account, status.kind, name, condition.type, condition.status, condition.reason]
                conditions.add_metric([str(label) for label in labels], 1)
            drifted = status.condition(ConditionType.DRIFTED)
            if drifted is not None and drifted.status is Truth.TRUE:
                since = max(0.0, (now - drifted.last_transition_time).total_seconds())
                drift.add_metric([account, status.kind, name], since)
    yield conditions
    yield drift


def _models(reports: Mapping[str, Report]) -> Iterator[Metric]:
    def family(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"modelpolicy_model_{name}", text, labels=["account", "model"])

    limit = family("limit_tokens", "The inference limit of a model in tokens.")
    used = family("used_tokens", "Tokens counted against the inference limit.")
    free = family("free_tokens_remaining", "Displayed free tokens of a model; lags by up to an hour.")
    paused = family("paused", "1 where the platform stopped serving a model.")
    for account, snapshot in _observed(reports):
        for name, model in sorted(snapshot.models.items()):
            if model.limit is not None and model.limit is not UNOBSERVABLE:
                limit.add_metric([account, name], model.limit.tokens)
                if model.limit.used is not None:
                    used.add_metric([account, name], model.limit.used)
            if model.free_tokens is not None and model.free_tokens is not UNOBSERVABLE:
                free.add_metric([account, name], model.free_tokens.remaining)
            if model.pause is not None:
                paused.add_metric([account, name], 1)
    yield from (limit, used, free, paused)


def _endpoints(reports: Mapping[str, Report]) -> Iterator[Metric]:
    def family(half: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            f"modelpolicy_endpoint_effective_{half}", text, labels=["account", "endpoint", "endpoint_name", "model"]
        )

    rpm = family("rpm", "Requests a minute an endpoint may make: its override, else its model's limit.")
    tpm = family("tpm", "Tokens a minute an endpoint may use: its override, else its model's limit.")
    for account, snapshot in _observed(reports):
        for endpoint_id, endpoint in sorted(snapshot.endpoints.items()):
            rate = snapshot.effective_rate(endpoint)
            if rate is None or rate is UNOBSERVABLE:
                continue
            labels = [account, endpoint_id, endpoint.name, endpoint.model]
            if rate.rpm is not None:
                rpm.add_metric(labels, rate.rpm)
            if rate.tpm is not None:
                tpm.add_metric(labels, rate.tpm)
    yield from (rpm, tpm)


def _observed(reports: Mapping[str, Report]) -> Iterator[tuple[str, Snapshot]]:
    for account, report in reports.items():
        if report.snapshot is not None:
            yield account, report.snapshot
