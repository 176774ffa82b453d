"""What the loop takes for declared: files at rest, whole, and what they had as long as they are only away for a moment."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.load import Loaded
from reconciler.sources import folders, rest
from reconciler.sources.folders import Folders

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
ACCOUNT = HEAD + "kind: PlatformAccount\nmetadata: {name: prod}\nspec: {embedded: {path: prod.db}}\n"
CONSTRAINT = HEAD + "kind: PolicyConstraint\nmetadata: {name: small}\nspec: {match: {}, schema: {}, message: small}\n"


def limit(name: str, tokens: str = "1000") -> str:
    return HEAD + f"kind: InferenceLimit\nmetadata: {{name: {name}}}\nspec:\n  model: {name}\n  tokens: {tokens}\n"


def addresses(loaded: Loaded) -> list[str]:
    return sorted(each.address for each in loaded.declared.resources)


def tokens(loaded: Loaded, name: str) -> int:
    (found,) = (each for each in loaded.declared.limits if each.name == name)
    return found.spec.tokens


def rules(loaded: Loaded) -> list[str]:
    return [found.rule for found in loaded.findings]


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Folders]:
    return lambda **more: Folders([str(tmp_path)], None, **more)


@contextmanager
def meanwhile(does: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=does)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def slowly(file: Path, *pieces: str, pause_s: float) -> None:
    with file.open("w") as opened:
        for piece in pieces:
            opened.write(piece)
            opened.flush()
            time.sleep(pause_s)


def test_a_save_that_stops_in_the_middle_is_read_when_it_is_over(
    tmp_path: Path, source: Callable[..., Folders]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(limit("a"))
    loads = source()
    assert tokens(loads.load(), "a") == 1000
    whole = limit("a", "50000000")
    with meanwhile(lambda: slowly(file, whole[:-8], whole[-8:], pause_s=0.06)):
        time.sleep(0.03)
        assert file.read_text() == whole[:-8]
        assert tokens(loads.load(), "a") == 50_000_000


@pytest.mark.parametrize("hole", ["truncated", "renamed over", "removed and made again"])
def test_a_file_that_is_emptied_or_away_for_a_moment_is_never_seen_so(
    tmp_path: Path, source: Callable[..., Folders], hole: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(limit("a"))
    loads = source()
    loads.load()

    def save() -> None:
        if hole == "truncated":
            slowly(file, "", limit("a", "2000"), pause_s=0.05)
        elif hole == "renamed over":
            (tmp_path / ".swap").write_text(limit("a", "2000"))
            (tmp_path / ".swap").replace(file)
        else:
            file.unlink()
            file.write_text("")
            time.sleep(0.05)
            file.write_text(limit("a", "2000"))

    with meanwhile(save):
        time.sleep(0.02)
        assert tokens(loads.load(), "a") == 2000


def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real, calls = tmp_path / "a.yaml", folders.gather, []
    file.write_text(limit("a", "50"))
    time.sleep(rest.REST_S)

    def gather(paths: object) -> object:
        read = real(paths)  # type: ignore[arg-type]
        if not calls:
            file.write_text(limit("a", "50000"))
        calls.append(paths)
        return read

    monkeypatch.setattr(folders, "gather", gather)
    assert tokens(source().load(), "a") == 50_000


def test_a_file_that_does_not_rest_is_held_with_what_it_had_and_the_others_go_on(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "MOST_S", 0.3)
    busy, calm = tmp_path / "busy.yaml", tmp_path / "calm.yaml"
    busy.write_text(limit("a") + "---\n" + ACCOUNT + "---\n" + CONSTRAINT)
    calm.write_text(limit("b"))
    time.sleep(rest.REST_S)
    loads, over = source(), threading.Event()
    loads.load()

    def write() -> None:
        while not over.is_set():
            with busy.open("a") as opened:
                opened.write("# more\n")
            time.sleep(0.02)

    with meanwhile(write):
        try:
            time.sleep(0.05)
            loaded = loads.load()
            assert addresses(loaded) == ["InferenceLimit/b", "PlatformAccount/prod"], "the account is held, not gone"
            held = {(each.kind, each.name, each.target) for each in loaded.declared.held}
            assert held == {
                ("InferenceLimit", "a", "a"), ("PlatformAccount", "prod", ""), ("PolicyConstraint", "small", ""), ("", "", ""),
            }  # fmt: skip
            assert rules(loaded) == ["being-written"]
            assert "busy.yaml is being written" in loaded.findings[0].message
            calm.write_text(limit("b", "7"))
            began = time.monotonic()
            time.sleep(0.01)
            assert tokens(loads.load(), "b") == 7
            assert time.monotonic() - began < 0.29, "what was waited for in vain is not waited for again"
            assert 0 < loads._again_at - time.monotonic() <= folders.RESTLESS_S, "it is looked at again soon"
            assert rules(loads.load()) == ["being-written"]
        finally:
            over.set()
    time.sleep(rest.REST_S)
    loaded = loads.load()
    assert addresses(loaded) == [
        "InferenceLimit/a",
        "InferenceLimit/b",
        "PlatformAccount/prod",
        "PolicyConstraint/small",
    ]
    assert (rules(loaded), loaded.declared.held) == ([], ())


def test_files_at_rest_are_not_waited_for_and_a_one_off_load_takes_them_as_they_are(
    tmp_path: Path, source: Callable[..., Folders]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(limit("a"))
    began = time.monotonic()
    assert tokens(source(at_rest=False).load(), "a") == 1000
    assert time.monotonic() - began < 0.09
    time.sleep(rest.REST_S)
    loads, began = source(), time.monotonic()
    assert tokens(loads.load(), "a") == 1000
    assert loads.load() is loads.load()
    assert time.monotonic() - began < 0.09


def test_a_clock_of_the_files_that_is_ahead_is_not_waited_for(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
    (tmp_path / "a.yaml").write_text(limit("a"))
    loads, began = source(), time.monotonic()
    assert tokens(loads.load(), "a") == 1000
    assert 0.09 < time.monotonic() - began < 1.0, "it is seen not to change"


def test_accounts_and_constraints_stay_until_they_are_away_for_long_enough(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    base, items = tmp_path / "base.yaml", tmp_path / "items.yaml"
    base.write_text(ACCOUNT + "---\n" + CONSTRAINT)
    items.write_text(limit("a"))
    loads = source(settle_s=5.0, at_rest=False)
    everything = addresses(loads.load())
    away = base.rename(tmp_path / ".away")
    assert addresses(loads.load()) == everything
    assert loads._again_at == 1005.0, "the second look is due then"
    now[0] = 1004.9
    assert addresses(loads.load()) == everything
    away.rename(base)
    assert addresses(loads.load()) == everything
    away = base.rename(tmp_path / ".away")
    now[0] = 1009.8
    assert addresses(loads.load()) == everything, "it was there in between"
    now[0] = 1014.9
    assert addresses(loads.load()) == ["InferenceLimit/a"]
    assert loads._again_at == float("inf")


def test_while_something_cannot_be_read_no_constraint_goes(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    base = tmp_path / "base.yaml"
    base.write_text(ACCOUNT + "---\n" + CONSTRAINT)
    loads = source(settle_s=5.0, at_rest=False)
    everything = addresses(loads.load())
    base.unlink()
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    for _ in range(3):
        now[0] += 100
        loaded = loads.load()
        assert (addresses(loaded), loaded.declared.complete) == (everything, False)
    (tmp_path / "dangling.yaml").unlink()
    assert addresses(loads.load()) == []


def test_an_edit_of_a_constraint_counts_at_once(tmp_path: Path, source: Callable[..., Folders]) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(CONSTRAINT)
    loads = source(settle_s=60.0, at_rest=False)
    loads.load()
    base.write_text(CONSTRAINT.replace("message: small", "message: smaller"))
    (found,) = loads.load().declared.constraints
    assert found.spec.message == "smaller"


@pytest.mark.parametrize("error", [5, 116, 13], ids=["EIO", "ESTALE", "EACCES"])
def test_what_the_disk_cannot_show_makes_the_set_incomplete_and_is_tried_again(
    tmp_path: Path, source: Callable[..., Folders], monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "a.yaml").write_text(limit("a"))
    loads = source(at_rest=False)
    assert loads.load().declared.complete
    real, broken = Path.stat, [True]

    def stat(path: Path, **how: bool) -> object:
        if broken[0] and path.name == "teams":
            raise OSError(error, "the server is away")
        return real(path, **how)

    monkeypatch.setattr(Path, "stat", stat)
    loaded = loads.load()
    assert (loaded.declared.complete, rules(loaded)) == (False, ["unreadable"])
    assert loads._again_at - time.monotonic() <= 5.0
    broken[0] = False
    assert addresses(loads.load()) == ["InferenceLimit/a"]
