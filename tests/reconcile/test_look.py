"""One pass as far as looking goes: it only reads, and what the world does wrong is told, not raised."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler import check, reconcile
from reconciler.errors import Transient
from reconciler.finding import Finding, Severity
from reconciler.kinds.declared import Declared
from reconciler.reasons import Reason
from reconciler.state import NATIVE, History, Operation, Snapshot, Support, Target

NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Calm:
    """A reader that sees an empty account, and has no write at all."""

    def capabilities(self) -> Mapping[Operation, Support]:
        return dict.fromkeys(Operation, NATIVE)

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        return Snapshot(observed_at=NOW)

    def read(self, target: Target) -> Snapshot:
        return Snapshot(observed_at=NOW)

    def close(self) -> None:
        pass


class Down(Calm):
    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        raise Transient("the platform did not answer", code="InternalServiceError", retry_after_s=3)


def asked(**changes: object) -> reconcile.Asked:
    return reconcile.Asked(account="default", everything=Declared(), **changes)  # type: ignore[arg-type]


def test_looking_at_an_empty_set_finds_nothing_to_do() -> None:
    report = reconcile.look(asked(), Calm(), History(), {}, NOW)
    assert (report.plan.changes, report.failures, report.findings) == ((), (), ())
    assert report.snapshot is not None
    assert report.plan.observed_at == NOW


def test_a_platform_that_does_not_answer_is_a_failure_in_the_report() -> None:
    report = reconcile.look(asked(), Down(), History(), {}, NOW)
    assert report.snapshot is None
    (failure,) = report.failures
    assert (failure.reason, failure.code, failure.retry_after_s) == (
        Reason.PLATFORM_UNAVAILABLE, "InternalServiceError", 3,
    )  # fmt: skip


def test_findings_of_loading_are_shown_by_check_and_by_look() -> None:
    found = Finding("yaml", Severity.ERROR, "a tab")
    assert found in check.check(Declared(), (found,), NOW)
    assert found in reconcile.look(asked(load_findings=(found,)), Calm(), History(), {}, NOW).findings


def test_the_inputs_digest_does_not_depend_on_the_order_of_files() -> None:
    one, two = ("a.yaml", "1"), ("b.yaml", "2")

    def digest(*sources: tuple[str, str]) -> str:
        question = reconcile.Asked(account="default", everything=Declared(sources=sources))
        return reconcile.look(question, Calm(), History(), {}, NOW).plan.inputs_digest

    assert digest(one, two) == digest(two, one) != digest(one)
