"""An SQLite file that several processes write at once, each acknowledged change safe from a power cut. Knows no table."""

import sqlite3
import time
from typing import Final

_POLL_S: Final = 0.01


def write_ahead(connection: sqlite3.Connection, busy_s: float) -> None:
    """Put the file into write-ahead mode: one fsync a transaction, and readers that do not wait for writers.

    Changing the mode does not wait by itself for another process that is about it or is the last to close, whatever the
    connection's timeout; so this asks again for `busy_s` seconds. Raises sqlite3.Error.
    """
    deadline = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
    connection.execute("PRAGMA synchronous = FULL")
