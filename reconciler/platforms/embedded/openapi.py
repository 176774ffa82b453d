"""Describes the served protocol in OpenAPI 3.1, for clients and for tests that send whatever the description allows or forbids.

The control plane is one path with the action in the query, so each action stands under a path of its own with a fragment, which no
client sends: /#ListEndpoints. Pure. It describes what is served; what is right is decided by actions, dataplane and wire.
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.platforms.embedded import wire
from reconciler.platforms.embedded.faults import FaultKind
from reconciler.platforms.embedded.usage import KEYS

Json = dict[str, Any]


def _text(most: int = 1024, *, least: int = 0) -> Json:
    return {"type": "string", "minLength": least, "maxLength": most}


def _integer(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


def _texts(*choices: str) -> Json:
    return {"type": "array", "maxItems": 1000, "items": _choice(*choices) if choices else {"type": "string"}}


def _choice(*choices: str) -> Json:
    return {"enum": list(choices)}


def _object(*required: str, **properties: Json) -> Json:
    """What is not required may also be null, which is the same as absent."""
    for name in properties.keys() - set(required):
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    return {"type": "object", "properties": properties, "required": list(required)}


_RATE: Final = _integer(1, 2**31 - 1)
_NAME: Final = _text(128, least=1)
_ID: Final = _object("Id", Id=_text(least=1))
_LIMIT: Final = _object("Rpm", "Tpm", Rpm=_RATE, Tpm=_RATE)
_PAGE: Final[Json] = {"PageNumber": _integer(1, 2**31 - 1), "PageSize": _integer(1, wire.MAX_PAGE)}
_ORDER: Final[Json] = {"SortOrder": _choice("Desc", "Asc")}
_DOMAIN: Final = _choice("LLM", "VLM", "Audio", "ComputerVision", "MultiModal", "Embedding", "Router")
_DAY: Final = {"type": "string", "format": "date", "maxLength": 10}
_ENDPOINT_FILTER: Final = _object(
    Ids=_texts(), Statuses=_texts(), EndpointModelTypes=_texts(), ModelVersions=_texts(), CustomModelIds=_texts(),
    Name=_text(), FoundationModelName=_text(),
)  # fmt: skip
_MODEL_FILTER: Final = _object(
    Name=_text(), DisplayName=_text(), Names=_texts(), AccessTypes=_texts("Public", "Private"),
    FoundationModelTag=_object(Domains=_texts(), TaskTypes=_texts()),
)  # fmt: skip
_TAG: Final = _object("Key", Key=_text(least=1), Value=_text())
_MODEL: Final = _object("FoundationModelName", FoundationModelName=_NAME)

REQUESTS: Final[Mapping[str, Json]] = {
    "CreateEndpoint": _object(
        "Name", "ModelReference", Name=_text(256, least=1), Description=_text(), ProjectName=_text(128),
        ModelReference=_object("FoundationModel", FoundationModel=_object("Name", Name=_NAME, ModelVersion=_text(64))),
        RateLimit=_LIMIT, Tags={"type": "array", "items": _TAG}, DryRun={"type": "boolean"},
    ),
    "DeleteEndpoint": _ID,
    "GetApiKey": _object(
        "ResourceIds", ResourceIds={"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string"}},
        ResourceType=_choice("endpoint"), DurationSeconds=_integer(0, 2_592_000),
    ),
    "GetEndpoint": _ID,
    "GetInferenceUsage": _object(
        "StartTime", "EndTime", "QueryInterval", StartTime=_DAY, EndTime=_DAY, QueryInterval=_choice("Day", "Hour"),
        ProjectName=_text(128), ShowWindowDetail={"type": "boolean", "enum": [False]},
        Filters={"type": "array", "items": _object("Key", Key=_choice(*KEYS), Values=_texts(), ValueLike=_text())},
    ),
    "GetModelActivation": _MODEL,
    "GetModelChargeItem": _MODEL,
    "ListEndpoints": _object(
        ProjectName=_text(), Filter=_ENDPOINT_FILTER, SortBy=_choice("CreateTime", "UpdateTime", "Name", "Id"),
        TagFilters={"type": "array", "items": _object("Key", Key=_text(least=1), Values=_texts())}, **_ORDER, **_PAGE,
    ),
    "ListFoundationModels": _object(Filter=_MODEL_FILTER, **_PAGE),
    "ListModelActivations": _object(
        Filter=_object(States=_texts(), FoundationModelDomain=_DOMAIN, IncludeDeprecatedModels={"type": "boolean"}),
        WithPrice={"type": "boolean"}, WithFreeUsage={"type": "boolean"}, SortBy=_choice("VendorName"), **_PAGE,
    ),
    "ListModelChargeItems": _object(
        Filter=_object(FoundationModelName=_text(), FoundationModelDomain=_DOMAIN), **_PAGE
    ),
    "ListModelRateLimit": _object(FoundationModelNames=_texts()),
    "OpenModelChargeItem": _object(
        "FoundationModelName", FoundationModelName=_NAME, SubServices=_texts("base", "context-cache", "fast-infer")
    ),
    "StartEndpoint": _ID,
    "StopEndpoint": _ID,
    "UpdateEndpoint": _object("Id", Id=_text(least=1), Name=_text(256), Description=_text(), RateLimit=_LIMIT),
}  # fmt: skip
_LISTS: Final = ("ListEndpoints", "ListFoundationModels", "ListModelActivations", "ListModelChargeItems")
_MESSAGE: Final = _object("content", role={"type": "string"}, content={"type": "string"})
_DATA: Final[Mapping[str, Json]] = {
    "/api/v3/chat/completions": _object(
        "model", "messages", model=_text(least=1), max_tokens=_integer(1, 1_000_000), stream={"type": "boolean"},
        messages={"type": "array", "minItems": 1, "items": _MESSAGE},
    ),
    "/api/v3/embeddings": _object(
        "model", "input", model=_text(least=1),
        input={"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]},
    ),
}  # fmt: skip


def document() -> Json:
    """The whole description."""
    paths = {f"/#{action}": {"post": _action(action, request)} for action, request in REQUESTS.items()}
    paths |= {path: {"post": _data(path, request)} for path, request in _DATA.items()}
    order = _object("kind", kind=_choice(*FaultKind), action=_text(), times=_integer(1, 1_000_000))
    order["properties"]["seconds"] = {"type": "number", "minimum": 0, "maximum": 3600}
    answers = {"200": _said("Ordered.", {"type": "object"}), "4XX": _said("Refused.", _ref("Refused"))}
    told = {
        "operationId": "OrderFault",
        "security": [{"apiKey": []}],
        "requestBody": _body(order),
        "responses": answers,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "modelpolicy platform serve",
            "version": wire.VERSION,
            "description": "The part of Volcengine Ark's control and data plane that the embedded platform speaks. "
            "A rehearsal, not the service itself. Actions that Ark does not publish are named by the account's ark.actions "
            "and not described here.",
        },
        "paths": {**paths, "/modelpolicy/faults": {"post": told}},
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _said(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _query(name: str, value: str) -> Json:
    return {"name": name, "in": "query", "required": True, "schema": _choice(value)}


def _action(action: str, request: Json) -> Json:
    result = _ref("Page") if action in _LISTS else {"type": "object"}
    answered = _object("ResponseMetadata", "Result", ResponseMetadata=_ref("ResponseMetadata"), Result=result)
    return {
        "operationId": action,
        "security": [{"signature": []}],
        "parameters": [_query("Action", action), _query("Version", wire.VERSION)],
        "requestBody": _body(request),
        "responses": {"200": _said("Done.", answered), "4XX": _said("Refused.", _ref("Refused"))},
    }


def _data(path: str, request: Json) -> Json:
    done = _said("Served.", {"type": "object", "required": ["id", "object", "model"]})
    if path.endswith("completions"):
        done["content"]["text/event-stream"] = {"schema": {"type": "object", "required": ["data"]}}
    return {
        "operationId": path.rsplit("/", 1)[1],
        "security": [{"apiKey": []}],
        "requestBody": _body(request),
        "responses": {"200": done, "4XX": _said("Refused.", _ref("DataError"))},
    }


_ERROR: Final = _object("Code", "Message", Code=_text(least=1), Message={"type": "string"}, CodeN={"type": "integer"})
_METADATA: Final = {name: {"type": "string"} for name in ("RequestId", "Action", "Version", "Service", "Region")}
_SCHEMAS: Final[Json] = {
    "ResponseMetadata": {
        "type": "object", "required": list(_METADATA), "properties": _METADATA, "not": {"required": ["Error"]},
    },
    "Refused": _object(
        "ResponseMetadata", ResponseMetadata=_object(*_METADATA, "Error", **_METADATA, Error=_ERROR)
    ),
    "Page": _object(
        "TotalCount", "PageNumber", "PageSize", "Items", TotalCount=_integer(0, 2**53), PageNumber=_integer(1, 2**31 - 1),
        PageSize=_integer(1, wire.MAX_PAGE), Items={"type": "array", "items": {"type": "object"}},
    ),
    "DataError": _object("error", error=_object("code", "message", code=_text(least=1), message={"type": "string"})),
}  # fmt: skip
_SECURITY: Final[Json] = {
    "signature": {
        "type": "apiKey", "in": "header", "name": "Authorization", "description": "Volcengine V4, HMAC-SHA256.",
    },
    "apiKey": {"type": "http", "scheme": "bearer"},
}  # fmt: skip
