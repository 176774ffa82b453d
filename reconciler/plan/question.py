"""What a plan is asked for: one account's whole set, as declared, as seen and as remembered. No decisions on items here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from reconciler import isolation
from reconciler.finding import Finding, Severity
from reconciler.identity import Match, compare
from reconciler.kinds import Kind, Resource, registry
from reconciler.kinds.annotations import ATTESTED, PAUSED, PROTECT, TICKET
from reconciler.kinds.common import Spec
from reconciler.kinds.declared import NO_SET, DeclarationSet, Declared, Held, matches_name, observes
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.reasons import Reason
from reconciler.state import Capability, History, Operation, Record, Snapshot, Support, Target

_OF_ACCOUNT: Final = (Reason.CONFLICTED, Reason.ACCOUNT_CHANGED)  # while they hold, nothing of the account is written


@dataclass(frozen=True, kw_only=True)  # no slots: indexes are kept once asked for
class Question:
    """All that a plan is made from. `declared` is this account's set; `targets` are "Kind" or "Kind/name" of `--target`;
    `declaration_set` is whose declarations these are. `snapshot` None: the platform could not be seen, so nothing is planned.
    """

    account: Resource[PlatformAccountSpec]
    declared: Declared
    snapshot: Snapshot | None
    now: datetime
    history: History = field(default_factory=History)
    capabilities: Mapping[Operation, Support] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    inputs_digest: str = ""
    prune: bool = False
    declaration_set: DeclarationSet = NO_SET
    targets: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()  # those of this run's PATHs under which no document was found, for whichever account

    @cached_property
    def broken(self) -> frozenset[str]:
        """Addresses of the resources that an error finding stops."""
        return frozenset(
            found.resource for found in self.findings if found.severity is Severity.ERROR and found.resource is not None
        )

    @cached_property
    def governing(self) -> tuple[Resource[Any], ...]:
        """The resources that govern an item, by address; what is being deleted is declared no longer."""
        kinds = registry()
        mine = (
            resource for resource in self.declared.resources if kinds[resource.kind].governs and not resource.deleting
        )
        return tuple(sorted(mine, key=lambda resource: (resource.address, resource.origin)))

    @cached_property
    def by_address(self) -> Mapping[str, Resource[Any]]:
        """The governing resources by address; of two by one address the first."""
        return {each.address: each for each in reversed(self.governing)}

    @cached_property
    def claims(self) -> Mapping[str, Target | None]:
        """The item that each governing resource claims, by address; None where the platform has no such item, or where that
        could not be told."""
        return {address: None if isinstance(item, isolation.Failed) else item for address, item in self._items.items()}

    @cached_property
    def unplaced(self) -> Mapping[str, isolation.Failed]:
        """The governing resources whose item could not be told, by address: any item of their kind may be theirs."""
        return {address: item for address, item in self._items.items() if isinstance(item, isolation.Failed)}

    @cached_property
    def _items(self) -> Mapping[str, Target | isolation.Failed | None]:
        return {each.address: isolation.attempt(self._target_of, each) for each in self.governing}

    def _target_of(self, resource: Resource[Any]) -> Target | None:
        if self.snapshot is None:
            return None
        return registry()[resource.kind].target(resource, self.snapshot)

    def record(self, target: Target) -> Record:
        """What is remembered of the item; an empty record where nothing is."""
        return self.history.records.get(target) or Record(target=target)

    def capability(self, operation: Operation) -> Capability:
        """How the operation is done; native where the platform said nothing of it."""
        support = self.capabilities.get(operation)
        return support.capability if support else Capability.NATIVE

    def chosen(self, *words: str) -> bool:
        """Whether `--target` lets one of these addresses through: by its kind, or by all of it."""
        return not self.targets or any(word in self.targets or word.split("/")[0] in self.targets for word in words)

    def owns(self, record: Record) -> bool:
        """Whether a remembered item is this set's. What was remembered without a set is claimed by declaring its owner's
        address on that very item, and by nothing else."""
        if not record.owner:
            return False
        return record.set_name == self.declaration_set.name or self.claims_unset(record)

    def claims_unset(self, record: Record) -> bool:
        """Whether this run claims what was remembered before sets had names."""
        return bool(record.owner) and not record.set_name and self.claims.get(record.owner) == record.target

    def is_unclaimed(self, record: Record) -> bool:
        """Whether the item was remembered before sets had names, and this run does not claim it."""
        return bool(record.owner) and not record.set_name and not self.owns(record)

    def covers(self, record: Record) -> bool:
        """Whether the item was declared by this set, and under the PATHs of this run."""
        return record.set_name == self.declaration_set.name and self.declaration_set.covers(record.source)

    def left_alone(self, resource: Resource[Any]) -> bool:
        """Whether the resource itself keeps its item from being written: broken, observed, paused, or held by another."""
        return (
            resource.address in self.broken
            or observes(self.account, resource)
            or paused(resource)
            or self._account_alone
            or (bool(self._unusable) and self._held_by_constraint(resource))
            or (bool(self.declared.held) and self._held(resource))
        )

    @cached_property
    def _account_alone(self) -> bool:
        """Whether the account keeps all its items from being written."""
        return paused(self.account) or self.holds_account

    def _held(self, resource: Resource[Any]) -> bool:
        """Whether a held document is the resource, or names its item."""
        addresses, items = self._held_names
        return (
            bool(
                {("", resource.kind, resource.name), (resource.namespace or "", resource.kind, resource.name)}
                & addresses
            )
            or resource.namespace in self._closed
            or (
                bool(items)
                and any((kind, name) in items for kind in ("", resource.kind) for name in self._names_of(resource))
            )
        )

    @cached_property
    def _closed(self) -> frozenset[str]:
        """The namespaces with a constraint that cannot be read: it might forbid what is declared there."""
        return frozenset(held.namespace for held in self.declared.held if held.kind == "PolicyConstraint")

    @cached_property
    def _held_names(self) -> tuple[frozenset[tuple[str, str, str]], frozenset[tuple[str, str]]]:
        """What held documents are, and which items they name; without a readable kind an item may be of any."""
        held = self.declared.held
        return (
            frozenset((each.namespace, each.kind, each.name) for each in held),
            frozenset((each.kind, each.target) for each in held if each.target),
        )

    @cached_property
    def holds_account(self) -> bool:
        """Whether the whole account stays untouched: it is another account's too, or another than is remembered, or its
        PlatformAccount is held, or a constraint is that nobody can read and that might therefore forbid anything."""
        return self.account_error is not None or any(map(self._holds_account, self.declared.held))

    def _holds_account(self, held: Held) -> bool:
        if held.kind == "PolicyConstraint":
            return held.namespace in ("", self.account.namespace)
        return held.kind == "PlatformAccount" and held.name in ("", self.account.name)

    @cached_property
    def account_error(self) -> Finding | None:
        """The error that says that the account itself is not certainly this declaration set's to write to."""
        mine = (found for found in self.findings if found.resource == self.account.address)
        errors = (found for found in mine if found.severity is Severity.ERROR)
        return next((found for found in errors if found.reason in _OF_ACCOUNT), None)

    @cached_property
    def no_reverts(self) -> str:
        """Why nothing is reverted for want of a declaration in this pass, "" where it may be."""
        if not self.declared.complete:
            return "something could not be read, so what is missing may only be unreadable"
        if self.account_error is not None:
            return self.account_error.message
        if self.snapshot is not None and compare(self.history.identity, self.snapshot.identity) is Match.UNPROVEN:
            return f"whether {self.account.name} is still the account that is remembered cannot be told"
        unclear = next((held for held in self.declared.held if held.may_govern_anything), None)
        return f"{unclear.location} could not be understood and may declare it" if unclear else ""

    def held_record(self, record: Record, names: frozenset[str]) -> Held | None:
        """The held document that may still declare a remembered item: by address, by item, by being the same file, or by being
        of the item's kind without saying of which item."""
        for held in self.declared.held:
            same_address = (
                bool(held.name) and record.owner.split("/")[0] == held.kind and _last(record.owner) == held.name
            )
            of_any_item = not held.target and held.kind == record.target.kind
            if (
                same_address
                or of_any_item
                or _names(held, record.target.kind, names)
                or _same_file(record.source, held.location.file)
            ):
                return held
        return None

    def _names_of(self, resource: Resource[Any]) -> frozenset[str]:
        """What a held document could call the item of this resource, and the resource itself."""
        target = self.claims.get(resource.address)
        return item_names(self.snapshot, target) if target is not None else frozenset()

    def _held_by_constraint(self, resource: Resource[Any]) -> bool:
        return any(could_match(constraint, resource, self._model_of(resource)) for constraint in self._unusable)

    @cached_property
    def _unusable(self) -> tuple[Resource[Any], ...]:
        """The constraints whose errors make them unusable; one that only warns stops nothing either way."""
        errors = (each for each in self.declared.constraints if each.spec.severity is Severity.ERROR)
        return tuple(each for each in errors if each.address in self.broken)

    def _model_of(self, resource: Resource[Any]) -> str | None:
        target = self.claims.get(resource.address)
        if target is None or self.snapshot is None:
            return None
        return kind_of_item(target).model(self.snapshot, target)


