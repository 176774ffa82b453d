"""Where it is true: the contract that every platform keeps, and how one is opened by name.

A platform is a stranger to every other and to the rest of the rim. It gets its account's settings and credentials and
knows nothing of plans, rules or resources.

    Reader    observe, read, capabilities, identity      all that validate, plan, drift, import and status ever hold
    Platform  Reader + write                             what apply and the controllers hold
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, cast

from reconciler.errors import PlatformError
from reconciler.kinds.platform_account import PlatformAccountSpec, PlatformName
from reconciler.state import Operation, Snapshot, Support, Target, Write


class Reader(Protocol):
    """The read-only side. Every method may raise `errors.Transient` (asked again later) or `errors.Permanent`.

    Safe to call from several threads at once. No method ever writes to the platform.
    """

    def capabilities(self) -> Mapping[Operation, Support]:
        """How each `Operation` is done on this account; one entry for every operation. No I/O."""
        ...

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """One sweep of list calls over the whole account.

        `limited_models` are the models with a declared or live limit, the only ones whose endpoints need a closer look
        (capacity packages) on platforms where listing does not tell. A partly failed sweep raises; what the platform cannot
        show at all is UNOBSERVABLE.
        """
        ...

    def read(self, target: Target) -> Snapshot:
        """The target's item alone, read afresh: a partial snapshot with its model, its endpoint (and that endpoint's
        model), or the switches; without the entry where the platform knows no such thing."""
        ...

    def close(self) -> None:
        """Let go of files and connections; using the platform afterwards is a mistake."""
        ...


class Platform(Reader, Protocol):
    """A platform that may be written to."""

    def write(self, write: Write) -> None:
        """Carry out one write and return when the platform accepted it; acceptance proves nothing, `read` does.

        Raises `Transient` where nothing may have happened or it cannot be known (the caller reads before it tries again),
        `Permanent` where the platform refused, `Conflict` where the item is in the wrong state for it, `Unsupported`
        where `capabilities` does not say native. Removing what is not there, and setting what is so already, succeed;
        but a set of a limit always restarts its counting.
        """
        ...


class ReadOnly:
    """A platform seen through its reading side only: there is no method on it that could write."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def capabilities(self) -> Mapping[Operation, Support]:
        """See `Reader.capabilities`."""
        return self._reader.capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        """See `Reader.observe`."""
        return self._reader.observe(limited_models)

    def read(self, target: Target) -> Snapshot:
        """See `Reader.read`."""
        return self._reader.read(target)

    def close(self) -> None:
        """See `Reader.close`."""
        self._reader.close()


class Unreachable:
    """A platform that could not be opened: every call raises why."""

    def __init__(self, error: PlatformError) -> None:
        self._error = error

    def capabilities(self) -> Mapping[Operation, Support]:
        raise self._error

    def observe(self, limited_models: frozenset[str]) -> Snapshot:  # noqa: ARG002  # the shape of a platform
        raise self._error

    def read(self, target: Target) -> Snapshot:  # noqa: ARG002
        raise self._error

    def write(self, write: Write) -> None:  # noqa: ARG002
        raise self._error

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; nothing of it shows in a repr, and so in no log or traceback."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """What a platform needs beside its account's settings.

    `clock` answers the time of the pass in UTC. `create` False: nothing may be created, not even a local file.
    """

    clock: Callable[[], datetime]
    credentials: Credentials | None = None
    create: bool = True


class _Room(Protocol):
    """What a platform's module offers."""

    def connect(self, spec: PlatformAccountSpec, connection: Connection) -> Platform: ...


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried on an account without writing: what, whether it works, and a sentence on it."""

    what: str
    message: str
    good: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of a platform, by the number that rules and messages name: what it says, where it is known from, and
    the platform's own words where it is a page's ("" elsewhere)."""

    number: str
    says: str
    origin: str
    phrase: str = ""


def facts() -> Mapping[str, Fact]:
    """What is known of every platform, by number; each platform's own `facts` module, which imports no SDK."""
    found: dict[str, Fact] = {}
    for name in PlatformName:
        if importlib.util.find_spec(f"{__name__}.{name.value}.facts"):
            found |= importlib.import_module(f"{__name__}.{name.value}.facts").FACTS
    return found


def connect(spec: PlatformAccountSpec, connection: Connection) -> Platform:
    """Open the platform that `spec` names, importing only that one. Raises `errors.Permanent` or `errors.Transient`."""
    return _room(spec).connect(spec, connection)


def is_there(spec: PlatformAccountSpec) -> bool:
    """Whether a person has made the platform that `spec` names, where that is a thing to be made (a local file); no network."""
    made: Callable[[PlatformAccountSpec], bool] | None = getattr(_room(spec), "is_there", None)
    return made is None or made(spec)


def examine(spec: PlatformAccountSpec, connection: Connection) -> tuple[tuple[Probe, ...], Mapping[Operation, Support]]:
    """What works on the account, tried by reading alone, and how each operation is done; never raises a PlatformError."""
    try:
        platform = connect(spec, connection)
    except PlatformError as error:
        return (Probe("connection", str(error), good=False),), {}
    with closing(platform):
        probes: Callable[[Platform], Iterable[Probe]] = getattr(_room(spec), "probes", _observed)
        return tuple(probes(platform)), platform.capabilities()


def _observed(platform: Platform) -> Iterable[Probe]:
    """All that can be said of a platform without an examination of its own: it can be observed."""
    try:
        seen = platform.observe(frozenset())
    except PlatformError as error:
        return (Probe("reachability", str(error), good=False),)
    return (Probe("reachability", f"{len(seen.models)} models and {len(seen.endpoints)} endpoints are seen"),)


def _room(spec: PlatformAccountSpec) -> _Room:
    return cast(_Room, importlib.import_module(f"{__name__}.{spec.platform.value}"))
