"""Models of some modalities take no inference limit (S24): speech, vision (image and video models), multimodal embedding.

Why: the platform refuses the setting. A language model that also sees (VLM) is a language model. The list is the platform's
and changes: it is a dated table in this rule. A digest of the page of 2026-08-13 names speech and multimodal embedding only.
What to do: remove the limit, and watch the model's use instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule
from reconciler.rules.common import live_limits
from reconciler.state import Model


@dataclass(frozen=True, slots=True)
class Unsupported:
    """One row of the platform's list: a domain or a task type ("" is no condition), its word, and where it was read."""

    word: str
    domain: str = ""
    task: str = ""
    source: str = "docs/82379/1159200, model type limits"
    read: date = date(2026, 11, 23)


UNSUPPORTED: Final = (
    Unsupported("speech", domain="Audio"),
    Unsupported("vision", domain="ComputerVision"),
    Unsupported("multimodal embedding", task="MultimodalEmbedding"),
)


def _row(model: Model) -> Unsupported | None:
    rows = (row for row in UNSUPPORTED if (row.domain and row.domain == model.domain) or row.task in model.task_types)
    return next(rows, None)


def _check(context: Context) -> Iterator[Finding]:
    for limit, model in live_limits(context):
        row = _row(model)
        if row is not None:
            yield RULE.finding(
                f"{model.name} is a {row.word} model; the platform takes no limit for those (list of {row.read})",
                limit,
                limit.at("spec", "model"),
                hint="Remove this limit.",
            )


RULE = Rule(
    id="limit-unsupported-modality",
    severity=Severity.ERROR,
    reason=Reason.RULE_VIOLATION,
    source=("S24",),
    phrase="语音、视觉、多模态向量化模型暂不支持设置推理限额",
    check=_check,
    needs_platform=True,
)
