"""A ledger of each kind: an SQLite file, and a real PostgreSQL where one can be started."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledger.servers import Absent, Server

from reconciler.ledger import Ledger, open_ledger

Open = Callable[..., Ledger]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of our own; skipped where none can be started."""
    try:
        server = Server()
    except Absent as why:
        pytest.skip(str(why))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger that does not exist yet would be."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "ledger.db")
    server: Server = request.getfixturevalue("postgres")
    return server.url(server.new_database())


@pytest.fixture
def open_(place: str) -> Iterator[Open]:
    """Opens the same ledger as often as asked, like one process after the other."""
    opened: list[Ledger] = []

    def open_it(**options: float) -> Ledger:
        opened.append(open_ledger(place, **options))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
