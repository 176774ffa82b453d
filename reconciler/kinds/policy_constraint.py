"""PolicyConstraint: the organisation's own rules over what is declared, as JSON Schema."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from reconciler.finding import Severity
from reconciler.kinds import Kind
from reconciler.kinds.common import Spec, Strict


class Scope(StrEnum):
    """What a constraint's schema is run over."""

    RESOURCE = "Resource"
    MODEL = "Model"


class ConstrainedKind(StrEnum):
    """The kinds that a constraint may match."""

    PLATFORM_ACCOUNT = "PlatformAccount"
    MODEL_ACTIVATION = "ModelActivation"
    INFERENCE_LIMIT = "InferenceLimit"
    ENDPOINT_RATE_OVERRIDE = "EndpointRateOverride"


class Match(Strict):
    """Which resources or models: each list that is given must match; nothing given matches all."""

    kinds: Annotated[tuple[ConstrainedKind, ...], Field(max_length=8)] | None = Field(
        default=None, description="Kinds to match (scope Resource); absent: every kind."
    )
    labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=32)] = Field(
        default_factory=dict,
        description="Labels the resource must carry. In scope Model: one of the model's resources must carry them.",
    )
    models: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=256)] | None = Field(
        default=None, description="Model names to match, with * and ? as wildcards; absent: every model."
    )


class PolicyConstraintSpec(Spec):
    """The organisation's own rule, as JSON Schema 2020-12. In scope Resource it runs over each matching resource, normalised
    (integer tokens, defaults filled in); in scope Model over {model, activation, limit, overrides[], observed{}}."""

    scope: Scope = Field(
        default=Scope.RESOURCE,
        description="Resource: the schema is run over each matching resource, as {kind, metadata, spec}. Model: over each model, "
        "declared joined with live, as {model, activation: {state, subServices}, limit: {tokens}, overrides: [{endpoint, rpm, tpm}], "
        "observed: {...}}; what there is none of is null.",
    )
    match: Match = Field(default=Match.model_construct(), description="What the schema is run over.")
    schema_: Annotated[dict[str, Any], Field(max_length=256)] = Field(
        alias="schema", description="A JSON Schema (2020-12) that a match must satisfy."
    )
    message: str = Field(min_length=1, max_length=1024, description="What to say when it is not met.")
    severity: Severity = Field(default=Severity.ERROR, description="error stops the resource's changes.")


class _PolicyConstraint(Kind[PolicyConstraintSpec]):
    name: ClassVar[str] = "PolicyConstraint"
    plural: ClassVar[str] = "policyconstraints"
    short_names: ClassVar[tuple[str, ...]] = ("pcon",)
    spec: ClassVar[type[Spec]] = PolicyConstraintSpec
    columns: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Target", ".spec.scope"),
        ("Desired", ".spec.severity"),
        ("Observed", ".status.refused"),
    )
    selectable: ClassVar[tuple[str, ...]] = ("spec.scope", "spec.severity")
    governs: ClassVar[bool] = False


KIND: Final = _PolicyConstraint()
