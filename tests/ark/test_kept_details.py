"""What GetEndpoint said is kept from run to run, for a day, by and for nobody else, and believed only where it cannot harm."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from served import Rig

from reconciler.platforms.ark.details import BELIEVED, Details, cache_file

UPDATED = "2026-01-01T00:00:00Z"
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
PLAIN = {"UpdateTime": UPDATED, "ScaleTierId": None, "ModelUnitId": "", "BatchOnly": False, "Name": "secret-name"}
BOUGHT = {**PLAIN, "ScaleTierId": "st-1"}


class Time:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def kept(file: Path, **replies: dict) -> Details:
    """Details that an earlier run has kept."""
    before = Details(file, lambda: NOW)
    for id_, reply in replies.items():
        before.keep(id_, reply)
    before.save(replies.keys())
    return Details(file, lambda: NOW)


def test_a_later_run_knows_what_an_earlier_one_was_told(tmp_path: Path) -> None:
    later = kept(tmp_path / "c" / "d.json", a=PLAIN)
    assert later.of("a", UPDATED) == {"ScaleTierId": None, "ModelUnitId": "", "BatchOnly": False}
    assert later.of("b", UPDATED) is None


def test_nobody_else_may_read_them_and_nothing_but_capacity_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "c" / "d.json"
    kept(file, a=PLAIN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "secret-name" not in file.read_text()
    assert [each.name for each in file.parent.iterdir()] == ["d.json"]


def test_an_endpoint_that_was_updated_since_is_asked_for_again(tmp_path: Path) -> None:
    assert kept(tmp_path / "d.json", a=PLAIN).of("a", "2026-01-01T00:00:01Z") is None


@pytest.mark.parametrize("age", [BELIEVED, timedelta(days=30), -timedelta(seconds=1)])
def test_a_day_later_or_out_of_the_future_nothing_is_believed(tmp_path: Path, age: timedelta) -> None:
    kept(tmp_path / "d.json", a=PLAIN)
    assert Details(tmp_path / "d.json", lambda: NOW + BELIEVED - timedelta(seconds=1)).of("a", UPDATED)
    assert Details(tmp_path / "d.json", lambda: NOW + age).of("a", UPDATED) is None


def test_bought_capacity_is_believed_in_the_run_that_saw_it_alone(tmp_path: Path) -> None:
    now = Details(tmp_path / "d.json", lambda: NOW)
    now.keep("a", BOUGHT)
    now.save(["a"])
    reply = now.of("a", UPDATED)
    assert reply is not None
    assert reply["ScaleTierId"] == "st-1"
    assert Details(tmp_path / "d.json", lambda: NOW).of("a", UPDATED) is None


def test_what_is_listed_no_more_is_forgotten(tmp_path: Path) -> None:
    details = kept(tmp_path / "d.json", a=PLAIN, b=PLAIN)
    details.save(["b"])
    later = Details(tmp_path / "d.json", lambda: NOW)
    assert (later.of("a", UPDATED), bool(later.of("b", UPDATED))) == (None, True)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    details = kept(tmp_path / "d.json", a=PLAIN)
    (tmp_path / "d.json").chmod(0o400)
    before = (tmp_path / "d.json").stat()
    assert details.of("a", UPDATED)
    details.save(["a"])
    assert (tmp_path / "d.json").stat() == before


GOOD = {
    "format": 1,
    "endpoints": {"a": [UPDATED, NOW.isoformat(), {"ScaleTierId": "", "ModelUnitId": "", "BatchOnly": None}]},
}


def of_form(**change: Any) -> str:
    return json.dumps({**GOOD, **change})


@pytest.mark.parametrize(
    "text",
    [
        "", "nothing", "[]", "null", "\x00", "[" * 100_000, of_form(format=2), of_form(endpoints=[]), of_form(endpoints={"a": 1}),
        of_form(endpoints={"a": [UPDATED, "yesterday", {}]}), of_form(endpoints={"a": [UPDATED, NOW.isoformat()[:19], {}]}),
        of_form(endpoints={"a": [1, NOW.isoformat(), {}]}), of_form(endpoints={"a": [UPDATED, NOW.isoformat(), {"BatchOnly": True}]}),
        of_form(endpoints={"a": [UPDATED, NOW.isoformat(), [["ScaleTierId", 1]]]}),
    ],
)  # fmt: skip
def test_a_file_that_is_not_of_the_form_is_none_and_is_replaced(tmp_path: Path, text: str) -> None:
    file = tmp_path / "d.json"
    file.write_text(text)
    file.chmod(0o600)
    details = Details(file, lambda: NOW)
    assert details.of("a", UPDATED) is None
    details.keep("a", PLAIN)
    details.save(["a"])
    assert Details(file, lambda: NOW).of("a", UPDATED)


def test_the_form_that_is_believed_is_this_one(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps(GOOD))
    (tmp_path / "d.json").chmod(0o600)
    assert Details(tmp_path / "d.json", lambda: NOW).of("a", UPDATED)


def test_a_file_that_others_may_write_or_read_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    kept(file, a=PLAIN)
    for mode in (0o640, 0o602, 0o604, 0o622):
        file.chmod(mode)
        assert Details(file, lambda: NOW).of("a", UPDATED) is None


def test_neither_a_link_nor_a_pipe_nor_a_folder_is_read(tmp_path: Path) -> None:
    true = tmp_path / "true.json"
    kept(true, a=PLAIN)
    (tmp_path / "link.json").symlink_to(true)
    os.mkfifo(tmp_path / "pipe.json", 0o600)
    (tmp_path / "folder.json").mkdir(mode=0o700)
    for name in ("link", "pipe", "folder", "nothing"):
        assert Details(tmp_path / f"{name}.json", lambda: NOW).of("a", UPDATED) is None


def test_a_link_in_its_place_is_not_written_through(tmp_path: Path) -> None:
    true = tmp_path / "true.txt"
    true.write_text("mine")
    (tmp_path / "d.json").symlink_to(true)
    kept(tmp_path / "d.json", a=PLAIN)
    assert true.read_text() == "mine"


def test_a_folder_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert kept(tmp_path / "cache" / "d.json", a=PLAIN).of("a", UPDATED) is None
    nowhere = Details(None, lambda: NOW)
    nowhere.keep("a", PLAIN)
    nowhere.save(["a"])
    assert nowhere.of("a", UPDATED)


def test_each_account_has_a_file_of_its_own_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = cache_file(("ark", "host", "region/a", "k1")), cache_file(("ark", "host", "region/a", "k2"))
    assert one is not None
    assert other is not None
    assert one != other
    assert one.parent == tmp_path / "modelpolicy" / "ark"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_file(("ark",)) is None
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.platform", "linux")
    assert str(cache_file(("ark",))).startswith(str(tmp_path / "home" / ".cache" / "modelpolicy"))


def asks(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sweep as a new run does; the endpoints that it asked for one by one."""
    asked = []
    platform = rig.connect()
    send = platform.client._send  # type: ignore[attr-defined]

    def noted(action: str, request: dict, *more: Any) -> Any:
        if action == "GetEndpoint":
            asked.append(request["Id"])
        return send(action, request, *more)

    monkeypatch.setattr(platform.client, "_send", noted)  # type: ignore[attr-defined]
    platform.observe(frozenset({"glm-4-7"}))
    platform.close()
    return asked


def test_a_second_run_asks_only_for_what_changed(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = rig.endpoint("first", "glm-4-7"), rig.endpoint("second", "glm-4-7")
    bought = rig.endpoint("bought", "glm-4-7", scale_tpm=1000)
    assert sorted(asks(rig, monkeypatch)) == sorted([first, second, bought])
    assert asks(rig, monkeypatch) == [bought]
    with rig.engine.store.write() as tx:
        tx.run("UPDATE endpoints SET updated_at = updated_at + 5 WHERE id = ?", second)
    assert sorted(asks(rig, monkeypatch)) == sorted([second, bought])
    rig.clock.offset += timedelta(hours=25)
    assert sorted(asks(rig, monkeypatch)) == sorted([first, second, bought])
    rig.clock.offset -= timedelta(hours=25)
