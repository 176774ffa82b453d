"""A bug that shows on one resource is that resource's finding: everything else of its account is judged, written and told."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import activation, constraint, declared, limit, override
from stage import Stage

from reconciler import guards, isolation, kinds, rules
from reconciler.errors import LedgerError
from reconciler.finding import Finding, Severity
from reconciler.kinds.declared import Declared
from reconciler.report import Report
from reconciler.rules import Context
from reconciler.state import Result
from reconciler.status import details

KINDS = ("ModelActivation", "InferenceLimit", "EndpointRateOverride")
METHODS = ("target", "exists", "desired", "live", "writes", "model", "title", "expired", "renewal", "earliest")
BAD = {"ModelActivation": "bad", "InferenceLimit": "bad", "EndpointRateOverride": "ep-bad"}


class Fault(Exception):
    """What nobody expects."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.models("good", "bad")
    made.endpoints("ep-good", of="good")
    made.endpoints("ep-bad", of="bad")
    yield made
    made.close()


def everything() -> Declared:
    return declared(*(each for of in ("bad", "good") for each in _of(of)))


def _of(name: str) -> tuple[Any, ...]:
    return activation(name), limit(name, 1000, renewal="1"), override(f"ep-{name}", rpm=60)


def addresses(of: str) -> set[str]:
    return {each.address for each in _of(of)}


def fails(monkeypatch: pytest.MonkeyPatch, kind: str, method: str) -> list[str]:
    """Let one method of a kind raise for what is called bad; the list counts how often it did."""
    owner, real, raised = type(kinds.registry()[kind]), getattr(kinds.registry()[kind], method), []

    def faulty(itself: object, *given: Any) -> Any:
        names = [str(getattr(each, "name", "")) for each in given] + [
            str(each.target.name) for each in given if hasattr(each, "target") and hasattr(each.target, "name")
        ]
        if BAD[kind] in names:
            raised.append(method)
            raise Fault(f"{method} did not expect this")
        return real(*given)

    monkeypatch.setattr(owner, method, faulty)
    return raised


def internal(report: Report) -> list[Finding]:
    return [found for found in report.findings if found.rule == isolation.RULE]


def applied(report: Report) -> set[str]:
    return {outcome.address for outcome in report.outcomes if outcome.result is Result.APPLIED}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_fails_on_one_resource_keeps_no_other_from_being_carried_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, method: str
) -> None:
    raised, address = fails(monkeypatch, kind, method), f"{kind}/{BAD[kind]}"
    report = stage.apply(everything(), keep_going=True)
    assert addresses("good") <= applied(report)
    assert {status.address for status in report.statuses} == addresses("good") | addresses("bad")
    if not raised:
        assert applied(report) == addresses("good") | addresses("bad")
        return
    known = internal(report)
    failed = [outcome for outcome in report.outcomes if outcome.result is Result.FAILED]
    assert {found.resource for found in known} | {outcome.address for outcome in failed} == {address}
    for text in [*(found.message for found in known), *(outcome.message for outcome in failed)]:
        assert f"Fault: {method} did not expect this" in text
    assert all("please report it" in found.hint for found in known)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_judged_once_its_declaration_is_gone_stays_as_it_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, method: str
) -> None:
    stage.apply(everything())
    stage.platform.writes.clear()
    raised = fails(monkeypatch, kind, method)
    report = stage.apply(declared(activation("good")), prune=True, under=(".",), keep_going=True,
                         allows=tuple(guards.Allow(guard, None, "test") for guard in guards.GUARDS))  # fmt: skip
    assert "clear-override ep-good" in stage.platform.done
    if raised:
        assert internal(report) or any("Fault" in outcome.message for outcome in report.outcomes)
        assert [
            word for word in stage.platform.done if word.endswith(BAD[kind]) and kind == "EndpointRateOverride"
        ] == []


def test_an_item_that_may_be_declared_by_what_cannot_be_judged_is_not_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.apply(declared(override("ep-good", name="before", rpm=60)))
    stage.platform.writes.clear()
    real = type(kinds.registry()["EndpointRateOverride"]).target

    def faulty(itself: Any, resource: Any, snapshot: Any) -> Any:
        if resource.name == "after":
            raise Fault("target did not expect this")
        return real(itself, resource, snapshot)

    monkeypatch.setattr(type(kinds.registry()["EndpointRateOverride"]), "target", faulty)
    report = stage.apply(declared(override("ep-good", name="after", rpm=60)), prune=True, under=(".",), keep_going=True)
    assert stage.platform.writes == []
    assert [found.resource for found in internal(report)] == ["EndpointRateOverride/after"]
    (release,) = report.plan.releases
    assert "EndpointRateOverride/after could not be judged and may still declare it" in release.why


def rule(check: Callable[[Context], Sequence[Finding]], severity: Severity = Severity.ERROR) -> rules.Rule:
    return rules.Rule(id="faulty", severity=severity, check=check)


@pytest.fixture
def with_rule(monkeypatch: pytest.MonkeyPatch) -> Callable[[rules.Rule], None]:
    def put(one: rules.Rule) -> None:
        known = dict(rules.registry())
        monkeypatch.setattr(rules, "registry", lambda: {**known, one.id: one})

    return put


