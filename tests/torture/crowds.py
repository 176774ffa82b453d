"""Crowds of hostile clients of one port on loopback. Each is bounded in count and in time and stops by itself.

A crowd is a function of a `Crowd` that goes on until `crowd.over()`. What it meets (resets, refusals, silence) is its own trouble.
"""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HOST = b"Host: localhost\r\n"
GET = b"GET /metrics HTTP/1.1\r\n" + HOST
SPARE = 200  # descriptors that this process keeps for itself


@dataclass
class Crowd:
    """So many clients of a port, until the time is over."""

    port: int
    count: int
    until: float
    pause_s: float = 0.1
    made: int = 0
    held: list[socket.socket | None] = field(default_factory=list)

    def over(self) -> bool:
        return time.monotonic() > self.until

    def connect(self) -> socket.socket | None:
        it = socket.socket()
        it.settimeout(1.0)
        try:
            it.connect(("127.0.0.1", self.port))
        except OSError:
            it.close()
            return None
        self.made += 1
        return it

    def send(self, it: socket.socket | None, text: bytes) -> bool:
        """Whether it could be sent."""
        if it is not None:
            with contextlib.suppress(OSError):
                it.sendall(text)
                return True
            it.close()
        return False

    def hold(self, first: bytes, more: bytes = b"") -> None:
        """Hold `count` connections, each having sent `first`, and send `more` of each, piece by piece, byte by byte."""
        self.held, at = [None] * self.count, [0] * self.count
        while not self.over():
            for number in range(self.count):
                if self.over():
                    return
                byte = more[at[number] % len(more) :][:1] if more else b""
                if self.held[number] is None or (byte and not self.send(self.held[number], byte)):
                    self.held[number], at[number] = self.connect(), 0
                    self.send(self.held[number], first)
                at[number] += 1
            time.sleep(self.pause_s)

    def throw(self, text: bytes, *, read: bool = False) -> None:
        """One connection after the other, each sending `text`."""
        while not self.over():
            it = self.connect()
            if it is None:
                continue
            with it, contextlib.suppress(OSError):
                it.sendall(text)
                while read and it.recv(65536):
                    pass

    def leave(self) -> None:
        for each in self.held:
            if each is not None:
                each.close()


def silent(crowd: Crowd) -> None:
    crowd.hold(b"")


def slow_heads(crowd: Crowd) -> None:
    crowd.hold(b"GET / HTTP/1.1\r\n" + HOST + b"A: ", b"a")


def slow_bodies(crowd: Crowd) -> None:
    crowd.hold(b"POST /metrics HTTP/1.1\r\n" + HOST + b"Content-Length: 60000\r\n\r\n", b"a")


def slow_chunks(crowd: Crowd) -> None:
    crowd.hold(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")


def idle_after_an_answer(crowd: Crowd) -> None:
    crowd.hold(GET.replace(b"metrics", b"livez") + b"\r\n")


def never_reading(crowd: Crowd) -> None:
    crowd.hold((GET + b"\r\n") * 300)


def connects(crowd: Crowd) -> None:
    crowd.throw(b"")


def requests(crowd: Crowd) -> None:
    crowd.throw(GET + b"Connection: close\r\n\r\n", read=True)


def pipelines(crowd: Crowd) -> None:
    crowd.throw((GET.replace(b"metrics", b"readyz") + b"\r\n") * 2000 + GET + b"Connection: close\r\n\r\n", read=True)


def pages(crowd: Crowd) -> None:
    crowd.throw(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", read=True)


def oversized(crowd: Crowd) -> None:
    texts = (
        GET + b"A: " + b"a" * 1_000_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        GET + b"A: b\r\n" * 50_000 + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n" + b"a" * 5_000_000,
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 500_000,
        b"a" * 5_000_000,
    )
    while not crowd.over():
        for text in texts:
            it = crowd.connect()
            crowd.send(it, text)
            if it is not None:
                it.close()


def nonsense(crowd: Crowd) -> None:
    texts = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n\r\n", b"\x00" * 99,
        GET + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", GET + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n\r\n", b"CONNECT h:1 HTTP/1.1\r\n" + HOST + b"\r\n",
        GET.replace(b"localhost", b"evil.example") + b"\r\n", b"GET /metrics HTTP/1.0\r\n\r\n", b"GET http://h/ HTTP/1.1\r\n" + HOST + b"\r\n",
    )  # fmt: skip
    while not crowd.over():
        for text in texts:
            it = crowd.connect()
            crowd.send(it, text)
            if it is not None:
                it.close()


ALL: tuple[Callable[[Crowd], None], ...] = (
    silent, slow_heads, slow_bodies, slow_chunks, idle_after_an_answer, never_reading, connects, requests, pipelines, pages,
    oversized, nonsense,
)  # fmt: skip


def affordable(count: int) -> int:
    """So many clients as this process may have descriptors for, having asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(10, min(count, soft - SPARE))


@contextmanager
def crowding(port: int, count: int, for_s: float, *kinds: Callable[[Crowd], None]) -> Iterator[list[Crowd]]:
    """The crowds at work beside what is done meanwhile; they share `count`, and are gone afterwards."""
    share = max(1, affordable(count) // len(kinds))
    crowds = [Crowd(port, share, time.monotonic() + for_s) for _ in kinds]
    threads = [threading.Thread(target=kind, args=(crowd,)) for kind, crowd in zip(kinds, crowds, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield crowds
    finally:
        for crowd in crowds:
            crowd.until = 0.0
        for thread in threads:
            thread.join()
        for crowd in crowds:
            crowd.leave()
