"""The control plane's published actions: a request's JSON in, its Result out, through the engine.

Raises `WireError` for requests that are not well formed and lets the engine's `Refusal` through.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.platforms.embedded import endpoints, items, lifecycle, usage, wire
from reconciler.platforms.embedded.control import SUB_SERVICES, endpoint_row, set_override
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.keys import Keys
from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.platforms.embedded.wire import WireError
from reconciler.state import Model

Json = dict[str, Any]
MAX_RATE: Final = 2**31 - 1
_DOMAINS: Final = ("", "LLM", "VLM", "Audio", "ComputerVision", "MultiModal", "Embedding", "Router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call: its body, the platform that writes are carried out on, and the one that reading actions show: the same, or as
    it was when a stale read was ordered."""

    body: Json
    engine: Engine
    keys: Keys
    shown: Engine

    @property
    def models(self) -> list[Model]:
        return [model for _, model in sorted(self.shown.models().models.items())]


def _list_endpoints(asked: Asked) -> Json:
    body, wanted = asked.body, wire.mapping(asked.body, "Filter")
    number, size = wire.paging(body)
    types, custom = wire.texts(wanted, "EndpointModelTypes"), wire.texts(wanted, "CustomModelIds")
    asks = endpoints.Listing(
        project=wire.text(body, "ProjectName"),
        ids=wire.texts(wanted, "Ids"),
        name=wire.text(wanted, "Name"),
        model=wire.text(wanted, "FoundationModelName"),
        statuses=wire.texts(wanted, "Statuses"),
        versions=wire.texts(wanted, "ModelVersions"),
        tags=_tag_filters(body),
        by=wire.one_of(body, "SortBy", tuple(endpoints.ORDERS)),
        descending=wire.one_of(body, "SortOrder", ("Desc", "Asc")) == "Desc",
        skip=(number - 1) * size,
        most=size,
    )
    none = bool(custom) or (bool(types) and items.MODEL_TYPE not in types)  # there are no custom models here
    with asked.shown.store.read() as tx:
        total, rows = (0, []) if none else endpoints.listed(tx, asks)
        found = [items.endpoint(row) for row in rows]
    return {"TotalCount": total, "PageNumber": number, "PageSize": size, "Items": found}


def _tag_filters(body: Json) -> tuple[tuple[str, tuple[str, ...]], ...]:
    filters = body.get("TagFilters") or []
    if not isinstance(filters, list) or not all(isinstance(each, dict) for each in filters):
        raise WireError("InvalidParameter.TagFilters", "The parameter TagFilters must be a list of objects.", 400)
    return tuple((wire.text(each, "Key", required=True), wire.texts(each, "Values")) for each in filters)


def _get_endpoint(asked: Asked) -> Json:
    id_ = wire.text(asked.body, "Id", required=True)
    with asked.shown.store.read() as tx:
        return items.endpoint_details(endpoint_row(tx, id_))


