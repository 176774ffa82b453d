"""The ordered list of intended writes, as inert data. Pure: values in, a Plan out; nothing here acts or reads a clock.

question.py   what a plan is asked for, with its indexes     values.py   what a plan is made of
making.py     the plan: one change list, ordered             items.py    one item: what differs, what it takes
removal.py    what we own and nothing declares any more      notes.py    sentences for the reviewer
patience.py   a loop's back-off laid over a plan
"""

from reconciler.plan.items import CONTEST, differing, fingerprint, level, recorded, writes_of
from reconciler.plan.making import make
from reconciler.plan.patience import patient, wish
from reconciler.plan.question import Question
from reconciler.plan.values import (
    Action,
    Change,
    ChangeReason,
    FieldChange,
    Plan,
    Release,
    Verdict,
    VerdictKind,
    Wait,
    kind_of,
)

__all__ = [
    "CONTEST",
    "Action",
    "Change",
    "ChangeReason",
    "FieldChange",
    "Plan",
    "Question",
    "Release",
    "Verdict",
    "VerdictKind",
    "Wait",
    "differing",
    "fingerprint",
    "kind_of",
    "level",
    "make",
    "patient",
    "recorded",
    "wish",
    "writes_of",
]
