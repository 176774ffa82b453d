"""The report as text for people: what matters first, readable at 80 columns without colour. Pure.

layout.py    widths, wrapping, colour and `safe`: no control character from outside gets through
words.py     numbers, times and values as people say them
of_findings.py  findings with their code frames
of_plan.py      what would change        of_applied.py  what became of it       of_status.py  how everything stands
of_drift.py     what differs, and which side moved
of_history.py   what the journal says of past runs
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reconciler.report.as_text.layout import Layout, safe
    from reconciler.report.as_text.of_applied import applied, outcome
    from reconciler.report.as_text.of_drift import drift
    from reconciler.report.as_text.of_findings import findings
    from reconciler.report.as_text.of_history import history
    from reconciler.report.as_text.of_plan import plan
    from reconciler.report.as_text.of_status import status

__all__ = ["Layout", "applied", "drift", "findings", "history", "outcome", "plan", "safe", "status"]

_FILES: Final = {"Layout": "layout", "safe": "layout", "outcome": "of_applied"}


def __getattr__(name: str) -> Any:
    """Each of the above from its own file when it is first asked for: findings are shown without what plans need."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES.get(name, f'of_{name}')}"), name)