def test_a_rule_that_fails_on_one_resource_still_judges_the_others(
    stage: Stage, with_rule: Callable[[rules.Rule], None]
) -> None:
    def check(context: Context) -> Sequence[Finding]:
        found = []
        for each in context.declared.limits:
            if each.name == "bad":
                raise Fault("a rule did not expect this")
            found.append(faulty.finding("is judged", each))
        return found

    faulty = rule(check)
    with_rule(faulty)
    report = stage.apply(everything(), keep_going=True)
    assert [found.resource for found in internal(report)] == ["InferenceLimit/bad"]
    assert [found.resource for found in report.findings if found.rule == "faulty"] == ["InferenceLimit/good"]
    assert applied(report) == (addresses("good") | addresses("bad")) - {"InferenceLimit/good", "InferenceLimit/bad"}


def test_a_rule_that_could_only_warn_stops_nothing_by_failing(
    stage: Stage, with_rule: Callable[[rules.Rule], None]
) -> None:
    def check(context: Context) -> Sequence[Finding]:
        raise Fault("a rule did not expect anything")

    with_rule(rule(check, Severity.WARNING))
    report = stage.apply(everything())
    assert applied(report) == addresses("good") | addresses("bad")
    assert {found.severity for found in internal(report)} == {Severity.WARNING}


def test_a_rule_that_fails_whatever_is_declared_keeps_everything_as_it_is(
    stage: Stage, with_rule: Callable[[rules.Rule], None]
) -> None:
    def check(context: Context) -> Sequence[Finding]:
        raise Fault("a rule did not expect anything")

    with_rule(rule(check))
    report = stage.apply(everything(), keep_going=True)
    assert stage.platform.writes == []
    assert {found.resource for found in internal(report)} >= addresses("good") | addresses("bad")


def test_a_constraint_that_a_rule_fails_with_is_to_blame_and_not_each_resource_it_is_run_over(
    stage: Stage, with_rule: Callable[[rules.Rule], None]
) -> None:
    def check(context: Context) -> Sequence[Finding]:
        if any(each.name == "odd" for each in context.declared.constraints) and context.declared.limits:
            raise Fault("a rule did not expect this")
        return []

    with_rule(rule(check))
    whole = declared(*everything().resources, constraint("odd", match={"labels": {"team": "x"}}))
    report = stage.apply(whole, keep_going=True)
    assert [found.resource for found in internal(report)] == ["PolicyConstraint/odd"]
    assert applied(report) == addresses("good") | addresses("bad")


def test_a_guard_that_fails_on_one_change_refuses_that_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def worries(plan: Any, question: Any) -> Iterator[guards.Worry]:
        """A guard."""
        if any(change.address == "InferenceLimit/bad" for change in plan.changes):
            raise Fault("a guard did not expect this")
        yield from ()

    monkeypatch.setattr(guards, "GUARDS", {**guards.GUARDS, "faulty": guards.Guard("faulty", worries)})
    report = stage.apply(everything(), keep_going=True)
    (verdict,) = guards.refused(report.plan)
    assert (verdict.id, verdict.address) == ("faulty", "InferenceLimit/bad")
    assert "Fault: a guard did not expect this" in verdict.message
    assert addresses("good") <= applied(report)
    assert "set-limit bad" not in stage.platform.done


def test_a_status_that_cannot_be_told_in_full_is_a_warning_and_stops_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = details.of

    def faulty(standing: Any, resource: Any, *more: Any) -> Any:
        if resource.address == "EndpointRateOverride/ep-bad":
            raise Fault("details did not expect this")
        return real(standing, resource, *more)

    monkeypatch.setattr(details, "of", faulty)
    report = stage.apply(everything())
    assert applied(report) == addresses("good") | addresses("bad")
    (found,) = internal(report)
    assert (found.resource, found.severity) == ("EndpointRateOverride/ep-bad", Severity.WARNING)
    told = {status.address: status for status in report.statuses}
    assert told["EndpointRateOverride/ep-good"].details
    assert told["EndpointRateOverride/ep-bad"].conditions


def test_what_the_package_raises_on_purpose_passes_through() -> None:
    def broken() -> None:
        raise LedgerError("the ledger is gone")

    with pytest.raises(LedgerError):
        isolation.attempt(broken)


@pytest.mark.parametrize(("count", "bad"), [(1, {0}), (2, {1}), (100, {0, 50, 99}), (100, set(range(40)))])
def test_each_thing_that_judging_fails_with_is_found_and_the_rest_is_judged(count: int, bad: set[int]) -> None:
    def judge(some: Sequence[int]) -> list[int]:
        if bad & set(some):
            raise Fault
        return list(some)

    found, blamed = isolation.in_part(judge, range(count))
    assert bad <= {culprit.thing for culprit in blamed}
    if len(bad) < isolation.MAX_CULPRITS:
        assert set(found) == set(range(count)) - bad


def test_a_failure_names_its_place_in_this_package_and_no_folder_of_this_machine() -> None:
    failed = isolation.attempt(kinds.registry()["InferenceLimit"].desired, None, None)  # type: ignore[arg-type]
    assert "AttributeError" in str(failed)
    assert "(reconciler/kinds/inference_limit.py:" in str(failed)
    assert "\n" not in str(failed)
