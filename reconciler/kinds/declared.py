"""The declared set: every resource that loaded, everything that did not, and the indexes that keep later steps linear."""

import fnmatch
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from reconciler.finding import Location
from reconciler.kinds import Resource
from reconciler.kinds.common import Management
from reconciler.kinds.endpoint_rate_override import EndpointRateOverrideSpec
from reconciler.kinds.inference_limit import InferenceLimitSpec
from reconciler.kinds.model_activation import ModelActivationSpec
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.kinds.policy_constraint import PolicyConstraintSpec

DEFAULT_ACCOUNT: Final = "default"
# What stands in where files declare no account at all.
IMPLIED: Final = Resource(
    "PlatformAccount", DEFAULT_ACCOUNT, PlatformAccountSpec.model_construct(), Location("(no PlatformAccount declared)")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationSet:
    """Whose declarations a run carries, and which part of them.

    `name` is the set's, "" in a cluster, where ownership stays with the resource. `under` are the PATHs of this run relative to
    the set's root ("." is all of it): only what was declared under them is pruned. `prefix` is the working directory's place
    below the root, and absolute where it is not below it; `root` is the root itself where names may be absolute, else "".
    """

    name: str = ""
    under: tuple[str, ...] = ()
    prefix: str = ""
    root: str = ""

    def source(self, file: str) -> str:
        """A file as the user gave it, relative to the root."""
        path = posixpath.normpath(posixpath.join(self.prefix, file))
        inside = self.root and path.startswith(f"{self.root.rstrip('/')}/")
        return posixpath.relpath(path, self.root) if inside else path

    def covers(self, source: str) -> bool:
        """Whether a declaring file, relative to the root, is under the PATHs of this run."""
        path = _parts(source)
        return bool(path) and any(path[: len(base)] == base for base in map(_parts, self.under))


NO_SET: Final = DeclarationSet()  # in a cluster, where a resource owns its item


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the name of a POSIX path; "" and "." have none."""
    return tuple(part for part in path.split("/") if part not in ("", "."))


@dataclass(frozen=True, slots=True)
class Held:
    """A document that could not be loaded or checked: what it may govern stays untouched (broken is not absent).

    `kind` and `name` are "" where they could not be read; `target` is the model, endpoint id or endpoint name it names,
    or "". A held document without a kind, or a held PolicyConstraint, may govern anything. In a cluster an object's `namespace`
    and the key of its `account` are known (else ""), and it holds nothing of others.
    """

    location: Location
    kind: str = ""
    name: str = ""
    target: str = ""
    namespace: str = ""
    account: str = ""

    @classmethod
    def of(cls, resource: Resource[Any]) -> "Held":
        """A resource of a file that was understood and is held nevertheless."""
        endpoint = getattr(resource.spec, "endpoint", None)
        named = (
            getattr(resource.spec, "model", None) or getattr(endpoint, "id", None) or getattr(endpoint, "name", None)
        )
        return cls(resource.origin, resource.kind, resource.name, str(named or ""))

    def concerns(self, account: str, namespace: str | None) -> bool:
        """Whether it may be of the account by that key, in that namespace."""
        if self.kind == "PolicyConstraint":
            return self.namespace in ("", namespace)
        return self.account in ("", account)

    @property
    def may_govern_anything(self) -> bool:
        return not self.kind or self.kind in ("PolicyConstraint", "PlatformAccount")


@dataclass(frozen=True)  # no slots: indexes are kept once asked for
class Declared:
    """What the sources declare. `complete` False: something could not be read at all, so nothing is reverted this pass.
    `implied` False: there is no account but those that are declared. `stored`: it was accepted before this run, by a cluster or
    by whoever put it where a loop reads it, so what only a reviewer can mend stops nothing.

    `sources` maps each file that was read to the SHA-256 of its bytes; `resources` are in the order of file, then place.
    """

    resources: tuple[Resource[Any], ...] = ()
    held: tuple[Held, ...] = ()
    complete: bool = True
    implied: bool = True
    stored: bool = False
    sources: tuple[tuple[str, str], ...] = ()

    def _of(self, kind: str) -> tuple[Resource[Any], ...]:
        return self.by_kind.get(kind, ())

    @cached_property
    def by_kind(self) -> Mapping[str, tuple[Resource[Any], ...]]:
        return _grouped((resource.kind, resource) for resource in self.resources)

    @property
    def activations(self) -> tuple[Resource[ModelActivationSpec], ...]:
        return self._of("ModelActivation")

    @property
    def limits(self) -> tuple[Resource[InferenceLimitSpec], ...]:
        return self._of("InferenceLimit")

    @property
    def overrides(self) -> tuple[Resource[EndpointRateOverrideSpec], ...]:
        return self._of("EndpointRateOverride")

    @property
    def constraints(self) -> tuple[Resource[PolicyConstraintSpec], ...]:
        return self._of("PolicyConstraint")

    @cached_property
    def accounts(self) -> Mapping[str, Resource[PlatformAccountSpec]]:
        """Accounts by key. Without any declared account there is `default`, on the embedded platform."""
        found = {resource.account: resource for resource in self._of("PlatformAccount")}
        if not found and self.implied:
            found[DEFAULT_ACCOUNT] = IMPLIED
        return found

    @cached_property
    def activations_by_model(self) -> Mapping[str, tuple[Resource[ModelActivationSpec], ...]]:
        return _grouped((resource.spec.model, resource) for resource in self.activations)

    @cached_property
    def limits_by_model(self) -> Mapping[str, tuple[Resource[InferenceLimitSpec], ...]]:
        return _grouped((resource.spec.model, resource) for resource in self.limits)

    def for_account(self, account: str) -> "Declared":
        """The same set with only what belongs to `account`, beside the constraints, which belong to no account.

        Asked again it is the same value, with the indexes it has built since.
        """
        known = self._for_account.get(account)
        if known is None:
            mine = sorted({*self._by_account.get(account, ()), *self._by_account.get("", ())})
            resources = tuple(self.resources[place] for place in mine)
            # A constraint that nobody can read might forbid whatever it could govern: its own namespace's resources too.
            spaces = {each.namespace for each in resources if each.kind != "PolicyConstraint"}
            held = tuple(each for each in self.held if any(each.concerns(account, space) for space in spaces or {None}))
            # Most sets have one account: the indexes of the whole set do for it.
            whole = len(resources) == len(self.resources) and len(held) == len(self.held)
            known = self if whole else replace(self, resources=resources, held=held)
            self._for_account[account] = known
        return known

    @cached_property
    def _for_account(self) -> dict[str, "Declared"]:
        return {}

    @cached_property
    def _by_account(self) -> Mapping[str, list[int]]:
        """The places of each account's resources, and of the constraints under ""."""
        found: dict[str, list[int]] = {}
        for place, resource in enumerate(self.resources):
            found.setdefault("" if resource.kind == "PolicyConstraint" else resource.account, []).append(place)
        return found


def observes(account: Resource[PlatformAccountSpec], resource: Resource[Any]) -> bool:
    """Whether this resource is never written: Observe on the account or on the resource beats Manage."""
    own = getattr(resource.spec, "management", None)
    return Management.OBSERVE in (account.spec.management, own)


def matches_name(name: str, patterns: Iterable[str] | None) -> bool:
    """Whether a model name matches one of the patterns with * and ?; no patterns match everything."""
    return patterns is None or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _grouped(pairs: Iterable[tuple[str, Resource[Any]]]) -> Mapping[str, tuple[Resource[Any], ...]]:
    found: dict[str, list[Resource[Any]]] = {}
    for key, resource in pairs:
        found.setdefault(key, []).append(resource)
    return {key: tuple(resources) for key, resources in found.items()}
