"""Runs an ASGI application on a socket of our own, in the foreground or in a thread. The one home of uvicorn.

Knows nothing of what is served: the served platform, the loop's health page and the console hand it their application.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from uvicorn import Config, Server

from reconciler.errors import Permanent
from reconciler.reasons import Reason

__all__ = ["Server", "in_background", "listen", "server"]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Permanent where the address cannot be taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is said, for asyncio sends without delay only on sockets that name TCP; an answer would take 40 ms more.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as exc:
        listening.close()
        raise Permanent(f"{host}:{port} cannot be listened on: {exc}", reason=Reason.PLATFORM_UNAVAILABLE) from exc
    return listening


def server(application: Any) -> Server:
    """The server, not yet running: `.run(sockets=[...])` serves until it is told to stop."""
    return Server(
        Config(application, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=3)
    )


@contextmanager
def in_background(application: Any, listening: socket.socket) -> Iterator[str]:
    """Serve from a thread of this process for as long as the context; its URL. Closes the socket."""
    with listening:
        running = server(application)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            host, port = listening.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            running.should_exit = True
            thread.join(5)
