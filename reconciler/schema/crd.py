"""The custom resource definitions (apiextensions.k8s.io/v1), structural, from the models and nothing else.

What JSON Schema says and a structural schema may not (references, const, closed objects, choices) is said by the API
server's own means: enums, pruning, int-or-string and CEL.
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.kinds import API_GROUP, API_VERSION, registry
from reconciler.schema.observed import STATUSES
from reconciler.schema.shape import shape, without
from reconciler.schema.text import to_yaml

_DROPPED: Final = frozenset(("oneOf", "propertyNames", "title"))
_HEADER: Final = "# Generated from reconciler/kinds by `modelpolicy schema --crds`; a test compares. Do not edit.\n"
_CONDITION: Final = '.status.conditions[?(@.type=="Ready")]'


def crd(kind: str) -> dict[str, Any]:
    """The definition of one kind as plain values."""
    known = registry()[kind]
    spec = _structural(shape(known.spec))
    top = {
        "description": " ".join(known.doc.split()),
        "type": "object",
        "properties": {
            "apiVersion": {"description": f"Always {API_VERSION}.", "type": "string", "maxLength": 64},
            "kind": {"description": f"Always {kind}.", "type": "string", "maxLength": 64},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _listed(_structural(shape(STATUSES[kind]))),
        },
    }
    if spec.get("required"):
        top["required"] = ["spec"]
    version = {
        "name": API_VERSION.split("/")[1],
        "served": True,
        "storage": True,
        "additionalPrinterColumns": _columns(known.columns),
        "schema": {"openAPIV3Schema": top},
        "subresources": {"status": {}},
    }
    if known.selectable:
        version["selectableFields"] = [{"jsonPath": f".{path}"} for path in known.selectable]
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": known.plural,
        "singular": kind.lower(),
        "shortNames": list(known.short_names),
        "categories": ["modelpolicy"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{known.plural}.{API_GROUP}"},
        "spec": {"group": API_GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def crds() -> Mapping[str, str]:
    """The file of each kind's definition: name and text."""
    return {f"{API_GROUP}_{known.plural}.yaml": _HEADER + to_yaml(crd(kind)) for kind, known in registry().items()}


def _columns(own: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    # The deciding reason comes second, and what a person asks next is one -o wide away.
    columns: list[dict[str, Any]] = [
        {"name": "Ready", "type": "string", "jsonPath": f"{_CONDITION}.status"},
        {"name": "Reason", "type": "string", "jsonPath": f"{_CONDITION}.reason"},
    ]
    columns += [{"name": title, "type": "string", "jsonPath": path} for title, path in own]
    columns.append({"name": "Message", "type": "string", "jsonPath": f"{_CONDITION}.message", "priority": 1})
    columns.append({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})
    return columns


def _listed(status: dict[str, Any]) -> dict[str, Any]:
    """Conditions are a map by type, so that two writers do not overwrite each other's."""
    status["properties"]["conditions"] |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    return status


def _structural(node: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema node as the API server takes it."""
    choices = node.get("anyOf", [])
    if {choice.get("type") for choice in choices} == {"integer", "string"}:
        integer, text = sorted(choices, key=lambda choice: str(choice["type"]))
        bounds = {**integer, **text}
        bounds.pop("type")
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return {**rest, **bounds, "x-kubernetes-int-or-string": True}
    node = {key: value for key, value in without(node, _DROPPED).items() if key != "anyOf"}
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if "properties" in node:
        node["properties"] = {name: _structural(inner) for name, inner in node["properties"].items()}
        node.pop("additionalProperties", None)
    elif isinstance(node.get("additionalProperties"), dict):
        node["additionalProperties"] = _structural(node["additionalProperties"])
    elif node.pop("additionalProperties", False):
        node["x-kubernetes-preserve-unknown-fields"] = True
    if "items" in node:
        node["items"] = _structural(node["items"])
    if node.get("type") == "integer":
        node["format"] = "int64"
    return node
