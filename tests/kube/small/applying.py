"""Server-side apply: each manager owns the fields it applied, and what it no longer applies goes.

Maps are merged key by key, `conditions` by their type, every other list is one value; that is all our kinds need.
"""

import json
from collections.abc import Iterator
from typing import Any

from kube.small.store import Object, Refused

Path = tuple[str, ...]


def merged(before: Object, wanted: Object, manager: str, force: bool, subresource: str) -> Object:
    """The object after `manager` applied `wanted` (spec, status, labels ...), with its managedFields."""
    entries: list[Object] = before.get("metadata", {}).get("managedFields", [])
    mine = next((e for e in entries if _is(e, manager, subresource)), None)
    owned = _leaves(wanted)
    had = set(map(tuple, json.loads(mine["fieldsV1"]["paths"]))) if mine else set()
    for entry in entries:
        theirs = set() if entry is mine else set(map(tuple, json.loads(entry["fieldsV1"]["paths"])))
        clash = [path for path in sorted(theirs & owned.keys()) if _get(before, path) != owned[path]]
        if clash and not force:
            raise Refused(
                409, "Conflict", f'Apply failed with 1 conflict: conflict with "{entry["manager"]}": {clash[0]}'
            )
        if clash:
            entry["fieldsV1"] = {"paths": json.dumps(sorted(theirs - set(clash)))}
    after: Object = json.loads(json.dumps(before))
    for path in sorted(had - owned.keys()):
        _drop(after, path)
    for path, value in owned.items():
        _set(after, path, value)
    entry = {"manager": manager, "operation": "Apply", "subresource": subresource,
             "fieldsV1": {"paths": json.dumps(sorted(owned))}}  # fmt: skip
    after["metadata"]["managedFields"] = [e for e in entries if e is not mine] + [entry]
    return after


def _is(entry: Object, manager: str, subresource: str) -> bool:
    return (entry["manager"], entry["operation"], entry["subresource"]) == (manager, "Apply", subresource)


def _leaves(wanted: Object) -> dict[Path, Any]:
    """Every value of an applied object by its path, without what names the object."""
    told = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind", "metadata")}
    kept = {k: v for k, v in wanted.get("metadata", {}).items() if k in ("labels", "annotations", "finalizers")}
    return dict(_walk({**told, **({"metadata": kept} if kept else {})}, ()))


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(inner, (*path, key))
    elif path[-1:] == ("conditions",) and isinstance(value, list):
        for item in value:
            yield (*path, item["type"]), item
    else:
        yield path, value


def _get(thing: Any, path: Path) -> Any:
    for step in path:
        if isinstance(thing, list):
            thing = next((item for item in thing if item["type"] == step), None)
        elif isinstance(thing, dict):
            thing = thing.get(step)
        else:
            return None
    return thing


def _set(thing: Object, path: Path, value: Any) -> None:
    for step in path[:-1]:
        thing = thing.setdefault(step, [] if step == "conditions" else {})
    if not isinstance(thing, list):
        thing[path[-1]] = value
        return
    for index, item in enumerate(thing):
        if item["type"] == path[-1]:
            thing[index] = value
            return
    thing.append(value)


def _drop(thing: Object, path: Path) -> None:
    parent = _get(thing, path[:-1])
    if isinstance(parent, list):
        parent[:] = [item for item in parent if item["type"] != path[-1]]
    elif isinstance(parent, dict):
        parent.pop(path[-1], None)
        if not parent and len(path) > 1:
            _drop(thing, path[:-1])