def _create_endpoint(asked: Asked) -> Json:
    body = asked.body
    reference = wire.mapping(body, "ModelReference")
    if wire.text(reference, "CustomModelId"):
        raise WireError("InvalidParameter.ModelReference", "This platform has no custom models.", 400)
    model = wire.mapping(reference, "FoundationModel")
    rate = _rate(body, required=False)
    tags = body.get("Tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, dict) for tag in tags):
        raise WireError("InvalidParameter.Tags", "The parameter Tags must be a list of objects.", 400)
    new = lifecycle.New(
        name=wire.text(body, "Name", required=True, most=256),
        model=wire.text(model, "Name", required=True, most=128),
        model_version=wire.text(model, "ModelVersion", most=64),
        description=wire.text(body, "Description"),
        project=wire.text(body, "ProjectName", most=128) or "default",
        tags=tuple((wire.text(tag, "Key", required=True), wire.text(tag, "Value")) for tag in tags),
        rpm=rate[0],
        tpm=rate[1],
    )
    if wire.flag(body, "DryRun"):
        return {"Id": ""}
    with asked.engine.store.write() as tx:
        return {"Id": lifecycle.create(tx, new, asked.engine.now())}


def _rate(body: Json, *, required: bool) -> tuple[int | None, int | None]:
    """Rpm and Tpm, which travel together."""
    limit = wire.mapping(body, "RateLimit")
    rpm, tpm = (wire.integer(limit, half, least=1, most=MAX_RATE) for half in ("Rpm", "Tpm"))
    if (rpm is None) != (tpm is None) or (required and rpm is None):
        missing = "RateLimit.Rpm" if rpm is None else "RateLimit.Tpm"
        raise WireError("MissingParameter", f"The required parameter {missing} is missing: Rpm and Tpm go together.")
    return rpm, tpm


def _update_endpoint(asked: Asked) -> Json:
    body, engine = asked.body, asked.engine
    id_ = wire.text(body, "Id", required=True)
    described: dict[str, str] = {}
    if wire.text(body, "Name", most=256):
        described["name"] = wire.text(body, "Name", most=256)
    if body.get("Description") is not None:
        described["description"] = wire.text(body, "Description")  # "" clears it
    rate = _rate(body, required="RateLimit" in body)
    with engine.store.write() as tx:
        endpoint_row(tx, id_)
        if described:
            lifecycle.describe(tx, id_, described, engine.now())
        if rate[0] is not None:
            set_override(tx, id_, rate[0], rate[1], engine.now())
    return {}


def _switch(wanted: str) -> "Handler":
    def handle(asked: Asked) -> Json:
        with asked.engine.store.write() as tx:
            lifecycle.switch(tx, wire.text(asked.body, "Id", required=True), wanted, asked.engine.now())
        return {}

    return handle


def _delete_endpoint(asked: Asked) -> Json:
    with asked.engine.store.write() as tx:
        lifecycle.delete(tx, wire.text(asked.body, "Id", required=True))
    return {}


def _get_api_key(asked: Asked) -> Json:
    ids = wire.texts(asked.body, "ResourceIds")
    if not ids or any("~" in id_ for id_ in ids):
        raise WireError("MissingParameter", "The required parameter ResourceIds is missing.")
    if wire.one_of(asked.body, "ResourceType", ("endpoint", "presetendpoint", "bot")) != "endpoint":
        raise WireError("InvalidParameter.ResourceType", "This platform has endpoints only.", 400)
    seconds = wire.integer(asked.body, "DurationSeconds", least=0, most=2_592_000)
    with asked.engine.store.read() as tx:
        for id_ in ids:
            endpoint_row(tx, id_)
    expires = asked.engine.now() + (3600 if seconds is None else seconds)
    return {"ApiKey": asked.keys.temporary(ids, expires), "ExpiredTime": expires}


def _list_foundation_models(asked: Asked) -> Json:
    wanted = wire.mapping(asked.body, "Filter")
    tag = wire.mapping(wanted, "FoundationModelTag")
    name, names = wire.text(wanted, "Name"), wire.texts(wanted, "Names")
    domains, tasks = wire.texts(tag, "Domains"), wire.texts(tag, "TaskTypes")
    public = "Public" in (wire.texts(wanted, "AccessTypes") or ("Public",))
    listed = [
        items.foundation_model(model)
        for model in asked.models
        if public
        and name in model.name
        and wire.text(wanted, "DisplayName") in model.display_name
        and (not names or model.name in names)
        and (not domains or model.domain in domains)
        and (not tasks or set(tasks) & set(model.task_types))
    ]
    return wire.page(listed, asked.body)


def _list_activations(asked: Asked) -> Json:
    body = asked.body
    wanted = wire.mapping(body, "Filter")
    states = wire.texts(wanted, "States")
    domain = wire.one_of(wanted, "FoundationModelDomain", _DOMAINS)
    deprecated = wire.flag(wanted, "IncludeDeprecatedModels")
    priced, with_use = wire.flag(body, "WithPrice"), wire.flag(body, "WithFreeUsage")
    listed = [
        items.activation(model, priced=priced, with_use=with_use)
        for model in asked.models
        if (deprecated or not model.deprecated) and domain in ("", model.domain)
    ]
    wire.one_of(body, "SortBy", ("VendorName",))  # every model has the same here, so their order stays by name
    return wire.page([item for item in listed if not states or item["State"] in states], body)


def _model(asked: Asked) -> Model:
    name = wire.text(asked.body, "FoundationModelName", required=True, most=128)
    model = asked.shown.model(name).models.get(name)
    if model is None:
        raise Refusal(Code.NOT_FOUND, f"model {name} does not exist on this platform")
    return model


def _list_charges(asked: Asked) -> Json:
    wanted = wire.mapping(asked.body, "Filter")
    name = wire.text(wanted, "FoundationModelName")
    domain = wire.one_of(wanted, "FoundationModelDomain", _DOMAINS)
    listed = [
        items.charge(model) for model in asked.models if name in ("", model.name) and domain in ("", model.domain)
    ]
    return wire.page(listed, asked.body, size=50)


def _open_charge_item(asked: Asked) -> Json:
    name = wire.text(asked.body, "FoundationModelName", required=True, most=128)
    services = wire.texts(asked.body, "SubServices") or ("base",)
    unknown = [service for service in services if service not in ("base", *SUB_SERVICES)]
    if unknown:
        raise Refusal(Code.SUB_SERVICES, f"there is no sub-service {unknown[0]}")
    if "base" in services:
        asked.engine.activate(name)
    for service in services:
        if service != "base":
            asked.engine.set_sub_service(name, service, enabled=True)
    return {}


def _list_rates(asked: Asked) -> Json:
    names = wire.texts(asked.body, "FoundationModelNames")
    listed = [items.rate_limit(model) for model in asked.models if not names or model.name in names]
    return {"TotalCount": len(listed), "Items": listed}


def _inference_usage(asked: Asked) -> Json:
    query = usage.query(asked.body)
    with asked.shown.store.read() as tx:
        return usage.answer(tx, query)


Handler = Callable[[Asked], Json]

READS: Final[Mapping[str, Handler]] = {
    "GetApiKey": _get_api_key,
    "GetEndpoint": _get_endpoint,
    "GetInferenceUsage": _inference_usage,
    "GetModelActivation": lambda asked: items.activation(_model(asked), priced=True, with_use=True),
    "GetModelChargeItem": lambda asked: items.charge(_model(asked)),
    "ListEndpoints": _list_endpoints,
    "ListFoundationModels": _list_foundation_models,
    "ListModelActivations": _list_activations,
    "ListModelChargeItems": _list_charges,
    "ListModelRateLimit": _list_rates,
}
WRITES: Final[Mapping[str, Handler]] = {
    "CreateEndpoint": _create_endpoint,
    "DeleteEndpoint": _delete_endpoint,
    "OpenModelChargeItem": _open_charge_item,
    "StartEndpoint": _switch(lifecycle.RUNNING),
    "StopEndpoint": _switch(lifecycle.STOPPED),
    "UpdateEndpoint": _update_endpoint,
}
PUBLISHED: Final[Mapping[str, Handler]] = {**READS, **WRITES}
