"""What may name a ledger: a path or a URL of PostgreSQL. All else is refused before anything is created, and never repeated."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.errors import LedgerError, NoLedgerAddress
from reconciler.ledger import open_ledger
from reconciler.ledger_address import checked

SECRET = "hunter2"
NO_ADDRESS = (
    "postgress://ci:hunter2@host/db",
    "postgresql+psycopg://ci:hunter2@host/db",
    "POSTGRESQL://ci:hunter2@host/db",
    "PostgreSQL://ci:hunter2@host/db",
    "mysql://ci:hunter2@host/db",
    "s3://hunter2@bucket/key",
    "redis:hunter2",
    "redis://:hunter2@host",
    "jdbc:postgresql://host/db?password=hunter2",
    "sqlite:///hunter2.db",
    "sqlite:hunter2.db",
    "file:hunter2.db?mode=rwc",
    "file:///var/lib/hunter2.db",
    "host=db password=hunter2 dbname=x",
    "dbname = x password = hunter2",
    "password=hunter2",
    "Server=db;Password=hunter2",
    "'postgresql://ci:hunter2@host/db'",
    '"postgresql://ci:hunter2@host/db"',
    "“postgresql://ci:hunter2@host/db”",
    "`hunter2`",
    "'hunter2.db'",
    "postgresql:/ci:hunter2@host/db",
    "postgresql:ci:hunter2@host/db",
    "postgresql//ci:hunter2@host/db",
    "postgresql：//ci:hunter2@host/db",
    "postgresql:\\\\ci:hunter2@host",
    "//ci:hunter2@host/db",
    "ci:hunter2@host/db",
    "ci/hunter2@host",
    "db.internal:5432/hunter2",
    "db/x?password=hunter2",
    "/var/postgres://ci:hunter2@host/db",
    "./mysql://ci:hunter2@host/db",
    "/var/lib/Password=hunter2",
    "\ufeffpostgresql://ci:hunter2@host/db",
    "postgres\u200bql://ci:hunter2@host/db",
    "ledger.db\x00hunter2",
    "hunter2\n.db",
    "${hunter2}",
    "$hunter2",
    "$(hunter2)",
    "${{ secrets.hunter2 }}",
    "/var/lib/$hunter2/ledger.db",
    "{{ hunter2 }}",
    "%hunter2%",
    "~/hunter2.db",
    ":hunter2:",
    "--hunter2",
    "postgresql://ci:hunter 2@host/db",
    "postgresql://ci:hunter2@host@other/db",
    "postgresql://ci:hunter2%zz@host/db",
    "postgresql://ci:hunter2/x@host/db",
    "postgresql://",
    "postgres://",
    ":memory:",
    "-",
    "",
    " \t\n",
)


@pytest.mark.parametrize("given", NO_ADDRESS)
def test_what_is_no_address_is_refused_without_its_password_and_creates_nothing(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoLedgerAddress) as refused:
        open_ledger(given)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("postgress://h/d", "did you mean postgres://?"),
        ("postgresql+psycopg://h/d", "did you mean postgresql://?"),
        ("POSTGRESQL://h/d", "did you mean postgresql://?"),
        ("mysql://h/d", "mysql:// is no scheme of a ledger; give the path"),
        ("sqlite:///x.db", "give the path of its file alone"),
        ("'x.db'", "without them"),
        ("", "a variable or secret that is not set?"),
    ],
)
def test_a_refusal_says_what_to_do(given: str, hint: str) -> None:
    with pytest.raises(NoLedgerAddress) as refused:
        checked(given)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    "good",
    [
        "ledger.db",
        "./a:b",
        "a b.db",
        "/tmp/x@y.db",
        "./~x",
        "../l.db",
        "账本.db",
        "postgresql://u:p@h:5432/d?sslmode=require",
    ],
)
def test_white_space_around_a_good_address_is_taken_away(good: str) -> None:
    assert checked(f" \t{good}\n") == good


def test_a_path_that_can_be_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    cases = {
        tmp_path / "folder": "is a folder: name a file in it, such as",
        tmp_path / "file" / "x.db": "is no folder",
        tmp_path / "a" / "b" / "x.db": f"in a folder that does not exist: make {tmp_path / 'a' / 'b'}",
        Path("/no-such-folder-of-the-root/x.db"): "in a folder that does not exist",
        Path("/dev/null"): "is no plain file",
    }
    for path, sentence in cases.items():
        with pytest.raises(NoLedgerAddress) as refused:
            open_ledger(str(path))
        assert sentence in str(refused.value)
    with pytest.raises(NoLedgerAddress, match="is a folder"):
        open_ledger(f"{tmp_path}/new/")


def test_a_database_of_another_program_is_neither_read_nor_written(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a integer)")
    before = path.read_bytes()
    ledger = open_ledger(str(path))
    for use in (ledger.runs, lambda: ledger.keep_fact("a", "b")):
        with pytest.raises(LedgerError, match="database of another program"):
            use()
    ledger.close()
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    ledger = open_ledger(str(path))
    assert ledger.runs() == ()
    assert ledger.keep_fact("a", "b") == "b"
    ledger.close()
