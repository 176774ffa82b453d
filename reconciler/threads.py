"""Threads that nobody waits for when the process ends: a call that is never answered does not keep a program alive.

The standard library's pool joins its threads at the end of the process, whatever they wait for.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

R = TypeVar("R")
_Job = tuple[Future[Any], Callable[[], Any]]


class Pool:
    """At most `most` calls beside each other; a context, at whose end all that was begun has ended."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._closed = False
        self._changing = threading.Lock()

    def submit(self, run: Callable[[], R]) -> Future[R]:
        """Run it as soon as a thread is free; what is asked for once the pool closes is cancelled, so that nobody waits for it."""
        future: Future[R] = Future()
        with self._changing:
            if self._closed:
                future.cancel()
                return future
            self._jobs.put((future, run))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
                thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, run = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(run())
                except BaseException as error:  # noqa: BLE001  # it is raised where the result is asked for
                    future.set_exception(error)
            self._idle.release()

    def close(self) -> None:
        """Begin nothing more, and return once what was begun has ended."""
        with self._changing:
            self._closed = True
        with suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                job[0].cancel()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
