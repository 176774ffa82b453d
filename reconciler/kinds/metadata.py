"""The metadata of a declaration: its own name and labels, and what an API server adds to it, which nobody looks at."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from reconciler.kinds.common import ObjectName

_SERVER: Final = "Set by the API server; not looked at in files."

LabelValue = Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
MetadataKey = Annotated[str, Field(min_length=1, max_length=317)]


class Written(BaseModel):
    """What a person writes of a resource's metadata: most documents have no more."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    name: ObjectName = Field(
        description="The resource's own name, unique among its kind: lower-case letters, digits, hyphens and dots. It names "
        "the declaration, not the model."
    )
    namespace: ObjectName | None = Field(default=None, description="In a cluster: the namespace.")
    labels: Annotated[dict[MetadataKey, LabelValue], Field(max_length=64)] | None = Field(
        default=None, description="Labels, e.g. for PolicyConstraint's match."
    )
    annotations: Annotated[dict[MetadataKey, str], Field(max_length=256)] | None = Field(
        default=None,
        description='Annotations, e.g. modelpolicy.dev/protect: "true" (never reverted without a word from a person) or '
        'modelpolicy.dev/paused: "true" (left alone for now).',
    )


class Metadata(Written):
    """Who the resource is. What `kubectl get -o yaml` adds may stay; it is not looked at."""

    uid: Any = Field(default=None, description=_SERVER)
    resource_version: Any = Field(default=None, description=_SERVER)
    generation: Any = Field(default=None, description=_SERVER)
    generate_name: Any = Field(default=None, description=_SERVER)
    creation_timestamp: Any = Field(default=None, description=_SERVER)
    deletion_timestamp: Any = Field(default=None, description=_SERVER)
    deletion_grace_period_seconds: Any = Field(default=None, description=_SERVER)
    managed_fields: Any = Field(default=None, description=_SERVER)
    finalizers: Any = Field(default=None, description=_SERVER)
    owner_references: Any = Field(default=None, description=_SERVER)
    self_link: Any = Field(default=None, description=_SERVER)
