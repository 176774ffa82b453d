"""Actions that Ark does not publish, under whatever names and shapes an account's `ark.actions` gives them.

The same templates that a client fills in are read backwards here, so both sides follow one configuration. Pure but for the
engine's own transactions.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from reconciler.kinds.platform_account import ACTION_SHAPES, Action, Actions
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.wire import WireError
from reconciler.state import Limit, Snapshot

Json = dict[str, Any]
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z]+)\}")
_ANY: Final = frozenset(("tokens", "rpm", "tpm", "enabled", "models"))  # may be any JSON value; the rest are strings


def by_name(actions: Actions) -> Mapping[str, tuple[tuple[str, Action], ...]]:
    """The configured actions by the name they are called by; one name may serve several operations."""
    found: dict[str, list[tuple[str, Action]]] = {}
    for operation in sorted(ACTION_SHAPES):
        action: Action | None = getattr(actions, operation)
        if action is not None:
            found.setdefault(action.action, []).append((operation, action))
    return {name: tuple(actions_) for name, actions_ in sorted(found.items())}


def match(template: Any, sent: Any) -> dict[str, Any] | None:
    """The placeholders' values with which `template` becomes `sent`; None where it cannot."""
    if isinstance(template, str):
        return _match_text(template, sent)
    if isinstance(template, dict):
        if not isinstance(sent, dict) or set(template) != set(sent):
            return None
        pairs = [(template[key], sent[key]) for key in sorted(template)]
    elif isinstance(template, list):
        if not isinstance(sent, list) or len(template) != len(sent):
            return None
        pairs = list(zip(template, sent, strict=True))
    else:
        return {} if type(template) is type(sent) and template == sent else None
    values: dict[str, Any] = {}
    for part, value in pairs:
        found = match(part, value)
        if found is None or any(values.get(name, each) != each for name, each in found.items()):
            return None
        values |= found
    return values


def _match_text(template: str, sent: Any) -> dict[str, Any] | None:
    alone = _PLACEHOLDER.fullmatch(template)
    if alone and (alone[1] in _ANY or isinstance(sent, str)):
        return {alone[1]: sent}
    if not isinstance(sent, str):
        return None
    pattern = "".join(
        f"(?P<{part}>.+)" if odd else re.escape(part) for odd, part in _alternating(_PLACEHOLDER.split(template))
    )
    try:
        found = re.fullmatch(pattern, sent, re.DOTALL)
    except re.error:  # a placeholder twice in one text
        return None
    return found.groupdict() if found else None


def _alternating(parts: list[str]) -> list[tuple[bool, str]]:
    return [(index % 2 == 1, part) for index, part in enumerate(parts)]


def carry_out(engine: Engine, snapshot: Callable[[], Snapshot], operation: str, action: Action, values: Json) -> Json:
    """The Result of one configured action."""
    if operation in _READS:
        return _READS[operation](snapshot(), action, values)
    try:
        _WRITES[operation](engine, values)
    except KeyError as exc:  # the template leaves out what the operation needs
        raise WireError("MissingParameter", f"The action is configured without {exc.args[0]}.") from exc
    return {}


def _whole(values: Json, name: str) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise WireError("InvalidParameter", f"The value of {name} must be an integer.", 400)
    return value


def _rate(values: Json, name: str) -> int | None:
    """A rate; absent, null and -1 are inherited."""
    return None if values.get(name) in (None, -1) else _whole(values, name)


def _enabled(values: Json) -> bool:
    if not isinstance(values["enabled"], bool):
        raise WireError("InvalidParameter", "The value of enabled must be true or false.", 400)
    return values["enabled"]


_WRITES: Final[Mapping[str, Callable[[Engine, Json], None]]] = {
    "activate": lambda engine, values: engine.activate(values["model"]),
    "deactivate": lambda engine, values: engine.deactivate(values["model"]),
    "add_sub_service": lambda engine, values: engine.set_sub_service(
        values["model"], values["subService"], enabled=True
    ),
    "drop_sub_service": lambda engine, values: engine.set_sub_service(
        values["model"], values["subService"], enabled=False
    ),
    "set_limit": lambda engine, values: engine.set_limit(values["model"], _whole(values, "tokens")),
    "remove_limit": lambda engine, values: engine.remove_limit(values["model"]),
    "clear_override": lambda engine, values: engine.set_override(
        values["endpoint"], _rate(values, "rpm"), _rate(values, "tpm")
    ),
    "set_free_tokens_only": lambda engine, values: engine.set_free_tokens_only(enabled=_enabled(values)),
    "set_auto_activation": lambda engine, values: engine.set_auto_activation(enabled=_enabled(values)),
    "enable_auto_activation": lambda engine, _: engine.set_auto_activation(enabled=True),
    "disable_auto_activation": lambda engine, _: engine.set_auto_activation(enabled=False),
}


def _read_limits(snapshot: Snapshot, action: Action, values: Json) -> Json:
    names = values.get("models") or sorted(snapshot.models)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WireError("InvalidParameter", "The models must be a list of strings.", 400)
    listed: list[Json] = []
    for name in names:
        limit = snapshot.models[name].limit if name in snapshot.models else None
        if isinstance(limit, Limit):
            said = {
                "model": name,
                "tokens": limit.tokens,
                "used": limit.used,
                "effectiveAt": _time(limit.effective_at),
                "observedAt": _time(limit.observed_at),
            }
            item: Json = {}
            for field, path in action.response.items():
                if field != "items":
                    _put(item, path, said[field])
            listed.append(item)
    return _put({}, action.response["items"], listed)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _put(into: Json, path: str, value: Any) -> Json:
    *parents, last = path.split(".")
    inner = into
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value
    return into


_READS: Final[Mapping[str, Callable[[Snapshot, Action, Json], Json]]] = {
    "read_limit": _read_limits,
    "read_free_tokens_only": lambda snapshot, action, _: _put(
        {}, action.response["enabled"], snapshot.switches.free_tokens_only
    ),
    "read_auto_activation": lambda snapshot, action, _: _put(
        {}, action.response["enabled"], snapshot.switches.auto_activation
    ),
}
READ_OPERATIONS: Final = frozenset(_READS)
