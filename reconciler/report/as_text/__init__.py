"""The report as text for people: what matters first, readable at 80 columns without colour. Pure.

layout.py    widths, wrapping, colour and `safe`: no control character from outside gets through
words.py     numbers, times and values as people say them
findings.py  findings with their code frames
plan.py      what would change        applied.py   what became of it        status.py   how everything stands
    drift.py     what differs, and which side moved
history.py   what the journal says of past runs
"""

from reconciler.report.as_text.applied import applied, outcome
from reconciler.report.as_text.drift import drift
from reconciler.report.as_text.findings import findings
from reconciler.report.as_text.history import history
from reconciler.report.as_text.layout import Layout, safe
from reconciler.report.as_text.plan import plan
from reconciler.report.as_text.status import status

__all__ = ["Layout", "applied", "drift", "findings", "history", "outcome", "plan", "safe", "status"]
