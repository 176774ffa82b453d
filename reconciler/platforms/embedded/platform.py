"""The embedded platform as every platform is seen: observe, read, write. It decides nothing; the engine's rules do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from reconciler.errors import Permanent
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.refusals import Code, Refusal
from reconciler.state import NATIVE, Fields, Operation, Snapshot, Support, Target, Write

CAPABILITIES: Final[Mapping[Operation, Support]] = MappingProxyType(dict.fromkeys(Operation, NATIVE))

_Doer = Callable[[Engine, str, Fields], None]


class EmbeddedPlatform:
    """See `platforms.Platform`. Every operation is native here."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def capabilities(self) -> Mapping[Operation, Support]:
        """Everything is native."""
        return CAPABILITIES

    def observe(self, limited_models: frozenset[str]) -> Snapshot:  # noqa: ARG002  # one sweep sees capacity too
        """The whole account in one moment."""
        return self.engine.snapshot()

    def read(self, target: Target) -> Snapshot:
        """The target's item alone."""
        match target.kind:
            case "ModelActivation" | "InferenceLimit":
                return self.engine.model(target.name)
            case "EndpointRateOverride":
                return self.engine.endpoint(target.name)
            case _:
                return self.engine.switches()

    def write(self, write: Write) -> None:
        """Carry out one write; durable when it returns."""
        do = _DOERS.get(write.operation)
        if do is None:
            raise Permanent(f"{write.operation} is not a write", code=Code.INVALID_VALUE.value)
        try:
            do(self.engine, write.target.name, write.arguments)
        except Refusal as refusal:
            raise refusal.as_platform_error() from refusal

    def close(self) -> None:
        """Let go of the file."""
        self.engine.close()


def _override(engine: Engine, name: str, arguments: Fields) -> None:
    values: Mapping[str, Any] = arguments
    engine.set_override(name, values.get("rpm"), values.get("tpm"))


def _sub_service(*, enabled: bool) -> _Doer:
    def do(engine: Engine, name: str, arguments: Fields) -> None:
        engine.set_sub_service(name, str(arguments.get("subService", "")), enabled=enabled)

    return do


def _limit(engine: Engine, name: str, arguments: Fields) -> None:
    tokens: Any = arguments.get("tokens")
    engine.set_limit(name, tokens)


_DOERS: Final[Mapping[Operation, _Doer]] = MappingProxyType(
    {
        Operation.ACTIVATE: lambda engine, name, _: engine.activate(name),
        Operation.DEACTIVATE: lambda engine, name, _: engine.deactivate(name),
        Operation.ADD_SUB_SERVICE: _sub_service(enabled=True),
        Operation.DROP_SUB_SERVICE: _sub_service(enabled=False),
        Operation.SET_LIMIT: _limit,
        Operation.REMOVE_LIMIT: lambda engine, name, _: engine.remove_limit(name),
        Operation.SET_OVERRIDE: _override,
        Operation.CLEAR_OVERRIDE: _override,
        Operation.SET_FREE_TOKENS_ONLY: lambda engine, _, values: engine.set_free_tokens_only(
            enabled=bool(values.get("enabled"))
        ),
        Operation.SET_AUTO_ACTIVATION: lambda engine, _, values: engine.set_auto_activation(
            enabled=bool(values.get("enabled"))
        ),
    }
)
