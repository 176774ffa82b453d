"""Crash: an apply to the served platform is killed at any platform call or ledger write, and run again. At length at each of
them in turn, of 50 changes; in the suite at three, of 10."""

import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from served import PRIVATE, Rig, serve
from torture.conftest import LONG, Effort
from torture.forks import Forks

from reconciler.ledger import open_ledger
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.state import ActivationState, Rate

HEAD = {"apiVersion": "modelpolicy.dev/v1alpha1"}


class Place:
    """One try: a served platform, policies, a ledger."""

    def __init__(self, home: Path, rig: Rig, forks: Forks, changes: int) -> None:
        self.home, self.rig, self.forks = home, rig, forks
        self.models = [f"m{number}" for number in range(changes // 5)]
        self.endpoints = [f"ep-{number}" for number in range(changes - 2 * len(self.models))]
        entries = tuple(ModelEntry(name=name, columns={"domain": "LLM"}) for name in self.models)
        endpoints = tuple(
            EndpointEntry(id=each, columns={"name": each, "model": self.models[0]}) for each in self.endpoints
        )
        with rig.engine.store.write() as tx:
            tx.run("DELETE FROM models")  # the catalogue would only make every list longer
            put(tx, Contents(models=entries, endpoints=endpoints, account={}), rig.engine.now())
        self.sets: Counter[str] = Counter()
        accept = rig.engine.set_limit

        def counted(model: str, tokens: int) -> None:
            self.sets[model] += 1
            accept(model, tokens)

        rig.engine.set_limit = counted  # type: ignore[method-assign]
        keys = home / "keys.json"
        keys.touch(0o600)
        keys.write_text(json.dumps({"access_key": rig.keys.access_key, "secret_key": rig.keys.secret_key}))
        (home / "policies.yaml").write_text("\n---\n".join(map(json.dumps, self._policies(str(keys)))))

    def _policies(self, keys: str) -> Iterator[dict[str, object]]:
        ark = {"endpoint": self.rig.url, "actions": PRIVATE, "credentials": {"file": keys}}
        spec = {"platform": "ark", "ark": ark, "allowActivation": True, "writes": {"concurrency": 4, "perSecond": 1000}}
        yield {**HEAD, "kind": "PlatformAccount", "metadata": {"name": "default"}, "spec": spec}
        for name in self.models:
            yield {**HEAD, "kind": "ModelActivation", "metadata": {"name": name}, "spec": {"model": name}}
            limit = {"model": name, "tokens": 1000, "renewal": "first"}
            yield {**HEAD, "kind": "InferenceLimit", "metadata": {"name": name}, "spec": limit}
        for each in self.endpoints:
            rate = {"endpoint": {"id": each}, "rpm": 60, "tpm": 6000}
            yield {**HEAD, "kind": "EndpointRateOverride", "metadata": {"name": each}, "spec": rate}

    def apply(self, point: int = 0):
        offset = str(self.rig.clock.offset.total_seconds())
        arguments = ("apply", "policies.yaml", "--yes", "--ledger", "ledger.db", "-o", "json")
        return self.forks.run(*arguments, cwd=self.home, point=point, MODELPOLICY_CLOCK_OFFSET=offset)

    def converged(self) -> None:
        seen = self.rig.engine.snapshot()
        assert {seen.models[name].state for name in self.models} == {ActivationState.ACTIVATED}
        assert {seen.models[name].limit.tokens for name in self.models} == {1000}  # type: ignore[union-attr]
        assert {seen.endpoints[each].override for each in self.endpoints} == {Rate(60, 6000)}
        assert self.sets == dict.fromkeys(self.models, 1), "a limit was set again: its counting would begin anew"

    def journaled(self) -> None:
        with closing(open_ledger(str(self.home / "ledger.db"))) as ledger:
            history = ledger.history("default")
            assert history.pending == ()
            assert len(history.records) == len(self.models) * 2 + len(self.endpoints)
            assert all(record.owner and record.applied for record in history.records.values())
            entries = [entry for run in ledger.runs() for entry in ledger.entries(run.id)]
            assert all(entry.result for entry in entries)
            older = ledger.runs()[1:]  # the last may have been killed when nothing was left to do
            assert all(run.finished_at for run in older)
        with closing(sqlite3.connect(self.home / "ledger.db")) as raw:
            assert raw.execute("SELECT count(*) FROM modelpolicy_locks").fetchone() == (0,)


def try_(home: Path, forks: Forks, changes: int, point: int) -> int:
    """Kill at `point`, 0 is never, and run again three hours later; how many points the first run passed."""
    home.mkdir()
    for rig in serve(home / "platform.db"):
        place = Place(home, rig, forks, changes)
        first = place.apply(point)
        assert first.killed == bool(point), first.out
        if point:
            rig.clock.offset += timedelta(hours=3)  # a limit set twice would be taken now
            again = place.apply()
            assert again.code == 0, again.out
        else:
            assert first.code == 0, first.out
        place.converged()
        place.journaled()
    return first.points


SHARDS = os.cpu_count() or 1 if LONG in os.environ else 1  # at length each processor has its share of the points


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_run_killed_at_any_call_or_ledger_write_is_finished_by_the_same_command(
    tmp_path: Path, forks: Forks, effort: Effort, shard: int
) -> None:
    changes = effort.pick(10, 50)
    points = try_(tmp_path / "whole", forks, changes, 0)
    assert points > 12 * changes, "each change is read, journaled, written, read and journaled"
    every = range(1, points - 10)  # lists may be read once more or less often from run to run
    for point in effort.pick(sorted(random.Random(50).sample(every, 3)), every[shard :: SHARDS * effort.step]):
        try_(tmp_path / str(point), forks, changes, point)
        shutil.rmtree(tmp_path / str(point))
        effort.tried()
