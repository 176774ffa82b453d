"""Private actions as the account configured them, and what a person does where there is none. Pure: templates and values."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from reconciler.kinds.platform_account import Action, Actions, Ark
from reconciler.platforms.ark.pages import ACTIVATIONS, ENDPOINTS, console
from reconciler.state import NATIVE, Capability, Operation, Support, Write

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z]+)\}")
_PUBLISHED: Final = frozenset(
    (
        Operation.ACTIVATE,
        Operation.ADD_SUB_SERVICE,
        Operation.SET_OVERRIDE,
        Operation.READ_ACTIVATION,
        Operation.READ_OVERRIDE,
        Operation.READ_USAGE,
    )
)
_NOTES: Final[Mapping[Operation, str]] = {
    Operation.DEACTIVATE: "Ark publishes no action for it: switch the model off on the activation page",
    Operation.DROP_SUB_SERVICE: "Ark publishes no action for it: switch the sub-service off on the activation page",
    Operation.SET_LIMIT: "Ark publishes no action for it: set the inference limit (推理限额) on the activation page",
    Operation.REMOVE_LIMIT: "Ark publishes no action for it: remove the inference limit (推理限额) on the activation page",
    Operation.CLEAR_OVERRIDE: "Ark publishes no way back to inherited: clear the rate limit on the endpoint's page",
    Operation.SET_FREE_TOKENS_ONLY: "Ark publishes no action for it: switch Safe Experience Mode (安心体验模式) on the page",
    Operation.SET_AUTO_ACTIVATION: "the request of Ark's action is not known: switch automatic activation on the page, or "
    "configure spec.ark.actions",
    Operation.READ_LIMIT: "Ark publishes no action for it: read the inference limit on the activation page",
    Operation.READ_FREE_TOKENS_ONLY: "Ark publishes no action for it: read Safe Experience Mode on the activation page",
    Operation.READ_AUTO_ACTIVATION: "Ark publishes no action for it: read automatic activation on the activation page",
}


def of(actions: Actions, operation: Operation) -> Action | None:
    """The private action that the account names for the operation, or None."""
    found: Action | None = getattr(actions, operation.value.replace("-", "_"), None)
    return found


def for_write(actions: Actions, write: Write) -> Action | None:
    """The private action for this write; automatic activation may have one for on and another for off."""
    if write.operation is Operation.SET_AUTO_ACTIVATION and actions.set_auto_activation is None:
        return actions.enable_auto_activation if write.arguments["enabled"] else actions.disable_auto_activation
    return of(actions, write.operation)


def supports(settings: Ark) -> Mapping[Operation, Support]:
    """How each operation is done on an account with these settings."""
    actions, pages = settings.actions, console(settings.endpoint, settings.region)
    found: dict[Operation, Support] = {}
    for operation in Operation:
        both = actions.enable_auto_activation and actions.disable_auto_activation
        switched = operation is Operation.SET_AUTO_ACTIVATION and both is not None
        if operation in _PUBLISHED or of(actions, operation) is not None or switched:
            found[operation] = NATIVE
        else:
            page = ENDPOINTS if operation is Operation.CLEAR_OVERRIDE else ACTIVATIONS
            found[operation] = Support(Capability.MANUAL, f"{pages}/{page}", _NOTES[operation])
    return MappingProxyType(found)


def values_of(write: Write, project: str) -> dict[str, Any]:
    """What the placeholders of a write's template stand for."""
    name = "endpoint" if write.operation in (Operation.SET_OVERRIDE, Operation.CLEAR_OVERRIDE) else "model"
    inherited = {"rpm": None, "tpm": None} if name == "endpoint" else {}
    return {**inherited, **write.arguments, name: write.target.name, "project": project}


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with every placeholder replaced: alone in its string by the value itself, else by its text."""
    if isinstance(template, str):
        alone = _PLACEHOLDER.fullmatch(template)
        if alone:
            return values[alone[1]]
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    return template


def how_to(write: Write, support: Support) -> str:
    """What a person does instead: the page and the exact values."""
    values = ", ".join(
        f"{name} {'inherited' if value is None else value}" for name, value in sorted(write.arguments.items())
    )
    return f"On {support.page} {write.target.name}{': ' + values if values else ''} ({support.note})"
