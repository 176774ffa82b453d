"""A closer look at many items does not wait for one answer before it asks for the next."""

import threading
from dataclasses import replace

from builders import NOW, activation, declared, endpoint, history, model, override, record, snapshot, target

from reconciler.errors import Transient
from reconciler.observing import observe
from reconciler.state import UNOBSERVABLE, Operation, Rate, Snapshot, Support, Target
from tests.builders import capabilities

IDS = ("ep-1", "ep-2", "ep-3", "ep-4")


class Far:
    """A platform that answers a closer look only once all of `IDS` were asked for; of `fails` it says nothing."""

    def __init__(self, sweep: Snapshot, fails: str = "") -> None:
        self.sweep, self.fails, self.all_asked = sweep, fails, threading.Barrier(len(IDS))

    def capabilities(self) -> dict[Operation, Support]:
        return capabilities()

    def observe(self, limited_models: frozenset[str]) -> Snapshot:
        return self.sweep

    def read(self, target: Target) -> Snapshot:
        self.all_asked.wait(timeout=10)
        if target.name == self.fails:
            raise Transient("nobody answers")
        return replace(self.sweep, endpoints={target.name: endpoint(target.name, scale_tier=None, model_units=None)})

    def close(self) -> None:
        pass


def test_endpoints_whose_capacity_decides_are_read_beside_each_other() -> None:
    unknown = [endpoint(id_, scale_tier=UNOBSERVABLE, model_units=UNOBSERVABLE) for id_ in IDS]
    sweep = snapshot(model(rate_limit=Rate(100, 1000)), *unknown)
    everything = declared(activation(), *(override(id_, name=id_, rpm=500) for id_ in IDS))
    seen = observe(everything, history(), Far(sweep), NOW).snapshot
    assert seen is not None
    assert all(seen.endpoints[id_].scale_tier is None for id_ in IDS)
    failed = observe(everything, history(), Far(sweep, fails="ep-3"), NOW)
    assert (failed.snapshot, [failure.message for failure in failed.failures]) == (None, ["nobody answers"])


def test_items_that_a_list_leaves_out_are_read_beside_each_other_and_one_failure_leaves_only_that_one_open() -> None:
    records = [replace(record(override(id_, name=id_, rpm=5)), owner=f"EndpointRateOverride/{id_}") for id_ in IDS]
    seen = observe(declared(), history(*records), Far(snapshot(model()), fails="ep-3"), NOW, prune=True).snapshot
    assert seen is not None
    assert sorted(seen.endpoints) == ["ep-1", "ep-2", "ep-4"]
    assert seen.unconfirmed == {target(override("ep-3", name="ep-3")): "nobody answers"}
