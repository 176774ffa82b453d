"""What may be declared: one kind a file, each the only origin of its checks, its schema, its CRD and its reference text.

A kind module defines one pydantic model for `spec` and one `Kind` and is found by being in this folder. `Kind` also says
how a declaration maps onto an item of the platform, so that planning, applying and status need not know any kind by name:

    Resource --desired(now)--> Fields --+
                                         +-- differ? --> writes() --> Write, Write ...
    Snapshot --live(target)--> Fields --+

No I/O here, no clock: `now` is passed in.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar

from reconciler.finding import Location
from reconciler.kinds.common import PolicySpec, Spec, cited, uncited
from reconciler.state import NOTHING, Fields, Listing, Record, Snapshot, Target, Value, Write

API_GROUP: Final = "modelpolicy.dev"
API_VERSION: Final = f"{API_GROUP}/v1alpha1"

S = TypeVar("S", bound=Spec, covariant=True)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Resource(Generic[S]):
    """A declared document that passed its own kind's checks. `spec` is its kind's model, never changed after loading.

    `origin` is where the document starts; `positions` maps a path such as ("spec", "tokens") to its value's line and
    column. `created` and `uid` are set in a cluster only: the one decides which of two claimants is the older, the other tells a
    resource from one that was made again by the same name.
    """

    kind: str
    name: str
    spec: S
    origin: Location
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[Path, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    generation: int | None = None
    created: datetime | None = None
    uid: str = field(default="", repr=False)
    deleting: bool = False
    # Kind/name, or Kind/namespace/name in a cluster: unique in a valid set. Every step asks for it, so it is made once.
    address: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        namespace = f"{self.namespace}/" if self.namespace else ""
        object.__setattr__(self, "address", f"{self.kind}/{namespace}{self.name}")

    @property
    def cited(self) -> str:
        """The address and, where that does not say it already, the place in its file."""
        place = str(self.origin)
        return self.address if place == self.address else f"{self.address} ({place})"

    @property
    def account(self) -> str:
        """The key of the account this resource belongs to: the account's name, or namespace/name in a cluster."""
        if self.kind == "PlatformAccount":
            return f"{self.namespace}/{self.name}" if self.namespace else self.name
        if not isinstance(self.spec, PolicySpec):
            return ""
        ref = self.spec.account_ref
        namespace = ref.namespace or self.namespace
        return f"{namespace}/{ref.name}" if namespace else ref.name

    def at(self, *path: str | int) -> Location:
        """The location of the value at `path`, or of its nearest parent that is written down."""
        for length in range(len(path), 0, -1):
            position = self.positions.get(path[:length])
            if position:
                return Location(self.origin.file, *position)
        return self.origin


