"""What is live becomes what is declared: new documents for what nobody declared, changed values where files say otherwise.

Pure: a snapshot and the files' texts in, the files to write out. After it, planning the files against the same snapshot
finds nothing to do. What cannot be seen is not declared; what cannot be changed in place is told, never guessed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from reconciler.kinds import API_VERSION, Resource, registry
from reconciler.kinds.declared import DEFAULT_ACCOUNT, Declared
from reconciler.load import edit
from reconciler.load.edit import Edit, Plain, Uneditable
from reconciler.plan.items import differing
from reconciler.state import UNOBSERVABLE, ActivationState, Endpoint, Fields, Limit, Model, Rate, Snapshot, Target

_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SERVICES: Final = frozenset({"context-cache", "fast-infer"})
# The fields without which a document says nothing: when they are all absent live, the document goes.
_CORE: Final = {"InferenceLimit": ("tokens",), "EndpointRateOverride": ("rpm", "tpm")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is live on one account, what is declared already, and the texts by name. `folder` is where new files go."""

    account: str
    snapshot: Snapshot
    declared: Declared
    texts: Mapping[str, bytes]
    folder: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files to write, by name, new or changed; and what a person has to know."""

    files: Mapping[str, bytes]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    kind: str
    name: str
    spec: tuple[tuple[str, Plain | Mapping[str, str]], ...]


def adopt(live: Live) -> Adoption:
    """The declarations that make the files equal to what is live. The same live state and files give the same bytes."""
    notes = [
        f"the list of {listing.value} is not whole, so what it does not name is not written ({why})"
        for listing, why in sorted(live.snapshot.not_whole.items())
    ]
    files = dict(live.texts)
    mine = [each for each in live.declared.for_account(live.account).resources if registry()[each.kind].governs]
    claims = {each.address: registry()[each.kind].target(each, live.snapshot) for each in mine}
    edits: dict[str, list[Edit]] = {}
    for resource in mine:
        change = _adapted(live, resource, claims[resource.address], notes)
        if change is not None:
            edits.setdefault(resource.origin.file, []).append(change)
    for name, changes in edits.items():
        files[name] = edit.rewrite(files[name], changes)
    taken = {target for target in claims.values() if target is not None}
    taken |= {target for each in mine if claims[each.address] is None for target in _possible(each, live.snapshot)}
    homes = _homes(live, mine, claims)
    names = {each.address for each in live.declared.resources}
    for model, documents in _missing(live.snapshot, taken, names, notes):
        _add(live, homes.get(model) or _file(live, model), documents, files)
    changed = {name: content for name, content in sorted(files.items()) if live.texts.get(name) != content}
    return Adoption(changed, tuple(notes))


def _possible(resource: Resource[Any], snapshot: Snapshot) -> Iterable[Target]:
    """The items that a declaration may mean though it cannot be told which: they are declared, so no document is added."""
    ref = getattr(resource.spec, "endpoint", None)
    ids = snapshot.endpoint_ids_by_name.get(ref.name or "", ()) if ref is not None else ()
    return (Target(resource.kind, id_) for id_ in ids)


def _adapted(live: Live, resource: Resource[Any], target: Target | None, notes: list[str]) -> Edit | None:
    """The edit that makes one declaration say what is live; None where it does, or where a person has to."""
    if target is None:
        unproven = live.snapshot.absence_unproven(registry()[resource.kind].listing)
        why = "names an item that the list does not tell for certain" if unproven else "names nothing that is live"
        notes.append(f"{resource.cited} {why}; it is left as it is")
        return None
    kind = registry()[resource.kind]
    seen, wanted = kind.live(live.snapshot, target), kind.desired(resource, live.now)
    changes = differing(target, seen, wanted)
    if not changes:
        return None
    change = _edit(resource, seen, wanted, expired=kind.expired(resource, live.now))
    try:
        _editable(resource, seen)
        edit.rewrite(live.texts[resource.origin.file], [change])
    except Uneditable as error:
        told = ", ".join(f"{one.path} is {one.before!r}" for one in changes)
        notes.append(f"{resource.cited} has to be changed by hand, because {error}: {told}")
        return None
    return change


def _edit(resource: Resource[Any], seen: Fields, wanted: Fields, *, expired: bool) -> Edit:
    """Each managed field as it is live; what is absent live goes, and the document with it where nothing is left."""
    values = {path: seen[path] for path in wanted if seen[path] not in (None, UNOBSERVABLE, wanted[path])}
    drop = [path for path in wanted if seen[path] is None and wanted[path] is not None]
    core = _CORE.get(resource.kind, ())
    gone = bool(core) and all(seen[path] is None or path not in wanted for path in core)
    if expired:
        drop.append("expiresAt")
        drop += [path for path in core if seen[path] is None]
        gone = False
    return Edit(resource.origin.line, cast("dict[str, Plain]", values), tuple(drop), remove=gone)


def _editable(resource: Resource[Any], seen: Fields) -> None:
    if resource.origin.file.endswith(".json") or resource.origin.file == "<stdin>":
        raise Uneditable("it is JSON or came from standard input")
    if ActivationState.INVITE_ONLY.value in seen.values():
        raise Uneditable("the model is invite-only, which cannot be declared")


def _homes(live: Live, mine: Iterable[Resource[Any]], claims: Mapping[str, Target | None]) -> Mapping[str, str]:
    """The file in which each model is declared already."""
    homes: dict[str, str] = {}
    for resource in mine:
        target = claims[resource.address]
        editable = resource.origin.file in live.texts and not resource.origin.file.endswith(".json")
        if target is not None and editable and resource.origin.file != "<stdin>":
            homes.setdefault(registry()[target.kind].model(live.snapshot, target), resource.origin.file)
    homes.pop("", None)
    return homes


def _file(live: Live, model: str) -> str:
    name = f"{_slug(model)}.yaml"
    return f"{live.folder}/{name}" if live.folder else name


def _add(live: Live, name: str, documents: list[_Document], files: dict[str, bytes]) -> None:
    """The documents at the end of a file, its lines ended as those it has."""
    before = files.get(name, b"")
    written = "---\n".join(_text(document, live.account) for document in documents)
    if before.strip():
        written = ("" if before.endswith((b"\n", b"\r")) else "\n") + "---\n" + written
    files[name] = before + written.replace("\n", edit.line_end(before)).encode()


def _missing(
    snapshot: Snapshot, taken: set[Target], names: set[str], notes: list[str]
) -> Iterable[tuple[str, list[_Document]]]:
    """The documents of what is live and not declared, by model, in the order of models."""
    for name, model in sorted(snapshot.models.items()):
        documents = []
        if not _MODEL.fullmatch(name):
            notes.append(f"the model {name!r} has a name that cannot be declared")
            continue
        if Target("ModelActivation", name) not in taken and model.state is ActivationState.ACTIVATED:
            documents.append(_activation(model, names))
        if Target("InferenceLimit", name) not in taken and model.limit is UNOBSERVABLE:
            notes.append(f"the inference limit of {name} cannot be seen; declare it by hand")
        if Target("InferenceLimit", name) not in taken and isinstance(model.limit, Limit):
            spec = (("model", name), ("tokens", model.limit.tokens))
            documents.append(_Document("InferenceLimit", _free(names, "InferenceLimit", name), spec))
        for endpoint in snapshot.endpoints_by_model.get(name, ()):
            if Target("EndpointRateOverride", endpoint.id) not in taken and isinstance(endpoint.override, Rate):
                documents += _override(snapshot, endpoint, endpoint.override, names)
        if documents:
            yield name, documents


def _activation(model: Model, names: set[str]) -> _Document:
    spec: list[tuple[str, Plain]] = [("model", model.name), ("state", "Activated")]
    services = model.sub_services
    if isinstance(services, tuple) and services and set(services) <= _SERVICES:
        spec.append(("subServices", tuple(sorted(services))))
    return _Document("ModelActivation", _free(names, "ModelActivation", model.name), tuple(spec))


def _override(snapshot: Snapshot, endpoint: Endpoint, rate: Rate, names: set[str]) -> list[_Document]:
    halves = tuple((path, value) for path, value in (("rpm", rate.rpm), ("tpm", rate.tpm)) if value)
    if not halves:
        return []
    unique = len(snapshot.endpoint_ids_by_name.get(endpoint.name, ())) == 1 and 1 <= len(endpoint.name) <= 256
    by = {"name": endpoint.name} if unique else {"id": endpoint.id}
    name = _free(names, "EndpointRateOverride", endpoint.name if unique else endpoint.id)
    return [_Document("EndpointRateOverride", name, (("endpoint", by), *halves))]


def _free(names: set[str], kind: str, wanted: str) -> str:
    """A name for a document that no other of its kind has."""
    slug, count = _slug(wanted), 1
    name = slug
    while f"{kind}/{name}" in names:
        count += 1
        name = f"{slug}-{count}"
    names.add(f"{kind}/{name}")
    return name


def _slug(wanted: str) -> str:
    """The name in the letters that a document's name may have."""
    return re.sub(r"[^a-z0-9]+", "-", wanted.lower())[:200].strip("-") or "item"


def _text(document: _Document, account: str) -> str:
    lines = [f"apiVersion: {API_VERSION}", f"kind: {document.kind}", "metadata:"]
    lines += [f"  name: {edit.scalar(document.name)}", "spec:"]
    if account != DEFAULT_ACCOUNT:
        lines.append(f"  accountRef: {{name: {edit.scalar(account)}}}")
    for key, value in document.spec:
        if isinstance(value, Mapping):
            inner = ", ".join(f"{name}: {edit.scalar(held)}" for name, held in value.items())
            lines.append(f"  {key}: {{{inner}}}")
        else:
            lines.append(f"  {key}: {edit.scalar(value)}")
    return "\n".join(lines) + "\n"
