"""Concurrency: two applies, an apply against a watcher, ten standbys, and a holder that was frozen until its lease had ended."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from stage import Stage
from torture.conftest import Effort
from torture.forks import Ended, Forks
from watching import Watch

from reconciler.ledger import open_ledger
from reconciler.state import ActivationState

TESTS = str(Path(__file__).parents[1])
APPLY = ("apply", "policies", "--yes", "--ledger", ".modelpolicy/ledger.db")
HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"


def policies(home: Path, count: int) -> None:
    (home / "policies").mkdir(exist_ok=True)
    text = "---\n".join(
        f"{HEAD}kind: ModelActivation\nmetadata: {{name: m{number}}}\nspec: {{model: m{number}}}\n"
        for number in range(count)
    )
    (home / "policies" / "all.yaml").write_text(text)
    (home / "seed.yaml").write_text(json.dumps({"models": [{"name": f"m{n}", "domain": "LLM"} for n in range(count)]}))


def everything_was_done_once(ledger: Path, count: int) -> None:
    with closing(open_ledger(str(ledger))) as opened:
        entries = [entry for run in opened.runs() for entry in opened.entries(run.id)]
        assert opened.history("default").pending == ()
    done = Counter(entry.address for entry in entries if entry.result == "applied")
    assert done == {f"ModelActivation/m{number}": 1 for number in range(count)}


def test_of_many_applies_at_once_each_change_is_made_by_one(tmp_path: Path, effort: Effort) -> None:
    for number in range(effort.pick(1, 20)):
        home = tmp_path / str(number)
        home.mkdir()
        policies(home, 40)
        many = [Forks() for _ in range(effort.pick(2, 4))]
        assert many[0].run("platform", "seed", "seed.yaml", cwd=home).code == 0
        ended: list[Ended] = []
        threads = [
            threading.Thread(target=lambda one=one, home=home, ended=ended: ended.append(one.run(*APPLY, cwd=home)))
            for one in many
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # 6: the other has the lock; 5 and 7: what was planned is the other's work by now.
        assert {each.code for each in ended} <= {0, 5, 6, 7}, [each.out for each in ended]
        assert not any("Traceback" in each.out for each in ended)
        again = many[0].run(*APPLY, cwd=home)
        assert again.code == 0, again.out
        everything_was_done_once(home / ".modelpolicy/ledger.db", 40)
        for one in many:
            one.close()
        effort.tried()


def test_an_apply_beside_a_watcher_is_told_who_holds_the_account(tmp_path: Path, forks: Forks) -> None:
    policies(tmp_path, 5)
    assert forks.run("platform", "seed", "seed.yaml", cwd=tmp_path).code == 0
    watch = Watch(tmp_path)
    try:
        assert watch.says(r"ModelActivation/m4 applied"), watch.log.read_text()
        assert forks.run("platform", "seed", "more.yaml", cwd=tmp_path).code != 0
        more = f"---\n{HEAD}kind: InferenceLimit\nmetadata: {{name: m0}}\nspec: {{model: m0, tokens: 5}}\n"
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "limit.yaml").write_text(more)
        said = forks.run("apply", "mine", "--yes", cwd=tmp_path)
        assert said.code == 6
        assert "watch" in said.out
        assert watch.end() == 143
        assert forks.run("apply", "mine", "--yes", cwd=tmp_path).code == 0
    finally:
        watch.process.kill()
        watch.process.wait()


STANDBY = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from reconciler.ledger import open_ledger
ledger = open_ledger(sys.argv[2], lease_s=2)
for number in range(10):
    if os.fork() == 0:
        ledger = open_ledger(sys.argv[2], lease_s=2)
        with ledger.lock("default", f"standby {number}", wait_s=50) as lease:
            assert lease.held()
            fd = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(fd, b"in\\n")
            time.sleep(0.02)
            if number % 3 == 0:
                os.write(fd, b"killed\\n")
                os.kill(os.getpid(), 9)
            os.write(fd, b"out\\n")
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


def test_of_ten_standbys_one_at_a_time_leads_and_a_killed_leader_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    root = str(Path(TESTS).parent)
    done = subprocess.run([sys.executable, "-c", STANDBY, root, str(tmp_path / "l.db"), str(log)], timeout=55)
    assert done.returncode == 0
    lines = log.read_text().split()
    assert Counter(lines) == {"in": 10, "out": 6, "killed": 4}
    assert all(line == "in" for line in lines[::2]), "two led at once"


FROZEN = """
import os, signal, sys, time
from pathlib import Path
sys.path[:0] = sys.argv[2:4]
from builders import account, activation
from reconciler.ledger import open_ledger
from stage import Stage

stage = Stage(Path(sys.argv[1]))
stage.ledger = open_ledger(str(Path(sys.argv[1]) / "ledger.db"), lease_s=1.0)
write, read = stage.platform.write, stage.platform.read
def freeze(target):
    if len(stage.platform.writes) == 1 and not Path(sys.argv[1], "woken").exists():
        Path(sys.argv[1], "woken").touch()
        os.kill(os.getpid(), signal.SIGSTOP)  # right before the second change is written
    return read(target)
stage.platform.read = freeze
done = stage.apply(account(), *(activation(f"m{number}") for number in range(5)))
print([outcome.result.value for outcome in done.outcomes], [failure.message for failure in done.failures])
"""


def test_a_holder_that_was_frozen_beyond_its_lease_writes_nothing_more(tmp_path: Path) -> None:
    seeded = Stage(tmp_path)
    seeded.models(*(f"m{number}" for number in range(5)))
    seeded.close()
    child = subprocess.Popen(
        [sys.executable, "-c", FROZEN, str(tmp_path), TESTS, str(Path(TESTS).parent)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    began = time.monotonic()
    ledger = open_ledger(str(tmp_path / "ledger.db"), lease_s=5.0)
    with ledger.lock("default", "successor", wait_s=10) as lease:
        assert time.monotonic() - began > 0.5, "the lock was taken from a living holder before its lease ended"
        assert lease.held()
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=20)
        assert lease.held()
    assert child.returncode == 0, err
    assert "no longer certainly ours" in out
    ledger.close()
    stage = Stage(tmp_path)
    seen = stage.engine.snapshot()
    active = [name for name in (f"m{n}" for n in range(5)) if seen.models[name].state is ActivationState.ACTIVATED]
    assert active == ["m0"]
    stage.close()