def kind_of_item(target: Target) -> Kind[Spec]:
    """The kind that governs an item."""
    return registry()[target.kind]


def paused(resource: Resource[Any]) -> bool:
    """Whether a person paused the resource by annotation."""
    return resource.annotations.get(PAUSED) == "true"


def protected(resource: Resource[Any]) -> bool:
    """Whether a person protects the resource's item from being reverted."""
    return resource.annotations.get(PROTECT) == "true"


def ticket(resource: Resource[Any]) -> str:
    """What a person asked the platform for, and where; "" where nobody said so."""
    return resource.annotations.get(TICKET, "").strip()


def attested_by(resource: Resource[Any]) -> str:
    """Who says, by annotation, that they did by hand what the resource declares, "GENERATION: WHO"; "" where nobody does, and
    where it was said of another generation of it."""
    generation, _, who = resource.annotations.get(ATTESTED, "").partition(":")
    return who.strip() if resource.generation is not None and generation.strip() == str(resource.generation) else ""


def item_names(snapshot: Snapshot | None, target: Target) -> frozenset[str]:
    """What people call an item: its id, and its title where the platform has one."""
    names = {target.name}
    if snapshot is not None and kind_of_item(target).exists(snapshot, target):
        names.add(kind_of_item(target).title(snapshot, target))
    return frozenset(names - {""})


