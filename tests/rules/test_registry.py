"""The rules that there are: their ids, severities and reasons are promises, and their texts are what `explain` prints."""

import inspect
from pathlib import Path

import pytest

from reconciler import rules
from reconciler.finding import Severity
from reconciler.reasons import Reason

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741  # the table reads better so
BROKEN, MISSING, TICKET = Reason.RULE_VIOLATION, Reason.TARGET_NOT_FOUND, Reason.TICKET_REQUIRED
TABLE = {
    "account-changed": (E, (), Reason.ACCOUNT_CHANGED),
    "account-mismatch": (E, (), Reason.CONFLICTED),
    "account-unproven": (W, (), None),
    "activation-in-free-tokens-only": (E, ("S10", "D6"), BROKEN),
    "activation-invite-only": (E, ("S8",), TICKET),
    "clock-was-ahead": (W, (), None),
    "annotation": (W, (), None),
    "constraint": (E, (), BROKEN),
    "constraint-no-effect": (W, (), None),
    "constraint-no-match": (I, (), None),
    "deactivation-with-limit": (E, ("S25",), BROKEN),
    "deprecated-model": (W, (), None),
    "duplicate-target": (E, (), Reason.CONFLICTED),
    "free-quota-scope": (I, ("S13", "D7"), None),
    "incomplete-list": (W, (), None),
    "limit-below-use": (W, ("S17",), None),
    "limit-blocked-by-capacity": (E, ("S26",), BROKEN),
    "limit-change-interval": (I, ("S21",), Reason.COOLING_DOWN),
    "limit-conflicts-prefix-cache": (E, ("S23",), BROKEN),
    "limit-needs-activation": (E, ("S25",), BROKEN),
    "limit-needs-postpaid": (E, ("S25",), BROKEN),
    "limit-not-below-free-quota": (W, ("S18", "S19"), None),
    "limit-online-only": (I, ("S22",), None),
    "limit-unsupported-modality": (E, ("S24",), BROKEN),
    "model-rate-below-required": (W, ("S31",), TICKET),
    "outside-free-tokens-only": (W, ("D6",), None),
    "override-exceeds-model-limit": (E, ("S28", "S30", "D1"), BROKEN),
    "override-expired": (W, (), Reason.EXPIRED),
    "override-needs-both": (E, ("A7",), BROKEN),
    "override-outside-pool": (W, ("S29",), None),
    "override-oversubscribed": (W, ("S28", "D1"), None),
    "revert-unfinished": (W, (), None),
    "unknown-account": (E, (), MISSING),
    "unknown-endpoint": (E, (), MISSING),
    "unknown-model": (E, (), MISSING),
    "unmanaged-item": (I, (), None),
    "use-unread": (W, (), None),
}


def test_every_rule_has_the_id_severity_source_and_reason_that_were_promised() -> None:
    assert {id_: (rule.severity, rule.source, rule.reason) for id_, rule in rules.registry().items()} == TABLE


@pytest.mark.parametrize("rule", rules.registry().values(), ids=lambda rule: rule.id)
def test_a_rule_lives_in_the_file_of_its_name_and_says_why_and_what_to_do(rule: rules.Rule) -> None:
    assert Path(inspect.getfile(rule.check)).stem == rule.id.replace("-", "_")
    assert "Why: " in rule.doc
    assert "What to do: " in rule.doc
    for statement in rule.source:
        assert statement in rule.doc


@pytest.mark.parametrize("rule", rules.registry().values(), ids=lambda rule: rule.id)
def test_a_rule_from_the_platforms_page_quotes_it(rule: rules.Rule) -> None:
    from_the_page = any(statement.startswith("S") for statement in rule.source)
    assert bool(rule.phrase) == from_the_page
