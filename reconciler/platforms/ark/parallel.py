"""Calls beside each other: what starts first need not end first, and answers come in the order in which they were asked for.

What is run may start more and wait for it: there are always as many threads for calls as calls may be in flight.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import Final, ParamSpec, TypeVar

from reconciler.threads import Pool

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
_WAITING: Final = 12  # lists and their like: threads that only wait for the calls of others


class Parallel:
    """Threads for one sweep."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def start(self, run: Callable[P, R], *args: P.args, **more: P.kwargs) -> Future[R]:
        """Run it beside what else is run, with the caller's context."""
        context = copy_context()
        return self._pool.submit(lambda: context.run(run, *args, **more))

    def each(self, run: Callable[[T], R], of: Iterable[T]) -> list[R]:
        """The answers in the order of `of`. Raises what the first of them in that order raised."""
        return [future.result() for future in [self.start(run, one) for one in of]]


@contextmanager
def parallel(calls: int) -> Iterator[Parallel]:
    """Threads for as many calls at once. On return all have ended; those that had not begun are not begun after a failure."""
    with Pool(calls + _WAITING, "ark-read") as pool:
        yield Parallel(pool)