def _names(held: Held, kind: str, names: frozenset[str]) -> bool:
    """Whether a held document names the item; without a readable kind it may be of any."""
    return bool(held.target) and held.target in names and held.kind in ("", kind)


def _last(address: str) -> str:
    return address.rsplit("/", 1)[-1]


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the name of a POSIX path; "" and "." have none."""
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _same_file(source: str, file: str) -> bool:
    """Whether a remembered source and a file as the user gave it may be one: either may have more leading folders."""
    ours, theirs = _parts(source), _parts(file)
    shared = min(len(ours), len(theirs))
    return shared > 0 and ours[-shared:] == theirs[-shared:]


def could_match(constraint: Resource[Any], resource: Resource[Any], model: str | None) -> bool:
    """Whether an unusable constraint might have had a say on the resource; a model that is not known might match."""
    spec, match = constraint.spec, constraint.spec.match
    spaces = (None, resource.namespace, resource.account.partition("/")[0])
    if constraint.namespace not in spaces:
        return False  # in a cluster it governs its own namespace, and what is on an account there
    if model is not None and not matches_name(model, match.models):
        return False
    if spec.scope.value == "Model":
        return True  # its labels may be carried by any resource of the model
    kinds_match = match.kinds is None or resource.kind in {kind.value for kind in match.kinds}
    return kinds_match and all(resource.labels.get(key) == value for key, value in match.labels.items())