class Kind(Generic[S]):
    """A kind: its names and docs for schema and CRD, and how its declarations map onto items. One instance each."""

    name: ClassVar[str]
    plural: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]] = ()
    spec: ClassVar[type[Spec]]
    # The CRD's printer columns between Reason and Age: title and JSON path.
    columns: ClassVar[tuple[tuple[str, str], ...]] = ()
    # What `kubectl get --field-selector` may ask for: paths of fields that are text and stand directly in the resource.
    selectable: ClassVar[tuple[str, ...]] = ()
    # False for a kind that owns no item on the platform (PolicyConstraint); the methods below are then never called.
    governs: ClassVar[bool] = True
    # What each field is when nobody manages it: the platform's default. A revert without a known baseline goes here
    # where `revert_unknown` is True, and is left with a warning where it is False.
    default: ClassVar[Fields] = NOTHING
    revert_unknown: ClassVar[bool] = True
    # The list of the platform that names this kind's items: only where it is whole is an item known to be absent.
    listing: ClassVar[Listing] = Listing.MODELS
    # Whether an item belongs to the platform account as a whole: then all its parts (projects) share it (D17).
    account_wide: ClassVar[bool] = True

    def target(self, resource: "Resource[Any]", snapshot: Snapshot) -> Target | None:
        """The item that `resource` claims, or None where the platform has no such model or endpoint (or two by one name), and
        where a list that is not whole leaves open which item is meant."""
        raise NotImplementedError(self.name)

    def desired(self, resource: "Resource[Any]", now: datetime) -> Fields:
        """The fields this declaration manages, with the values it wants at `now`; what is not declared is left out."""
        raise NotImplementedError(self.name)

    def live(self, snapshot: Snapshot, target: Target) -> Fields:
        """Every field of the item as the snapshot has it, UNOBSERVABLE where it could not be seen."""
        raise NotImplementedError(self.name)

    def lowers(self, snapshot: Snapshot, target: Target, path: str, before: Value, after: Value) -> bool:  # noqa: ARG002
        """Whether the item allows less once its field at `path` is `after` instead of `before`; None is no bound. What cannot be
        told counts as less: a loop then looks twice before it writes."""
        if isinstance(before, bool) or isinstance(after, bool):
            return before is not after
        if isinstance(before, int) and isinstance(after, int):
            return after < before
        if isinstance(before, tuple) and isinstance(after, tuple):
            return not set(before) <= set(after)
        return after is not None

    def writes(self, target: Target, live: Fields, wanted: Fields) -> tuple[Write, ...]:
        """The calls that take the item from `live` to `wanted` (the fields to change only), in order; () if equal."""
        raise NotImplementedError(self.name)

    def exists(self, snapshot: Snapshot, target: Target) -> bool:
        """Whether the snapshot holds the item at all: `live` may be asked only then."""
        return target.name in snapshot.models

    def model(self, snapshot: Snapshot, target: Target) -> str:  # noqa: ARG002  # most items bear their model's name
        """The model the item belongs to, "" where it belongs to the whole account."""
        return target.name

    def title(self, snapshot: Snapshot, target: Target) -> str:  # noqa: ARG002  # most items have no other name
        """The item's name for people where the target's is an id, else ""."""
        return ""

    def expired(self, resource: "Resource[Any]", now: datetime) -> bool:  # noqa: ARG002  # most kinds never expire
        """Whether the declaration has ended by itself: what it wants at `now` is then the platform's default."""
        return False

    def renewal(self, resource: "Resource[Any]") -> str | None:  # noqa: ARG002  # most kinds have none
        """The string whose change asks for the same values to be set again, None where there is none."""
        return None

    def renews(self, resource: "Resource[Any]", record: Record) -> bool:
        """Whether the renewal asks for another set although the values are equal, by what is remembered of the item."""
        return renews(self.renewal(resource), record)

    def stamp(self, snapshot: Snapshot, target: Target) -> Fields:  # noqa: ARG002  # most items are told by their values
        """What tells an item from one that was set to the same values again; {} where equal values are the same item."""
        return NOTHING

    def irreversible(self, path: str, after: Value) -> str:  # noqa: ARG002  # most fields can be set back
        """Why the field could never be set back once it is `after`, as a sentence without its full stop; "" where it could."""
        return ""

    def earliest(self, snapshot: Snapshot, record: Record, wanted: Fields) -> datetime | None:  # noqa: ARG002
        """The earliest time at which the platform accepts `wanted` for the record's item, None: at any time."""
        return None

    @property
    def doc(self) -> str:
        """The reference text of the kind: its spec model's docstring, without the numbers of the facts it stands on."""
        return uncited(self.spec.__doc__ or "").strip()

    @property
    def facts(self) -> tuple[str, ...]:
        """The numbers of the facts that the kind stands on."""
        return cited(self.spec.__doc__ or "")


def renews(renewal: str | None, record: Record) -> bool:
    """Whether a declared renewal asks for another set. Without a memory of an earlier one there is nothing to differ from: what
    is equal is then adopted, not set again."""
    if renewal is None or record.renewal_unknown or not (record.owner or record.renewal):
        return False
    return renewal != record.renewal


@cache
def registry() -> Mapping[str, Kind[Spec]]:
    """Every kind by its name, sorted."""
    found: dict[str, Kind[Spec]] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if kind is not None:
            found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))


def normalised(resource: Resource[Spec]) -> dict[str, Any]:
    """The resource as plain JSON values with integer tokens and defaults filled in: what constraints see."""
    metadata: dict[str, Any] = {"name": resource.name}
    if resource.namespace:
        metadata["namespace"] = resource.namespace
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    if resource.annotations:
        metadata["annotations"] = dict(resource.annotations)
    return {
        "apiVersion": API_VERSION,
        "kind": resource.kind,
        "metadata": metadata,
        "spec": resource.spec.model_dump(mode="json", by_alias=True),
    }
