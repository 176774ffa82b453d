"""A declared activation is of a model that free-tokens-only (安心体验模式) does not cover (D6).

Why: the mode keeps models from being billed, but not embedding models, video generation and simultaneous interpretation: once
activated, these are billed beyond their free quota as on any other account.
What to do: nothing where that is meant; else do not activate the model, or give it a limit where it takes one.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.kinds.model_activation import DesiredState
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen
from reconciler.state import Model

# No task type of simultaneous interpretation is known; speech to speech stands for it.
NOT_COVERED: Final = frozenset(
    (
        "Embedding",
        "TextEmbedding",
        "ImageEmbedding",
        "MultimodalEmbedding",
        "TextToVideo",
        "ImageToVideo",
        "SpeechToSpeech",
    )
)


def _check(context: Context) -> Iterator[Finding]:
    declared, snapshot = context.account.spec.free_tokens_only, seen(context)
    if not (declared or (declared is None and snapshot.switches.free_tokens_only is True)):
        return
    for resource in context.declared.activations:
        model = snapshot.models.get(resource.spec.model)
        what = _outside(model) if model is not None else ""
        if what and resource.spec.state is DesiredState.ACTIVATED:
            yield RULE.finding(
                f"free-tokens-only does not cover {resource.spec.model} ({what}): beyond its free quota it is billed",
                resource,
                resource.at("spec", "model"),
            )


def _outside(model: Model) -> str:
    """What of the model is outside the mode, "" where nothing is."""
    return next((kind for kind in (model.domain, *model.task_types) if kind in NOT_COVERED), "")


RULE = Rule(
    id="outside-free-tokens-only",
    severity=Severity.WARNING,
    source=("D6",),
    check=_check,
    needs_platform=True,
)
