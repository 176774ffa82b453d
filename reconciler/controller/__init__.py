"""The loop that keeps a platform where the declarations say: wake, pass, publish, back off, resync, stop.

    source ──changed──> Wakes <──again──┐          an event is only a wake-up; a pass takes the whole set
                          │             │
                        worker ── Seat.look ── pass ── publish
                                   │
                          the account's lease, platform, last observation and back-off

Level-triggered: what happened between two passes does not matter, only what is declared and what is true. Accounts are
independent: one that hangs keeps nobody else waiting. Writes only while the account's lease is held; without it this process
is a standby that looks again. Knows neither files nor Kubernetes, prints nothing: the source and the listener do.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from reconciler.controller.seat import Ear, Loaded, Pass, Seat, Settings, World
from reconciler.controller.wakes import Wakes
from reconciler.identity import Identity

__all__ = ["Controller", "Ear", "Loaded", "Pass", "Settings", "Source", "World"]

WORKERS: Final = 4
MOST_WORKERS: Final = 64  # where looks hang and others wait
BUSY_S: Final = 5.0  # how long an account waits until another worker is started for it
TICK_S: Final = 1.0
LISTEN_AGAIN_S: Final = 5.0  # until a source whose wait ended by a defect is listened to again
SOURCE_END_S: Final = 2.0  # how long the end waits for the source, which hears of it at once where it does not hang
UNEXPECTED_S: Final = 60.0  # until an account is looked at again after a defect


class Source(Protocol):
    """Where declarations come from: files, or a cluster. Everything else of the loop is shared."""

    def load(self) -> Loaded:
        """The whole set as it is now. Never raises: what cannot be read makes the set incomplete."""
        ...

    def wait(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` soon after the declarations changed, until `stop` is set. Blocks; runs in a thread of its own."""
        ...

    def publish(self, done: Pass) -> None:
        """Show how things stand after a pass. Called from several threads, never twice at once for one account."""
        ...


