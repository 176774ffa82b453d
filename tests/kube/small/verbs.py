"""What may be done to objects: create, read, update, patch, delete, with the refusals of the real server."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kube.small import schema
from kube.small.applying import merged
from kube.small.store import Key, Object, Refused, Store

_FIXED: Final = ("uid", "creationTimestamp", "deletionTimestamp", "generation", "name", "namespace", "managedFields")


@dataclass(frozen=True)
class Resource:
    """A kind of object that is served; `schema` and a status of its own only for custom ones."""

    name: str  # plural.group
    kind: str
    version: str  # group/version
    namespaced: bool = True
    schema: Object | None = None


BUILT_IN: Final = (
    Resource("namespaces", "Namespace", "v1", namespaced=False),
    Resource("secrets", "Secret", "v1"),
    Resource("events", "Event", "v1"),
    Resource("leases.coordination.k8s.io", "Lease", "coordination.k8s.io/v1"),
    Resource("customresourcedefinitions.apiextensions.k8s.io", "CustomResourceDefinition", "apiextensions.k8s.io/v1",
             namespaced=False),
)  # fmt: skip


class Verbs:
    """The verbs over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.resources = {each.name: each for each in BUILT_IN}

    def get(self, key: Key) -> Object:
        found = self.store.objects.get(key)
        if found is None:
            raise Refused(404, "NotFound", f'{key[0]} "{key[2]}" not found')
        return found

    def create(self, resource: Resource, namespace: str, body: Object, fields: Object | None = None) -> Object:
        meta = dict(body.get("metadata", {}))
        name = meta.get("name") or f"{meta.get('generateName', '')}{uuid.uuid4().hex[:5]}"
        if resource.namespaced and ("namespaces", "", namespace) not in self.store.objects:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        key = (resource.name, namespace, name)
        with self.store.changed:
            if key in self.store.objects:
                raise Refused(409, "AlreadyExists", f'{resource.name} "{name}" already exists')
            for given in ("resourceVersion", "deletionTimestamp", "managedFields"):
                meta.pop(given, None)
            meta |= {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": _now(), "generation": 1}
            meta |= fields or {}
            if resource.namespaced:
                meta["namespace"] = namespace
            thing = {**body, "apiVersion": resource.version, "kind": resource.kind, "metadata": meta}
            if resource.schema is not None:
                thing.pop("status", None)
            return self.store.put(key, self._checked(resource, thing, None), type_="ADDED")

    def update(self, resource: Resource, key: Key, body: Object, status: bool) -> Object:
        """Replace the object, or its status alone; refused where the caller saw another version."""
        with self.store.changed:
            before = self.get(key)
            said = body.get("metadata", {}).get("resourceVersion")
            if said is not None and said != before["metadata"]["resourceVersion"]:
                raise Refused(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {key[0]} "{key[2]}": the object has been modified; please apply your changes to the latest version and try again',
                )
            return self._replaced(resource, key, before, body, status)

    def patch(self, resource: Resource, key: Key, change: Callable[[Object], Object], status: bool) -> Object:
        with self.store.changed:
            before = self.get(key)
            return self.update(resource, key, change(json.loads(json.dumps(before))), status)

    def apply(self, resource: Resource, key: Key, wanted: Object, query: dict[str, str], status: bool) -> Object:
        """Server-side apply; creates the object where there is none (never by its status). A dry run leaves no trace."""
        store = self.store
        with store.changed:
            kept = dict(store.objects), store.version, len(store.history)
            try:
                return self._apply(resource, key, wanted, query, status)
            finally:
                if query.get("dryRun") == "All":
                    store.objects, store.version = kept[:2]
                    del store.history[kept[2] :]

    def _apply(self, resource: Resource, key: Key, wanted: Object, query: dict[str, str], status: bool) -> Object:
        manager, force = query.get("fieldManager", ""), query.get("force") == "true"
        if not manager:
            raise Refused(400, "BadRequest", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        if "managedFields" in wanted.get("metadata", {}):
            raise Refused(400, "BadRequest", "metadata.managedFields must be nil")
        with self.store.changed:
            if key not in self.store.objects and not status:
                made = merged({"metadata": {}}, wanted, manager, force, "")
                return self.create(resource, key[1], wanted, _fields(made["metadata"]))
            before = json.loads(json.dumps(self.get(key)))
            part = (
                {"status": wanted.get("status", {})} if status else {k: v for k, v in wanted.items() if k != "status"}
            )
            part["metadata"] = {} if status else wanted.get("metadata", {})
            after = merged(before, part, manager, force, "status" if status else "")
            return self._replaced(resource, key, self.get(key), after, status)

    def delete(self, resource: Resource, key: Key, conditions: Object) -> Object:
        with self.store.changed:
            before = self.get(key)
            for name in ("uid", "resourceVersion"):
                if conditions.get(name) not in (None, before["metadata"][name]):
                    raise Refused(409, "Conflict", f"Precondition failed: {name}")
            if not before["metadata"].get("finalizers"):
                return self.store.put(key, before, type_="DELETED")
            if "deletionTimestamp" in before["metadata"]:
                return before
            meta = {**before["metadata"], "deletionTimestamp": _now(), "deletionGracePeriodSeconds": 0}
            meta["generation"] += 1
            return self.store.put(key, {**before, "metadata": meta})

    def _replaced(self, resource: Resource, key: Key, before: Object, body: Object, status: bool) -> Object:
        meta = {**body.get("metadata", {}), **{k: before["metadata"][k] for k in _FIXED if k in before["metadata"]}}
        if "managedFields" in body.get("metadata", {}):
            meta["managedFields"] = body["metadata"]["managedFields"]
        if status:
            thing = {**before, "status": body.get("status", {}), "metadata": {**before["metadata"], **_fields(meta)}}
        else:
            thing = {**body, "apiVersion": resource.version, "kind": resource.kind, "metadata": meta}
            if resource.schema is not None:
                thing.pop("status", None)
                thing |= {"status": before["status"]} if "status" in before else {}
        thing = self._checked(resource, thing, before)
        meta = thing["metadata"] = {**thing["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}
        if _spec(thing) != _spec(before):
            meta["generation"] = before["metadata"]["generation"] + 1
        if _without_fields(thing) == _without_fields(before):
            return before
        gone = "deletionTimestamp" in meta and not meta.get("finalizers")
        return self.store.put(key, thing, type_="DELETED" if gone else "MODIFIED")

    def _checked(self, resource: Resource, thing: Object, before: Object | None) -> Object:
        if resource.name.startswith("customresourcedefinitions"):
            return self._established(thing)
        if resource.schema is None:
            return thing
        top = {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": thing["metadata"]}
        rest = {key: value for key, value in thing.items() if key not in top}
        rest = schema.defaulted(resource.schema, schema.pruned(resource.schema, rest))
        rules = {key: value for key, value in resource.schema.items() if key not in ("properties", "required")}
        told: list[str] = []
        for part, node in resource.schema["properties"].items():
            if part in rest and part not in top:
                old = (before.get(part, schema._ABSENT),) if before else ()
                told += schema.wrong(node, rest[part], part, *old)
        told += [
            f"{name}: Required value" for name in resource.schema.get("required", ()) if name not in {**rest, **top}
        ]
        assert not rules.get("x-kubernetes-validations"), "rules at the top are not looked at here"
        if told:
            kind = f"{resource.kind}.{resource.version.split('/')[0]}"
            text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
            raise Refused(422, "Invalid", f'{kind} "{thing["metadata"]["name"]}" is invalid: {text}')
        return {**top, **rest}

    def _established(self, definition: Object) -> Object:
        """A CRD is served from the moment it is there."""
        spec = definition["spec"]
        version = next(each for each in spec["versions"] if each["storage"])
        self.resources[definition["metadata"]["name"]] = Resource(
            definition["metadata"]["name"], spec["names"]["kind"], f"{spec['group']}/{version['name']}",
            schema=version["schema"]["openAPIV3Schema"],
        )  # fmt: skip
        true = {"status": "True", "reason": "", "message": "", "lastTransitionTime": _now()}
        conditions = [{**true, "type": "NamesAccepted"}, {**true, "type": "Established"}]
        return {**definition, "status": {"conditions": conditions}}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _spec(thing: Object) -> Any:
    return {key: value for key, value in thing.items() if key not in ("metadata", "status")}


def _fields(meta: Object) -> Object:
    return {"managedFields": meta["managedFields"]} if "managedFields" in meta else {}


def _without_fields(thing: Object) -> Object:
    meta = {key: value for key, value in thing["metadata"].items() if key != "managedFields"}
    return {**thing, "metadata": meta}
