"""How much of the process a listening port may take: connections, bytes and seconds.

A port is open to whoever reaches it, and the loop beside it needs descriptors of its own: its ledger, its files, its platforms.
So connections never take more than half of the descriptors that the process may have, and no client may make us wait for long.
"""

import resource
from dataclasses import dataclass
from typing import Final

MOST: Final = 256  # connections that are kept; a person's browser has six, a scraper one
LEAST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one port may take. A connection that waits for its client longer than allowed is closed."""

    connections: int  # kept open; each one more closes the one that has waited longest for its client
    burst: int  # never more; a new one beyond it is closed at once
    batch: int  # accepted at a time; so few that a new one is read before it would be closed for newer ones
    requests: int = 64  # answered at a time; one more is answered 503
    head_s: float = 10.0  # from the connection, or a request's first byte, to its whole head
    body_s: float = 20.0  # from the whole head to the whole body
    idle_s: float = 5.0  # from an answer to the first byte of the next request
    answer_s: float = 30.0  # for which a client may take its answer as slowly as it likes, and then no slower than
    answer_bytes_per_s: int = 10_000
    head_bytes: int = 16_384
    body_bytes: int = 65_536
    held_bytes: int = 64_000_000  # of all bodies that are not whole and answers that are not read
    threads: int = 2  # that work for clients; each takes its turn with the loop's


def of_process() -> Limits:
    """The limits that fit the descriptors of this process (RLIMIT_NOFILE): a quarter of them, in a burst half."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return for_descriptors(MOST * 4 if soft == resource.RLIM_INFINITY else soft)


def for_descriptors(descriptors: int) -> Limits:
    """The limits that leave at least half of so many descriptors to others."""
    kept = min(MOST, max(LEAST, descriptors // 4))
    return Limits(connections=kept, burst=2 * kept, batch=max(1, kept // 4))
