"""Models and endpoints as Ark's replies show them. Pure: state values in, JSON values out."""

from datetime import UTC, datetime
from typing import Any, Final

from reconciler.platforms.embedded.lifecycle import tags_of
from reconciler.platforms.embedded.store import Row
from reconciler.state import ActivationState, FreeTokens, Model, Price, Rate

Json = dict[str, Any]
INHERITED: Final = -1  # what a live List reply says where an endpoint has no rate of its own
MODEL_TYPE: Final = "FoundationModel"
SUB_SERVICES: Final = ("base", "context-cache", "fast-infer")


def endpoint(row: Row) -> Json:
    """An item of ListEndpoints."""
    return {
        "Id": row["id"],
        "Name": row["name"],
        "Description": row["description"],
        "ProjectName": row["project"],
        "Status": row["status"],
        "StatusReason": "",
        "EndpointModelType": MODEL_TYPE,
        "ModelReference": {"FoundationModel": {"Name": row["model"], "ModelVersion": row["model_version"]}},
        "ModelUnitId": f"mu-{row['model_units']}" if row["model_units"] is not None else "",
        "RateLimit": {"Rpm": row["rpm"] or INHERITED, "Tpm": row["tpm"] or INHERITED},
        "RollingId": "",
        "SupportRolling": False,
        "Tags": tags_of(row),
        "CreateTime": _time(row["created_at"]),
        "UpdateTime": _time(row["updated_at"]),
    }


def endpoint_details(row: Row) -> Json:
    """The reply of GetEndpoint: what the List item has, and what it leaves out."""
    return {
        **endpoint(row),
        "BatchOnly": bool(row["batch_only"]),
        "ScaleTierId": f"st-{row['scale_tpm']}" if row["scale_tpm"] is not None else "",
        "SupportScaleTier": True,
        "Moderation": {"Strategy": "Default"},
    }


def activation(model: Model, *, priced: bool, with_use: bool) -> Json:
    """An item of ListModelActivations; free use is told by the initial quota until activation, then by a pack."""
    item = {
        "FoundationModelName": model.name,
        "DisplayName": model.display_name,
        "VendorName": "",
        "State": _state(model),
        "IsDeprecated": model.deprecated,
        "IsLimitedActivation": model.state is ActivationState.INVITE_ONLY,
    }
    if priced:
        item |= {"ChargeItems": [_price(price) for price in model.prices], "MultiChargeItems": []}
    if with_use and isinstance(model.free_tokens, FreeTokens):
        if model.state is ActivationState.ACTIVATED:
            item["FreeResourcePackItems"] = [_pack(model.free_tokens)]
        else:
            usage = model.free_tokens
            item["InitialInferenceFreeUsage"] = {"Total": usage.total, "Consumed": usage.consumed}
    return item


def charge(model: Model) -> Json:
    """An item of ListModelChargeItems."""
    services = model.sub_services if isinstance(model.sub_services, tuple) else ()
    opened = {"base", *services} if model.state is ActivationState.ACTIVATED else set()
    item = {
        "FoundationModelName": model.name,
        "DisplayName": model.display_name,
        "VendorName": "",
        "State": _state(model),
        "ChargeItems": [_price(price) for price in model.prices],
        "MultiChargeItems": [],
        "SubServices": [
            {"SubService": name, "Status": "Available" if name in opened else "Unavailable"} for name in SUB_SERVICES
        ],
        "IsOverdue": False,
    }
    if isinstance(model.free_tokens, FreeTokens):
        usage = model.free_tokens
        item["ResourcePackItems"] = [_pack(usage)] if model.state is ActivationState.ACTIVATED else []
        if model.state is not ActivationState.ACTIVATED:
            item["InferenceFreeUsage"] = {"Total": usage.total, "Consumed": usage.consumed}
    return item


def rate_limit(model: Model) -> Json:
    """An item of ListModelRateLimit."""
    rate = model.rate_limit if isinstance(model.rate_limit, Rate) else Rate()
    said = {"Rpm": rate.rpm or 0, "Tpm": rate.tpm or 0}
    return {"FoundationModelName": model.name, "DefaultRateLimit": said, "CurrentRateLimit": said}


def foundation_model(model: Model) -> Json:
    """An item of ListFoundationModels."""
    return {
        "Name": model.name,
        "DisplayName": model.display_name,
        "VendorName": "",
        "AccessType": "Public",
        "PrimaryVersion": model.versions[0] if model.versions else "",
        "FoundationModelTag": {
            "Domains": [model.domain] if model.domain else [],
            "TaskTypes": list(model.task_types),
            "Languages": [],
        },
        "Tags": [],
    }


def _state(model: Model) -> str:
    return "Available" if model.state is ActivationState.ACTIVATED else "Unavailable"


def _pack(usage: FreeTokens) -> Json:
    pack: Json = {"Type": "FreeInference", "Total": usage.total, "Consumed": usage.consumed, "Reclaimed": 0}
    if usage.observed_at is not None:
        pack["SyncTime"] = usage.observed_at.isoformat().replace("+00:00", "Z")
    return pack


def _price(price: Price) -> Json:
    return {"Type": price.item, "Price": price.amount, "OriginalPrice": price.amount, "UnitCode": price.unit}


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
