"""Runs an ASGI application on a socket of our own, in the foreground or in a thread. The one home of uvicorn and h11.

Knows nothing of what is served: the served platform, the loop's health page and the console hand it their application. Whoever
reaches the port, the process beside it goes on: connections, bytes and seconds are bounded (`limits`), what could be read in two
ways or calls us by a foreign name is refused (`door`, `hosts`), and a flood is one line of the log (`tally`).
"""

import asyncio
import functools
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

import uvicorn
from anyio import to_thread

from reconciler.errors import Permanent
from reconciler.reasons import Reason
from reconciler.serving.connections import Connection, Connections
from reconciler.serving.door import Door, Terms
from reconciler.serving.hosts import Hosts
from reconciler.serving.limits import Limits, of_process
from reconciler.serving.listener import Listening
from reconciler.serving.tally import Tally, Trouble

BACKLOG: Final = 512  # connections that the kernel keeps for us; the client of one more tries again in a second
DRAIN_S: Final = 3  # for what is being answered when the port is closed


__all__ = ["Limits", "Listening", "Options", "Server", "in_background", "listen", "of_process", "url_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a port is served. `names` it answers to beside its own, paths answered `always`, and who hears of troubles."""

    names: Iterable[str] = ()
    always: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=of_process)
    say: Callable[[str], None] = lambda _: None
    count: Callable[[str], None] = lambda _: None


def listen(host: str, port: int) -> Listening:
    """A listening socket; port 0 takes a free one. Raises Permanent where the address cannot be taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is said, for asyncio sends without delay only on sockets that name TCP; an answer would take 40 ms more.
    listening = Listening(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as exc:
        listening.close()
        raise Permanent(f"{host}:{port} cannot be listened on: {exc}", reason=Reason.PLATFORM_UNAVAILABLE) from exc
    return listening


def url_of(listening: socket.socket) -> str:
    """Where it listens."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """The server of one socket, not yet running: `.serve_until_told()` serves until `should_exit` is set or a signal comes."""

    def __init__(self, application: Any, listening: Listening, options: Options) -> None:
        tally = Tally(options.say, options.count, time.monotonic)
        self._listening = listening
        self._connections = listening.connections = Connections(options.limits, tally)
        loopback = ip_address(listening.getsockname()[0]).is_loopback
        own = () if loopback else (socket.gethostname().lower(),)
        hosts = Hosts(loopback, frozenset((*(name.lower() for name in options.names), *own)))
        terms = Terms(hosts=hosts, limits=options.limits, always=options.always)
        config = uvicorn.Config(
            Door(application, terms, tally, self._connections.make_place),
            http=functools.partial(Connection, self._connections),  # type: ignore[arg-type]  # it is called as a class is
            loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            backlog=options.limits.batch, timeout_keep_alive=math.ceil(options.limits.idle_s), timeout_graceful_shutdown=DRAIN_S,
            h11_max_incomplete_event_size=options.limits.head_bytes,
        )  # fmt: skip
        super().__init__(config)
        self._tally = tally
        self._limits = options.limits

    def serve_until_told(self) -> None:
        """Serve on the socket, in this thread."""
        self.run(sockets=[self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; from here on the deadlines are kept."""
        await super().startup(sockets)
        self._listening.listen(BACKLOG)  # asyncio made it as short as the batch
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._defect(context))
        self._connections.watch(loop)
        to_thread.current_default_thread_limiter().total_tokens = self._limits.threads

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but that nobody is waited for who keeps us waiting."""
        self._connections.close()
        await super().shutdown(sockets)

    def _defect(self, context: dict[str, Any]) -> None:
        failed = context.get("exception")
        if self._tally.note(Trouble.DEFECT, type(failed).__name__ if failed else str(context["message"])):
            logging.getLogger(__name__).error("the port met a defect", exc_info=failed)


@contextmanager
def in_background(application: Any, listening: Listening, options: Options | None = None) -> Iterator[str]:
    """Serve from a thread of this process for as long as the context; its URL. Closes the socket."""
    with listening:
        running = Server(application, listening, options or Options())
        thread = threading.Thread(target=running.serve_until_told, daemon=True)
        thread.start()
        try:
            yield url_of(listening)
        finally:
            running.should_exit = True
            thread.join(DRAIN_S + 2)
