"""A port of our own with small limits, its application noting what reaches it, and raw clients."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio import to_thread

from reconciler import serving
from reconciler.serving import connections
from reconciler.serving.limits import Limits

SMALL = Limits(
    connections=8, burst=16, batch=2, requests=2, head_s=0.4, body_s=0.4, idle_s=0.4, answer_s=0.4, head_bytes=4096, body_bytes=1000,
)  # fmt: skip


@dataclass
class Port:
    """A served port: what reached its application, what it said, and what it counted."""

    limits: Limits
    host: str = "127.0.0.1"
    number: int = 0
    reached: list[tuple[str, str, bytes]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    clients: list[socket.socket] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A client; it is closed with the port."""
        where = (source, 0) if self.host == "127.0.0.1" else None
        self.clients.append(socket.create_connection((self.host, self.number), 10, where))
        return self.clients[-1]

    def end(self) -> None:
        self.hold.set()
        for client in self.clients:
            client.close()

    def ask(self, sent: bytes) -> bytes:
        """All that comes back until the port closes the connection."""
        with self.connect() as it:
            it.sendall(sent)
            return all_of(it)

    def get(self, path: str = "/", host: str = "localhost") -> int:
        return status(self.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()))

    async def application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Takes the body, and answers: /big much, /held once it may, /broken never, all others a word."""
        body, more = b"", True
        while more and scope["path"] != "/unread":
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.reached.append((scope["method"], scope["path"], body))
        if scope["path"] == "/broken":
            raise RuntimeError("as ordered")
        while scope["path"] == "/held" and not self.hold.is_set():
            await asyncio.sleep(0.01)
        text = b"x" * 50_000_000 if scope["path"] == "/big" else b"ok"
        if scope["path"] == "/threads":
            text = b"%d" % to_thread.current_default_thread_limiter().total_tokens
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
        await send({"type": "http.response.body", "body": text})


def all_of(it: socket.socket) -> bytes:
    """What comes until the other end closes; a reset is an end too."""
    came = b""
    try:
        while part := it.recv(1_000_000):
            came += part
    except ConnectionResetError:
        pass
    return came


def status(answer: bytes) -> int:
    """The status of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def until(true: Callable[[], bool], within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


@contextmanager
def serving_ports() -> Iterator[Callable[..., Port]]:
    """Starts ports, which look at their deadlines often."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as open_:
        patch.setattr(connections, "EVERY_S", 0.05)

        def start(limits: Limits = SMALL, **options: Any) -> Port:
            port = Port(limits)
            listening = serving.listen(options.pop("on", port.host), 0)
            port.number = listening.getsockname()[1]
            given = serving.Options(
                limits=limits, say=port.said.append, count=lambda why: port.counted.update([why]), **options
            )
            open_.enter_context(serving.in_background(port.application, listening, given))
            open_.callback(port.end)
            return port

        yield start


@pytest.fixture
def serve() -> Iterator[Callable[..., Port]]:
    with serving_ports() as start:
        yield start
