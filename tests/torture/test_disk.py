"""Disk: full, read-only, cut short, with flipped bits: a clear error, nothing half-written, and the way back that docs/recovery.md
tells."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from torture.conftest import Effort
from torture.forks import Forks

from reconciler.cli.exits import Exit
from reconciler.cli.root import ROOT
from reconciler.ledger import open_ledger

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
POLICIES = "---\n".join(
    [f"{HEAD}kind: PlatformAccount\nmetadata: {{name: default}}\nspec: {{embedded: {{path: platform.db}}}}\n"]
    + [f"{HEAD}kind: ModelActivation\nmetadata: {{name: {name}}}\nspec: {{model: {name}}}\n"
       for name in ("glm-4-7", "kimi-k2", "doubao-seed-1-8")]
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies.yaml").write_text(POLICIES)
    return tmp_path


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 512 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root, where mounting is allowed")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def run(*arguments: str) -> Result:
    """The command; whatever the disk does it ends by its own words."""
    said = CliRunner().invoke(ROOT, [*arguments])
    assert isinstance(said.exception, SystemExit | None), said.exception
    assert "Traceback" not in said.output, said.output
    assert "unexpected" not in said.output, said.output
    return said


def apply(ledger: Path) -> Result:
    return run("apply", "policies.yaml", "--yes", "--ledger", str(ledger))


def left(ledger: Path) -> int:
    """How many changes are still to be made."""
    said = run("plan", "policies.yaml", "--ledger", str(ledger), "--detailed-exitcode")
    return 0 if said.exit_code == Exit.OK else said.stdout.count(" + ")


def fill(disk: Path, leave: int) -> None:
    with (disk / "filler").open("wb") as file:
        free = os.statvfs(disk)
        file.write(b"x" * max(0, free.f_bavail * free.f_frsize - leave))


def test_a_full_disk_is_said_and_nothing_is_written_that_is_not_journaled(
    here: Path, small: Path, forks: Forks, effort: Effort
) -> None:
    for room in effort.pick((0, 60_000, 150_000), range(0, 240_000, 8192)):
        ledger = small / "ledger.db"
        Path("platform.db").unlink(missing_ok=True)
        fill(small, room)
        # A process of its own: one that cannot even give its lock back is dead afterwards, and its lock free.
        said = forks.run("apply", "policies.yaml", "--yes", "--ledger", str(ledger), cwd=here)
        assert "Traceback" not in said.out
        if said.code != Exit.OK:
            assert "disk is full" in said.out
            (small / "filler").unlink()  # also reading needs some room beside a ledger that was just written
            with closing(open_ledger(str(ledger))) as opened:
                journaled = sum(len(opened.entries(one.id)) for one in opened.runs()) if ledger.exists() else 0
            assert 3 - left(ledger) <= journaled
        (small / "filler").unlink(missing_ok=True)
        again = apply(ledger)
        assert again.exit_code == Exit.OK, again.output
        assert left(ledger) == 0
        for each in small.iterdir():
            each.unlink()
        effort.tried()


def test_a_read_only_disk_is_said_and_nothing_is_written(here: Path, small: Path) -> None:
    assert apply(small / "ledger.db").exit_code == Exit.OK
    Path("platform.db").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    said = apply(small / "ledger.db")
    assert said.exit_code == Exit.UNEXPECTED
    assert "read-only" in said.output
    assert left(small / "ledger.db") == 3
    subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
    assert apply(small / "ledger.db").exit_code == Exit.OK


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The file cut short, or with one to eight bits flipped, or with a page of zeros."""
    how = chance.choice(("cut", "bits", "bits", "bits", "page"))
    if how == "cut":
        return content[: chance.randrange(len(content))]
    spoilt = bytearray(content)
    if how == "page":
        start = chance.randrange(len(content) // 4096) * 4096
        spoilt[start : start + 4096] = bytes(4096)
    else:
        for _ in range(chance.randint(1, 8)):
            spoilt[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("which", ["ledger.db", "platform.db"])
def test_a_damaged_file_is_said_or_harmless_and_moved_aside_everything_works_again(
    here: Path, which: str, effort: Effort
) -> None:
    assert apply(Path("ledger.db")).exit_code == Exit.OK
    whole = {name: Path(name).read_bytes() for name in ("ledger.db", "platform.db")}
    chance = random.Random(16)
    for _ in range(effort.pick(4, 300)):
        for path in {*here.glob("*.db-*"), *here.glob("*.aside")}:
            path.unlink()
        for name, content in whole.items():
            Path(name).write_bytes(content)
        Path(which).write_bytes(damaged(whole[which], chance))
        for verb in (
            ("plan", "policies.yaml"),
            ("history",),
            ("status", "policies.yaml"),
            ("apply", "policies.yaml", "--yes"),
        ):
            said = run(*verb, "--ledger", "ledger.db")
            assert said.exit_code in tuple(Exit)
            if said.exit_code == Exit.UNEXPECTED:
                assert "damaged" in said.output or which in said.output, said.output
        for path in [Path(which), *here.glob(f"{which}-*")]:  # as docs/recovery.md says
            shutil.move(path, f"{path}.aside")
        again = apply(Path("ledger.db"))
        assert again.exit_code == Exit.OK, again.output
        assert left(Path("ledger.db")) == 0
        effort.tried()
