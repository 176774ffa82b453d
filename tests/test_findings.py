"""Findings are in one order everywhere: what stops something first, then by place."""

import random

from reconciler.finding import Finding, Location, Severity, in_order

ERROR = Finding("z-rule", Severity.ERROR, "wrong", location=Location("z.yaml", 9, 1))
NOWHERE = Finding("a-rule", Severity.ERROR, "wrong everywhere")
WARNING = Finding("a-rule", Severity.WARNING, "odd", location=Location("b.yaml", 1, 1))
LATER = Finding("a-rule", Severity.WARNING, "odd", location=Location("b.yaml", 2, 1))
INFO = Finding("a-rule", Severity.INFO, "by the way", location=Location("a.yaml", 1, 1))


def test_errors_come_before_warnings_and_warnings_before_infos_whatever_their_files() -> None:
    for seed in range(10):
        mixed = [INFO, LATER, ERROR, WARNING, NOWHERE, ERROR]
        random.Random(seed).shuffle(mixed)
        assert in_order(mixed) == (ERROR, NOWHERE, WARNING, LATER, INFO)
