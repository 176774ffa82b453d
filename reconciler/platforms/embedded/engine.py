"""The embedded platform's one front door: each method is one durable transaction under the platform's own rules.

The in-process platform and the served one both stand on this. Methods raise `Refusal` where the platform says no, and
`errors.Transient` or `errors.Permanent` where the file cannot be used. Safe from several threads and processes.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.platforms.embedded import control, sweep
from reconciler.platforms.embedded.calls import Call, Charge
from reconciler.platforms.embedded.metering import use
from reconciler.platforms.embedded.refusals import Refusal
from reconciler.platforms.embedded.store import Store, create_tables, open_store
from reconciler.state import Snapshot

if TYPE_CHECKING:
    from reconciler.platforms.embedded.seed import Seed


class Engine:
    """A small Ark. `clock` answers aware datetimes; the platform's own resolution is one second."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._clock = clock

    def now(self) -> int:
        """The platform's time in whole seconds since 1970."""
        return int(self._clock().timestamp())

    # What can be seen.
    def snapshot(self) -> Snapshot:
        """The whole account."""
        with self.store.read() as tx:
            return sweep.whole(tx, self.now())

    def models(self) -> Snapshot:
        """Every model and the switches, without the endpoints."""
        with self.store.read() as tx:
            return sweep.of_models(tx, self.now())

    def frozen(self) -> "Engine":
        """The platform as it is now, kept in memory: what a stale read shows."""
        now = self._clock()
        return Engine(self.store.copy(), lambda: now)

    def model(self, name: str) -> Snapshot:
        """One model alone; without it where there is none of that name."""
        with self.store.read() as tx:
            return sweep.of_model(tx, name, self.now())

    def endpoint(self, endpoint: str) -> Snapshot:
        """One endpoint, by id, and its model; without them where there is none."""
        with self.store.read() as tx:
            return sweep.of_endpoint(tx, endpoint, self.now())

    def switches(self) -> Snapshot:
        """The account's switches alone."""
        with self.store.read() as tx:
            return sweep.of_account(tx, self.now())

    # What can be changed.
    def activate(self, model: str) -> None:
        """Open the model's paid service."""
        with self.store.write() as tx:
            control.activate(tx, model)

    def deactivate(self, model: str) -> None:
        """Close it."""
        with self.store.write() as tx:
            control.deactivate(tx, model)

    def set_sub_service(self, model: str, service: str, *, enabled: bool) -> None:
        """Switch a sub-service on or off."""
        with self.store.write() as tx:
            control.set_sub_service(tx, model, service, enabled)

    def set_limit(self, model: str, tokens: int) -> None:
        """Set the inference limit; counting restarts at 0."""
        with self.store.write() as tx:
            control.set_limit(tx, model, tokens, self.now())

    def remove_limit(self, model: str) -> None:
        """Take the inference limit away."""
        with self.store.write() as tx:
            control.remove_limit(tx, model)

    def set_override(self, endpoint: str, rpm: int | None, tpm: int | None) -> None:
        """Set both halves of the endpoint's own rate; None inherits the model's, both None is no override."""
        with self.store.write() as tx:
            control.set_override(tx, endpoint, rpm, tpm, self.now())

    def set_free_tokens_only(self, *, enabled: bool) -> None:
        """Switch Safe Experience Mode."""
        with self.store.write() as tx:
            control.set_free_tokens_only(tx, enabled)

    def set_auto_activation(self, *, enabled: bool) -> None:
        """Switch the activation of new models by themselves."""
        with self.store.write() as tx:
            control.set_auto_activation(tx, enabled)

    # What can be spent.
    def use(self, call: Call) -> Charge:
        """Meter one call. Raises `Refusal` with Ark's code, having consumed nothing."""
        with self.store.write() as tx:
            try:
                return use(tx, call, self.now())
            except Refusal as said:
                refusal = said  # raised after the transaction, which may keep that the model is paused from now on
        raise refusal

    def plant(self, sown: "Seed") -> None:
        """Merge a seed file over what is there. Raises `SeedRefused` with every problem, having changed nothing."""
        from reconciler.platforms.embedded import seed  # the reader of files loads when first needed

        with self.store.write() as tx:
            seed.plant(tx, sown, self.now())

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()


def open_engine(path: str | Path, clock: Callable[[], datetime], *, create: bool = True) -> Engine:
    """The platform in the database at `path`; a fresh one carries the shipped catalogue."""
    store, empty = open_store(Path(path), create=create)
    engine = Engine(store, clock)
    if empty:
        try:
            _fill(engine, create=create)
        except BaseException:
            store.close()
            raise
    return engine


def _fill(engine: Engine, *, create: bool) -> None:
    from reconciler.platforms.embedded import catalog, contents  # only a fresh database reads the catalogue

    with engine.store.write() as tx:
        if create_tables(tx):
            contents.put(tx, catalog.shipped(), engine.now())
        if not create:  # what stands in for a file that is not there is no account that anybody could know again
            tx.run("UPDATE account SET identity = ''")
