"""Where the access key comes from, and that it never shows."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import Permanent
from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms import Connection, Credentials, connect
from reconciler.platforms.ark import find_credentials
from reconciler.platforms.embedded import keys
from reconciler.reasons import Reason

CANARY = "CANARY-SECRET-0123"


def spec(**ark: object) -> PlatformAccountSpec:
    return PlatformAccountSpec.model_validate({"platform": "ark", "ark": ark})


def credentials_file(path: Path, content: object, mode: int = 0o600) -> PlatformAccountSpec:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return spec(credentials={"file": str(path)})


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "VOLCENGINE_ACCESS_KEY",
        "VOLCENGINE_SECRET_KEY",
        "VOLCENGINE_SESSION_TOKEN",
        "MODELPOLICY_CLOCK_OFFSET",
    ):
        monkeypatch.delenv(name, raising=False)


def test_the_sdks_environment_variables_are_used_where_no_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLCENGINE_ACCESS_KEY", "AKLTx")
    monkeypatch.setenv("VOLCENGINE_SECRET_KEY", CANARY)
    found = find_credentials(spec())
    assert found == Credentials("AKLTx", CANARY, None)
    assert CANARY not in f"{found} {found!r}"


def test_without_any_key_the_message_says_where_to_put_one() -> None:
    with pytest.raises(Permanent, match="VOLCENGINE_ACCESS_KEY") as caught:
        connect(spec(), Connection(clock=lambda: datetime.now(UTC)))
    assert caught.value.reason is Reason.CREDENTIALS_INVALID


def test_a_file_is_read_when_only_its_owner_may(tmp_path: Path) -> None:
    good = credentials_file(tmp_path / "good", {"access_key": "AKLTx", "secret_key": CANARY, "api_key": "not used"})
    assert find_credentials(good).secret_key == CANARY
    for name, content, mode, said in (
        ("open", {"access_key": "a", "secret_key": CANARY}, 0o644, "chmod 600"),
        ("half", {"access_key": CANARY}, 0o600, "needs access_key and secret_key"),
        ("list", [CANARY], 0o600, "needs access_key"),
        ("text", f'{{"secret_key": "{CANARY}", ', 0o600, "not a readable JSON file"),
    ):
        with pytest.raises(Permanent, match=said) as caught:
            find_credentials(credentials_file(tmp_path / name, content, mode))
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(Permanent, match="does not exist"):
        find_credentials(spec(credentials={"file": str(tmp_path / "none")}))


def test_a_shifted_clock_is_refused_for_an_account_that_is_not_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELPOLICY_CLOCK_OFFSET", "7200")
    connection = Connection(clock=lambda: datetime.now(UTC), credentials=Credentials("AKLTx", CANARY))
    with pytest.raises(Permanent, match="MODELPOLICY_CLOCK_OFFSET"):
        connect(spec(), connection)
    with pytest.raises(Permanent, match="MODELPOLICY_CLOCK_OFFSET"):
        connect(spec(endpoint="https://127.0.0.1.example.com"), connection)
    connect(spec(endpoint="http://127.0.0.1:8900"), connection).close()
    monkeypatch.setenv("MODELPOLICY_CLOCK_OFFSET", "0")
    connect(spec(), connection).close()


def test_served_keys_are_made_once_for_their_owner_only_and_then_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    made, fresh = keys.load_or_make(path)
    again, second = keys.load_or_make(path)
    assert (fresh, second) == (True, False)
    assert made == again
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(json.loads(path.read_text())) == {"access_key", "secret_key", "api_key"}
    assert made.secret_key not in repr(made)
    path.chmod(0o640)
    with pytest.raises(Permanent, match="chmod 600"):
        keys.load_or_make(path)
    path.chmod(0o600)
    path.write_text("{}")
    with pytest.raises(Permanent, match="access_key, secret_key and api_key"):
        keys.load_or_make(path)
