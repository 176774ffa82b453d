"""A document's tree becomes a resource, or findings and what is held; a foreign document becomes a note.

Broken is not absent: whatever cannot be read is held with as much of its kind, name and target as could be.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from reconciler.characters import straightened
from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import API_GROUP, API_VERSION, Kind, Resource, registry
from reconciler.kinds.common import Spec
from reconciler.kinds.declared import Held
from reconciler.kinds.metadata import Metadata, Written
from reconciler.load import credentials, foreign
from reconciler.load.messages import Path, Said, did_you_mean, explained, shown
from reconciler.load.positions import Places, of_tree
from reconciler.load.tree import Document, Node, Problem, Slip
from reconciler.reasons import Reason

_OURS: Final = ("apiVersion", "kind", "metadata", "spec")
_TOP: Final = frozenset((*_OURS, "status"))  # status is the controller's; what a file says there is ignored
_TELLING: Final = frozenset((*_OURS, "name", "namespace", "model", "endpoint", "id"))


_metadata_of: Final[Callable[[Any], Written]] = Written.__pydantic_validator__.validate_python


class Judged(NamedTuple):
    """What one document became: one of `resource`, `held`, `foreign` (its kind, for the note) and `passed` (why the rest of its file
    was not read), and the findings."""

    findings: tuple[Finding, ...] = ()
    resource: Resource[Any] | None = None
    held: Held | None = None
    foreign: str | None = None
    passed: str = ""
    location: Location | None = None


def good(document: Mapping[str, Any], origin: Location, positions: Places) -> Resource[Any] | None:
    """The resource that a document is, or None where anything is to be said about it, which `judge` does."""
    called, spec = document.get("kind"), document.get("spec")
    kind = registry().get(called) if isinstance(called, str) else None
    if kind is None or document.get("apiVersion") != API_VERSION or not document.keys() <= _TOP:
        return None
    try:
        # What `model_validate` does, without its checks of how it was called: this is asked of every document.
        metadata = _metadata_of(document.get("metadata"))
        known = kind.spec.__pydantic_validator__.validate_python({} if spec is None else spec)
    except ValidationError:
        return None
    return _resource(kind.name, metadata, known, origin, positions)


def judge(document: Document, file: str) -> Iterator[Judged]:
    """What a document became; a List of `kubectl get -o yaml` is as many documents as it has items, an empty one none."""
    broken = any(problem.rule in ("yaml-syntax", "too-complex") for problem in document.problems)
    root = document.root
    if root is not None and root.items is None and not broken and _is_list(root):
        items = root.get("items")
        members = items.items if items is not None and items.items is not None else []
        for item, problems in zip(members, _shares(document, members), strict=True):
            yield _judge(Document(item, problems, document.duplicates, item.line), file, broken=False)
        return
    if root is None and not document.problems:
        return
    if (
        root is not None
        and root.entries is None
        and root.items is None
        and root.value is None
        and not document.problems
    ):
        return
    yield _judge(document, file, broken)


def _shares(document: Document, members: list[Node]) -> list[list[Problem]]:
    """The problems of each item of a List: those that stand in it; all of them where nobody can tell in which they stand."""
    starts = [(item.line, item.column) for item in members]
    if any(one >= other for one, other in pairwise(starts)):
        return [document.problems for _ in members]
    shares: list[list[Problem]] = [[] for _ in members]
    for problem in document.problems:
        place = bisect_right(starts, (problem.line, problem.column)) - 1
        if members:
            shares[max(place, 0)].append(problem)
    return shares


def _is_list(root: Node) -> bool:
    kind, version = root.text("kind"), root.text("apiVersion")
    return (
        kind.endswith("List")
        and (version == "v1" or version.startswith(f"{API_GROUP}/"))
        and "items" in (root.entries or ())
    )


def _judge(document: Document, file: str, broken: bool) -> Judged:
    root = document.root
    location = Location(file, root.line, root.column) if root is not None else Location(file, document.line, 1)
    if not broken and root is not None and root.entries is not None:
        kind = foreign.kind_of({key: value.value for key, (_, value) in root.entries.items()}, file)
        if kind is not None:
            return Judged(foreign=kind, location=location)
    held = _held(document, location)
    remarks = tuple(_remark(each, file) for each in document.problems if each.severity is not Severity.ERROR)
    problems = [each for each in document.problems if each.severity is Severity.ERROR]
    if root is None and not problems:
        return Judged(remarks, location=location)
    said = [Said(problem.rule, (), problem.message, problem.hint) for problem in problems]
    places = [Location(file, problem.line, problem.column) for problem in problems]
    resource: Resource[Any] | None = None
    if root is not None and root.entries is None and not broken:
        said.append(Said("not-a-mapping", (), f"the document is {_what(root)}, not a mapping",
                         "a declaration has apiVersion, kind, metadata and spec"))  # fmt: skip
        places.append(location)
    elif root is not None and not broken:
        wrong, resource = _without_credentials(root, *_checked(root, location))
        # What the text of a value is already refused for is not refused again for its type.
        fresh = [(one, place) for one in wrong if (place := _place(root, one, file)) not in places]
        said += [one for one, _ in fresh]
        places += [place for _, place in fresh]
    if said and document.slips and root is not None:
        said, places = _without_followers(root, document.slips, list(zip(said, places, strict=True)), file)
    if said:
        address = f"{held.kind}/{held.name}" if held.kind and held.name else None
        findings = tuple(_finding(one, place, address) for one, place in zip(said, places, strict=True))
        remarks = tuple(one for one in remarks if one.rule != "look-alike" or one.location not in places)
        return Judged(findings + remarks, held=held, location=location)
    return Judged(remarks, resource=resource, location=location)


def _without_followers(
    root: Node, slips: Iterable[Slip], said: list[tuple[Said, Location]], file: str
) -> tuple[list[Said], list[Location]]:
    """The slips, each told once and first, and what is wrong beside what follows from them."""
    kept = said
    for slip in slips:
        line = slip.problem.line
        missing = f"{slip.key}` is missing"
        kept = [
            (one, place)
            for one, place in kept
            if not (one.rule == "yaml-syntax" and line <= place.line <= line + 1)
            and not (slip.key and one.rule == "missing-field" and one.message.endswith(missing))
            and slip.written not in one.message + _written(root, one.path)
            and not (one.rule == "unknown-field" and straightened(str(one.path[-1])).strip() == slip.key)
        ]
    told = [
        (
            Said(slip.problem.rule, (), slip.problem.message, slip.problem.hint),
            Location(file, slip.problem.line, slip.problem.column),
        )
        for slip in slips
    ]
    both = [*told, *kept]
    return [one for one, _ in both], [place for _, place in both]


def _written(root: Node, path: Path) -> str:
    """How the plain value at a path is written, "" where there is none."""
    node = root.get(*map(str, path)) if path else None
    return node.source if node is not None else ""


def _without_credentials(
    root: Node, said: list[Said], resource: Resource[Any] | None
) -> tuple[list[Said], Resource[Any] | None]:
    """The same with what looks like a key refused as that, and by nothing that might repeat it."""
    keys = list(credentials.found(root))
    if not keys:
        return said, resource
    paths = {key.path for key in keys}
    return [*keys, *(one for one in said if one.path not in paths)], None


def _remark(problem: Problem, file: str) -> Finding:
    place = Location(file, problem.line, problem.column)
    return Finding(problem.rule, problem.severity, problem.message, problem.hint, place)


def _finding(said: Said, place: Location, address: str | None) -> Finding:
    return Finding(said.rule, Severity.ERROR, said.message, said.hint, place, address, Reason.RULE_VIOLATION)


def _what(root: Node) -> str:
    return "a list" if root.items is not None else shown(root.value)


def _held(document: Document, location: Location) -> Held:
    """What could be read of a document for certain: nothing that stands on or after a line that broke, nothing doubled."""
    root = document.root
    if root is None or document.duplicates & _TELLING:
        return Held(location)
    end = min((p.line for p in document.problems if p.rule in ("yaml-syntax", "too-complex")), default=None)

    def text(*path: str) -> str:
        node = root.get(*path)
        return root.text(*path) if node is not None and (end is None or node.line < end) else ""

    kind = text("kind")
    if kind not in registry():
        return Held(location, "", text("metadata", "name"))
    target = text("spec", "model") or text("spec", "endpoint", "id") or text("spec", "endpoint", "name")
    return Held(location, kind, text("metadata", "name"), target)


def _checked(root: Node, location: Location) -> tuple[list[Said], Resource[Any] | None]:
    """Everything wrong with a mapping that is meant to be ours, or the resource it is."""
    said = list(_envelope(root))
    kind = registry().get(root.text("kind"))
    metadata = _metadata(root, said)
    spec = _spec(root, kind, said) if kind is not None else None
    if said or metadata is None or spec is None or kind is None:
        return said, None
    return said, _resource(kind.name, metadata, spec, location, of_tree(root))


def _resource(kind: str, metadata: Written, spec: Spec, origin: Location, positions: Places) -> Resource[Any]:
    labels, annotations = metadata.labels or {}, metadata.annotations or {}
    return Resource(kind, metadata.name, spec, origin, metadata.namespace, labels, annotations, positions)


def _envelope(root: Node) -> Iterator[Said]:
    """The keys of the top level, apiVersion and kind."""
    assert root.entries is not None
    kind = registry().get(root.text("kind"))
    inner = [field.alias or name for name, field in kind.spec.model_fields.items()] if kind else []
    for key in root.entries:
        if key not in _TOP:
            hint = f"`{key}` belongs under spec" if key in inner else did_you_mean(key, _OURS)
            yield Said("unknown-field", (key,), f"`{key[:80]}` is not a field", hint, on_key=True)
    for name, wanted in (("apiVersion", API_VERSION), ("kind", ", ".join(registry()))):
        node = root.get(name)
        if node is None:
            yield Said(
                "missing-field",
                (),
                f"`{name}` is missing",
                f"it is {wanted}" if name == "apiVersion" else f"one of {wanted}",
            )
        elif not isinstance(node.value, str):
            yield Said("wrong-type", (name,), f"`{name}` is {shown(node.plain())}; it must be text")
    version, called = root.text("apiVersion"), root.text("kind")
    if version and version != API_VERSION:
        yield Said("wrong-api-version", ("apiVersion",), f"`apiVersion` is {shown(version)}", f"write {API_VERSION}")
    elif called and kind is None:
        yield Said(
            "unknown-kind", ("kind",), f"{shown(called)} is not a kind of {API_GROUP}", did_you_mean(called, registry())
        )


def _metadata(root: Node, said: list[Said]) -> Metadata | None:
    node = root.get("metadata")
    if node is None:
        said.append(
            Said("missing-field", (), "`metadata` is missing", "give the resource a name: metadata: {name: ...}")
        )
        return None
    try:
        return Metadata.model_validate(node.plain())
    except ValidationError as error:
        said.extend(explained(error, Metadata, ("metadata",)))
        return None


def _spec(root: Node, kind: Kind[Spec], said: list[Said]) -> Spec | None:
    """The spec by its kind's model. One that may be empty may be left out."""
    node = root.get("spec")
    value = {} if node is None or (node.value is None and node.entries is None and node.items is None) else node.plain()
    try:
        return kind.spec.model_validate(value)
    except ValidationError as error:
        if node is None:
            said.append(Said("missing-field", (), "`spec` is missing", f"see `modelpolicy explain {kind.name}`"))
        else:
            said.extend(explained(error, kind.spec, ("spec",), lambda path: _written(root, path)))
        return None


def _place(root: Node, said: Said, file: str) -> Location:
    """Where a refusal points: the value (or key) at its path, or the nearest parent that is written down."""
    node, key = root, root
    for step in said.path:
        if isinstance(step, int) and node.items is not None and step < len(node.items):
            node = key = node.items[step]
        elif isinstance(step, str) and node.entries is not None and step in node.entries:
            key, node = node.entries[step]
        else:
            break
    at = key if said.on_key else node
    return Location(file, at.line, at.column)
