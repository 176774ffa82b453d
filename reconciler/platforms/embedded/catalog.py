"""The models that a fresh embedded platform ships with, from `catalog.yaml`. Read only when a database is created."""

import json
from functools import cache
from importlib import resources
from typing import Any

from reconciler.load import quick
from reconciler.platforms.embedded.contents import Contents, ModelEntry

UNKNOWN = "unknown"


def document() -> dict[str, Any]:
    """The file as plain values."""
    text = (resources.files(__package__) / "catalog.yaml").read_text("utf-8")
    found: dict[str, Any] = quick.value(text)
    return found


@cache
def shipped() -> Contents:
    """The catalogue as rows; what is unknown there is absent here."""
    return Contents(models=tuple(_entry(model) for model in document()["models"]))


def _entry(model: dict[str, Any]) -> ModelEntry:
    prices = [[price["item"], _figure(price["amount"]), price["unit"]] for price in model["prices"]]
    return ModelEntry(
        name=model["name"],
        columns={
            "domain": model["domain"],
            "task_types": ",".join(model["taskTypes"]),
            "versions": ",".join(model["versions"]),
            "deprecated": int(model.get("deprecated", False)),
            "rpm": _figure(model["rpm"]),
            "tpm": _figure(model["tpm"]),
            "free_total": _figure(model["freeTokens"]),
            "prices": json.dumps(prices, separators=(",", ":")),
            "docs_url": _figure(model["docs"]) or "",
        },
    )


def _figure(figure: Any) -> Any:
    return None if figure == UNKNOWN else figure["value"]
