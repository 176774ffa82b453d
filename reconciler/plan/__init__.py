"""The ordered list of intended writes, as inert data. Pure: values in, a Plan out; nothing here acts or reads a clock.

question.py   what a plan is asked for, with its indexes     values.py   what a plan is made of
making.py     the plan: one change list, ordered             items.py    one item: what differs, what it takes
removal.py    what we own and nothing declares any more      notes.py    sentences for the reviewer
patience.py   a loop's back-off laid over a plan    settling.py   what has to be found at a second look too
"""

from reconciler.plan.items import CONTEST, differing, fingerprint, level, recorded, writes_of
from reconciler.plan.making import make
from reconciler.plan.patience import patient, wish
from reconciler.plan.question import Question
from reconciler.plan.settling import Key, Standing, settled, to_stand
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
    "Key",
    "Plan",
    "Question",
    "Release",
    "Standing",
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
    "settled",
    "to_stand",
    "wish",
    "writes_of",
]
