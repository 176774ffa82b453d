"""What a shell is offered for a value: accounts, addresses, names, topics, runs, guards. Reads files and an SQLite ledger only.

Pressing a key must never print, wait or fail: whatever goes wrong, or takes longer than a second, offers nothing.
"""

import contextlib
import io
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from reconciler.kinds.declared import Declared

AT_MOST_S: Final = 1.0
RUNS: Final = 50
# A shell's script splits and expands what it is given: a name with a space, a star or a line end is not offered.
_WORD: Final = re.compile(r"[\w./:@%+=,-]+")
Offer = tuple[str, str]  # a value, and a line of help or ""


def of(what: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """The values of `what` that begin like `incomplete`; none where they cannot be had."""
    with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()), _deadline():
        wanted = incomplete.casefold()
        return [
            CompletionItem(value, help=line)
            for value, line in dict(_OFFERS[what](context, incomplete)).items()
            if value.casefold().startswith(wanted) and _WORD.fullmatch(value)
        ]
    return []


@contextlib.contextmanager
def _deadline() -> Iterator[None]:
    """Raises TimeoutError in the block once it has taken too long; without timers (not on a POSIX system) it does not."""

    def late(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the shape of a handler
        raise TimeoutError

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, AT_MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _declared(context: click.Context) -> "Declared":
    """What the paths of the command line so far declare, as far as it can be read."""
    from reconciler.load import load
    from reconciler.sources import files

    given = context.params.get("paths") or [word for word in context.params.get("given") or () if Path(word).exists()]
    paths = tuple(path for path in given if path != "-")
    gathered = files.gather(paths)
    return load(gathered.texts, complete=gathered.complete).declared


def _accounts(context: click.Context, incomplete: str) -> Iterator[Offer]:  # noqa: ARG001
    for name, account in _declared(context).accounts.items():
        yield name, f"on {account.spec.platform.value}"


def _addresses(context: click.Context, incomplete: str) -> Iterator[Offer]:  # noqa: ARG001
    for resource in _declared(context).resources:
        yield resource.address, str(resource.origin)


def _targets(context: click.Context, incomplete: str) -> Iterator[Offer]:
    """The kinds, and once one is chosen its resources."""
    from reconciler.kinds import registry

    if "/" not in incomplete:
        yield from ((name, f"every {name}") for name, kind in registry().items() if kind.governs)
    yield from _addresses(context, incomplete)


def _topics(context: click.Context, incomplete: str) -> Iterator[Offer]:  # noqa: ARG001
    from reconciler.cli import topics

    for group, names in topics.groups().items():
        yield from ((name, group) for name in names)
    if "." in incomplete:
        yield from ((name, "field") for name in topics.fields())


def _names(context: click.Context, incomplete: str) -> Iterator[Offer]:
    """What is declared: models, endpoints by the names that declarations give them, resources by their addresses."""
    for resource in _declared(context).resources:
        endpoint = getattr(resource.spec, "endpoint", None)
        about = (getattr(resource.spec, "model", None), getattr(endpoint, "name", None), getattr(endpoint, "id", None))
        yield from ((name, "") for name in about if isinstance(name, str))
    yield from _addresses(context, incomplete)


def _runs(context: click.Context, incomplete: str) -> Iterator[Offer]:  # noqa: ARG001
    from reconciler.ledger import open_ledger

    where = context.params.get("ledger") or ""
    if "://" in where:  # over a network nobody waits for it
        return
    with contextlib.closing(open_ledger(where)) as ledger:
        for run in ledger.runs(context.params.get("account"), RUNS):
            yield run.id, f"{run.operation} by {run.actor}: {run.result or 'open'}"


def _guards(context: click.Context, incomplete: str) -> Iterator[Offer]:
    """The guards, and after "GUARD=" the addresses that one may be passed for."""
    from reconciler.guards import GUARDS

    guard, equals, _ = incomplete.partition("=")
    if equals:
        yield from ((f"{guard}={address}", place) for address, place in _addresses(context, incomplete))
    else:
        yield from ((name, one.doc.splitlines()[0]) for name, one in GUARDS.items())


_OFFERS: Final[Mapping[str, Callable[[click.Context, str], Iterator[Offer]]]] = {
    "accounts": _accounts,
    "addresses": _addresses,
    "targets": _targets,
    "names": _names,
    "topics": _topics,
    "runs": _runs,
    "guards": _guards,
}
