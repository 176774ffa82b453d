"""A platform whose calls are told, to be counted and traced. Changes nothing of what is asked or answered."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from reconciler.platforms import Platform
from reconciler.state import Operation, Snapshot, Support, Target, Write


class Telling:
    """`call` is entered around each call with what is called: observe, read, or a write's operation. It sees what is raised."""

    def __init__(self, platform: Platform, call: Callable[[str], AbstractContextManager[object]]) -> None:
        self._platform = platform
        self._call = call

    def capabilities(self) -> Mapping[Operation, Support]:
        """See `Reader.capabilities`; that is no call."""
        return self._platform.capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """See `Reader.observe`."""
        with self._call("observe"):
            return self._platform.observe(limited_models)

    def read(self, target: Target) -> Snapshot:
        """See `Reader.read`."""
        with self._call("read"):
            return self._platform.read(target)

    def write(self, write: Write) -> None:
        """See `Platform.write`."""
        with self._call(write.operation.value):
            self._platform.write(write)

    def close(self) -> None:
        """See `Reader.close`."""
        self._platform.close()