class Controller:
    """One process's loop over every account that its source declares."""

    def __init__(self, source: Source, world: World, settings: Settings) -> None:
        self._source = source
        self._world = world
        self._settings = settings
        self._wakes = Wakes(world.monotonic)
        self._reloading = threading.Lock()
        self._loaded: Loaded | None = None
        self._identities: dict[str, Identity] = {}
        self._seats: dict[str, Seat] = {}

    @property
    def depth(self) -> int:
        """How many accounts are due and wait for a worker."""
        return self._wakes.depth

    @property
    def stuck_s(self) -> float:
        """For how long, in seconds, the oldest pass under way or the oldest account that is due has waited: what a liveness
        probe judges."""
        return self._wakes.oldest_s

    @property
    def ready(self) -> bool:
        """Whether every declared account had its first pass, or is known to be led by another process."""
        seats = [self._seats.get(key) for key in self._accounts()]
        return self._loaded is not None and all(seat is not None and seat.settled for seat in seats)

    def run(self, stop: threading.Event) -> None:
        """Load, then look at every account whenever it is due, until `stop`. What is in flight is finished and published."""
        self._reload()
        # Daemons: a look that hangs must not keep the process from ending when it is told to twice.
        listener = threading.Thread(target=self._listen, args=(stop,), name="source", daemon=True)
        listener.start()
        workers: list[threading.Thread] = []
        while not stop.is_set():
            if len(workers) < WORKERS or (len(workers) < MOST_WORKERS and self._wakes.waiting_s > BUSY_S):
                workers.append(
                    threading.Thread(target=self._work, args=(stop,), name=f"worker-{len(workers)}", daemon=True)
                )
                workers[-1].start()
            else:
                stop.wait(TICK_S)
        self._wakes.close()
        self._end(workers)
        listener.join(SOURCE_END_S)  # a thread within compiled code while the interpreter ends aborts the process

    def once(self, stop: threading.Event) -> Sequence[Pass]:
        """One pass over each account, one after the other; for `--once`. An account that another process leads is left out."""
        self._reload()
        done = [self._pass(key, stop) for key in sorted(self._accounts())]
        self._end(())
        return [each for each in done if each is not None]

    def _end(self, workers: Sequence[threading.Thread]) -> None:
        """Wait for the looks under way; an account that is not looked at is let go of at once, whatever hangs elsewhere."""
        while self._seats or any(worker.is_alive() for worker in workers):
            for key in [key for key in list(self._seats) if not self._wakes.running(key)]:
                self._release(key, self._seats.pop(key))
            for worker in workers:
                worker.join(0.05)

    def _release(self, key: str, seat: Seat) -> None:
        try:
            seat.release()
        except Exception as error:  # noqa: BLE001  # the others are still to be let go of
            self._world.ear.trouble(key, f"unexpected {type(error).__name__} at {_place(error)}")

    def _listen(self, stop: threading.Event) -> None:
        """Listen to the source, and again after a defect: a loop that is deaf looks well and does nothing."""
        while not stop.is_set():
            try:
                self._source.wait(self._reload, stop)
            except Exception as error:  # noqa: BLE001
                self._world.ear.trouble("", f"unexpected {type(error).__name__} at {_place(error)}")
                stop.wait(LISTEN_AGAIN_S)

    def _reload(self) -> None:
        """Load the set again and wake the accounts for which it differs."""
        with self._reloading:
            before, now = self._loaded, self._source.load()
            self._loaded = now
        gone = set(before.declared.accounts) - set(now.declared.accounts) if before else set()
        for key in sorted(gone | set(self._accounts())):
            if before is None or _differs(before, now, key):
                self._wakes.wake(key, urgent=before is not None)

    def _work(self, stop: threading.Event) -> None:
        while (key := self._wakes.take()) is not None:
            again_after_s: float | None = UNEXPECTED_S
            try:
                again_after_s = self._one(key, stop)
            except Exception as error:  # noqa: BLE001  # a defect met in one account must not stop the others
                self._world.ear.trouble(key, f"unexpected {type(error).__name__} at {_place(error)}")
            finally:
                self._wakes.done(key, again_after_s=again_after_s)

    def _one(self, key: str, stop: threading.Event) -> float | None:
        """Look at one account; returns after how many seconds to look again, None where it is declared no more."""
        if key not in self._accounts():
            self._identities.pop(key, None)
            if seat := self._seats.pop(key, None):
                self._release(key, seat)
            return None
        self._pass(key, stop)
        looked = self._seats.get(key)
        return looked.again_after_s if looked else None

    def _pass(self, key: str, stop: threading.Event) -> Pass | None:
        """One pass over one account, published; None where there was none."""
        known = self._seats.get(key)
        if known is not None and known.looks_again:  # what was away by the last event may be there again
            self._reload()
        loaded = self._loaded
        if loaded is None or key not in loaded.declared.accounts:
            return None
        if key not in self._seats:
            self._seats[key] = Seat(key, self._world, self._settings, lambda: self._wakes.alive(key))
            self._seats[key].identities = self._identities
        done = self._seats[key].look(loaded, stop)
        if done is not None:
            self._source.publish(done)
        return done

    def _accounts(self) -> Mapping[str, object]:
        """The accounts this loop looks after."""
        declared = self._loaded.declared.accounts if self._loaded else {}
        return {key: each for key, each in declared.items() if self._settings.account in (None, key)}


def _place(error: BaseException) -> str:
    """Where an exception came from, without its text, which could carry anything."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_qualname}:{frame.tb_lineno}" if frame else "an unknown place"


def _differs(before: Loaded, now: Loaded, key: str) -> bool:
    """Whether a pass over the account could come out differently for what is declared."""
    if before.findings != now.findings or before.declared.accounts.get(key) != now.declared.accounts.get(key):
        return True
    mine, then = now.declared.for_account(key), before.declared.for_account(key)
    return (mine.resources, mine.held, mine.complete) != (then.resources, then.held, then.complete)
