"""What is remembered of an item has a moment that is still to come: it was written while a clock was wrong.

Why: the two hours between two settings of a limit are counted from such moments, so a wrong one would freeze the limit for as
long as the clock was ahead. It counts as now, and is replaced once, by the next run that writes.
What to do: nothing here; see that the clocks of the machines that run modelpolicy are right.
"""

from collections.abc import Iterator

from reconciler.finding import Finding, Location, Severity
from reconciler.rules import Context, Rule
from reconciler.rules.common import moment


def _check(context: Context) -> Iterator[Finding]:
    for record in context.ahead:
        times = (record.equal_at, record.set_at, record.removed_at, record.refused_until)
        latest = max(
            time for time in (*times, record.attestation and record.attestation.at, *record.corrections) if time
        )
        address = record.owner or f"{record.target.kind}/{record.target.name}"
        yield Finding(
            RULE.id,
            RULE.severity,
            f"what is remembered of {record.target.kind} {record.target.name} is of {moment(latest)}, which is still to come: a "
            "clock was ahead; it counts as now",
            "The next run that writes puts it right; check the clocks of the machines that run modelpolicy.",
            Location(record.source) if record.source else Location(""),
            address,
        )


RULE = Rule(id="clock-was-ahead", severity=Severity.WARNING, check=_check)
